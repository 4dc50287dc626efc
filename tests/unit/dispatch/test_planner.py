"""The plan holds together, whatever follows from what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.dispatch.assignment import Assignment
from ductile.dispatch.interfaces import Trigger
from ductile.dispatch.plan import Plan
from ductile.dispatch.planner import Planner, TooDeep
from ductile.dispatch.privacy import Privacy
from ductile.dsl.catalogue import Catalogue
from ductile.dsl.graph import Pipeline, Step
from ductile.model.event import STEP_SUCCEEDED, Event
from ductile.model.ids import PipelineHash
from ductile.model.outcome import EmittedEvent, Response
from ductile.model.policy import WorkspaceMode
from ductile.router.graph_router import GraphRouter
from ductile.router.interfaces import Next, Position, Routing
from tests.support.builders import HASH, a_context, a_job, a_run, an_event
from tests.support.clock import START
from tests.unit.dispatch.building import WORKSPACES, policies


@dataclass(frozen=True)
class Says(GraphRouter):
    """A router that always says the same; it starts nothing for a silent success."""

    following: Next = field(default_factory=Next)

    def next(self, event: Event, *_: object) -> Next:
        starts = () if event.type == STEP_SUCCEEDED else self.following.starts
        return replace(self.following, starts=starts)


def a_pipeline(name: str, steps: int, *, entries: int | None = None) -> Pipeline:
    """Steps s0, s1 …; all of them are entries unless told otherwise."""
    made = {f"s{n}": Step(f"s{n}", "echo", "handle") for n in range(steps)}
    return Pipeline(
        name=name,
        hash=PipelineHash(f"blake3:{name}"),
        on=("go",),
        entries=tuple(made)[:entries],
        nodes=made,
        definition="{}",
    )


def a_planner(following: Next, *, depth_limit: int = 20) -> Planner:
    return Planner(
        lambda: Says(Catalogue({}), following=following),
        policies("echo"),
        Privacy([], WORKSPACES),
        depth_limit=depth_limit,
        max_baggage=10_000,
    )


def an_assignment(next_steps: tuple[str, ...] = (), *, depth: int = 1) -> Assignment:
    event = an_event()
    context = a_context()
    run = a_run(event, depth=depth)
    step = Step("here", "echo", "handle", next=next_steps)
    pipeline = Pipeline("wisdom", HASH, ("go",), ("here",), {"here": step}, "{}")
    job = a_job(event, context, run_id=run.id, step_id="here")
    return Assignment(job, event, context, {}, run, Position(pipeline, "here"))


class Ledger:
    """A transaction that takes only what refers to what it knows."""

    def __init__(self, *known: str) -> None:
        self.known = set(known)
        self.jobs = self._table(
            lambda job: (job.event_context_id, job.source_event_id, job.run_id, job.parent_job_id)
        )
        self.contexts = self._table(lambda row: (row.parent_id, row.run_id, row.pipeline_hash))
        self.events = self._table(lambda event: (event.job_id,))
        self.runs = self._table(
            lambda run: (run.pipeline_hash, run.event_id, run.parent_run_id, run.parent_job_id)
        )
        self.versions = SimpleNamespace(add=lambda version, *_: self.known.add(version))

    def _table(self, references: Callable[[Any], tuple[str | None, ...]]) -> Any:
        def add(row: Any) -> None:
            missing = [each for each in references(row) if each and each not in self.known]
            assert not missing, f"{row} refers to {missing}"
            assert row.id not in self.known
            self.known.add(row.id)

        return SimpleNamespace(add=add)


def write(plan: Plan, *known: str) -> None:
    ledger: Any = Ledger(*known)
    plan.write(ledger, START)


followings = st.builds(
    lambda steps, starts: Next(
        Routing(tuple(Step(f"n{n}", "echo", "handle") for n in range(steps))),
        tuple(a_pipeline(f"p{n}", 3, entries=entries) for n, entries in enumerate(starts)),
    ),
    st.integers(0, 3),
    st.lists(st.integers(1, 3), max_size=3),
)
responses = st.builds(
    lambda kinds, updates: Response(
        events=tuple(EmittedEvent(kind, {"n": n}) for n, kind in enumerate(kinds)),
        state_updates=updates,
    ),
    st.lists(st.sampled_from(["found", "lost"]), max_size=3),
    st.dictionaries(st.sampled_from(["a", "b", "payload", "ductile_x"]), st.integers(0, 9)),
)


def a_plan_and_its_assignment(following: Next, response: Response) -> tuple[Plan, Assignment]:
    assignment = an_assignment(tuple(step.id for step in following.here.steps))
    return a_planner(following).successors(assignment, response, START), assignment


@given(followings, responses)
def test_every_row_refers_to_rows_that_are_there_or_were_written_before(
    following: Next, response: Response
) -> None:
    plan, given_one = a_plan_and_its_assignment(following, response)
    assert given_one.run is not None
    write(plan, given_one.job.id, given_one.event.id, given_one.context.id, given_one.run.id, HASH)


@given(followings, responses)
def test_a_success_writes_one_context_and_one_more_for_each_run_that_it_starts(
    following: Next, response: Response
) -> None:
    plan, given_one = a_plan_and_its_assignment(following, response)
    grown, *seeds = plan.contexts
    assert (grown.parent_id, grown.hop, grown.step_id) == (given_one.context.id, 1, "here")
    assert grown.run_id == given_one.job.run_id
    assert [(seed.parent_id, seed.hop, seed.run_id) for seed in seeds] == [
        (grown.id, 2, start.run.id) for start in plan.starts
    ]


@given(followings, responses)
def test_every_event_has_a_job_for_each_next_step_and_each_entry_of_each_started_run(
    following: Next, response: Response
) -> None:
    plan, given_one = a_plan_and_its_assignment(following, response)
    assert given_one.run is not None
    silent = not response.events
    assert len(plan.events) == (
        min(1, len(following.here.steps)) if silent else len(response.events)
    )
    assert plan.children_in(given_one.run.id) == len(plan.events) * len(following.here.steps)
    assert len(plan.starts) == (0 if silent else len(response.events) * len(following.starts))
    for start in plan.starts:
        assert start.run.open_jobs == plan.children_in(start.run.id) > 0


@given(followings, responses)
def test_all_children_descend_from_the_job_and_stay_in_its_chain(
    following: Next, response: Response
) -> None:
    plan, given_one = a_plan_and_its_assignment(following, response)
    assert {job.parent_job_id for job in plan.jobs} <= {given_one.job.id}
    chains = {job.chain_id for job in plan.jobs}
    chains |= {event.chain_id for event in plan.events}
    chains |= {start.run.chain_id for start in plan.starts}
    assert chains <= {given_one.job.chain_id}


@given(followings, responses)
def test_no_two_children_share_run_step_parent_and_event(
    following: Next, response: Response
) -> None:
    plan, _ = a_plan_and_its_assignment(following, response)
    keys = [(job.run_id, job.step_id, job.parent_job_id, job.source_event_id) for job in plan.jobs]
    assert len(set(keys)) == len(keys)


@given(followings)
def test_a_trigger_starts_one_chain_with_one_context(following: Next) -> None:
    plan = a_planner(following).entrance(Trigger("go", {"n": 1}, "test"), None, START)
    [event], [context] = plan.events, plan.contexts
    assert str(event.chain_id) == event.id
    assert {job.event_context_id for job in plan.jobs} <= {context.id}
    assert len(plan.jobs) == sum(start.run.open_jobs for start in plan.starts)
    write(plan)


def test_a_plugin_that_a_trigger_names_starts_no_pipeline() -> None:
    planner = a_planner(Next(starts=(a_pipeline("p", 1),)))
    plan = planner.entrance(Trigger("go", {}, "test", plugin="echo"), None, START)
    assert (len(plan.jobs), plan.starts) == (1, [])


def test_a_run_as_deep_as_the_limit_is_started_and_one_deeper_is_not() -> None:
    planner = a_planner(Next(starts=(a_pipeline("p", 1),)), depth_limit=3)
    response = Response(events=(EmittedEvent("found", {}),))
    [start] = planner.successors(an_assignment(depth=2), response, START).starts
    assert start.run.depth == 3
    with pytest.raises(TooDeep):
        planner.successors(an_assignment(depth=3), response, START)


def test_a_step_says_what_its_jobs_are_like() -> None:
    step = Step("n", "echo", "poll", workspace=WorkspaceMode.COPY, max_attempts=9)
    [job] = (
        a_planner(Next(Routing((step,)))).successors(an_assignment(("n",)), Response(), START).jobs
    )
    assert (job.command, job.workspace, job.max_attempts) == ("poll", WorkspaceMode.COPY, 9)
