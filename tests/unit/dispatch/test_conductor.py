"""A join goes on with what its branches gave, and says where they disagree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ductile.dispatch.conductor import Conductor, Conflict, Moved, tell
from ductile.dispatch.plan import Origin
from ductile.dispatch.planner import Planner
from ductile.dispatch.privacy import Privacy
from ductile.dsl.catalogue import Catalogue
from ductile.dsl.graph import Join
from ductile.errors import Refused
from ductile.model.context import Context
from ductile.model.event import JOINED, Event
from ductile.model.job import Job, JobStatus
from ductile.model.json import JsonObject
from ductile.model.run import Run, RunStatus
from ductile.router.graph_router import GraphRouter
from ductile.storage.interfaces import Store, Transaction
from ductile.storage.sqlite import open_store
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import BranchesDisagree, RunSettled
from tests.support.builders import (
    a_context,
    a_run,
    an_event,
    claimed,
    stored_arrival,
    stored_job,
)
from tests.support.clock import START, FakeClock
from tests.support.graphs import a_graph, a_step
from tests.support.signals import Signals
from tests.unit.dispatch.building import WORKSPACES, policies

JOIN = "end:join"
BRANCHES = ("left", "middle", "right")
FORK = a_graph(
    "fork",
    *(a_step(each, JOIN) for each in BRANCHES),
    Join(JOIN, ("end",), BRANCHES),
    a_step("end"),
    entries=BRANCHES,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "ductile.db", FakeClock())) as opened:
        yield opened


class Forked:
    """A run whose branches have all ended well and come to one join."""

    def __init__(self, store: Store, *, max_baggage: int = 10_000) -> None:
        self.store = store
        router = GraphRouter(Catalogue({}))
        planner = Planner(
            lambda: router,
            policies("echo"),
            Privacy([], WORKSPACES),
            depth_limit=20,
            max_baggage=max_baggage,
        )
        self.conductor = Conductor(planner, lambda: router)
        self.event: Event = an_event()
        self.run: Run = a_run(self.event, pipeline_hash=FORK.hash, open_jobs=0)
        self.jobs: list[Job] = []
        store.write(self._begun)

    def _begun(self, tx: Transaction) -> None:
        tx.events.add(self.event)
        tx.versions.add(FORK.hash, FORK.name, FORK.definition, START)
        tx.runs.add(self.run)

    def grew(self, baggage: JsonObject, parent: Context | None = None) -> Context:
        """A row of the ledger with exactly this baggage."""
        context = a_context(parent, baggage=baggage)
        self.store.write(lambda tx: tx.contexts.add(context))
        return context

    def arrived(self, *contexts: Context) -> None:
        """One branch for each context, in the order of the file."""
        for position, context in enumerate(contexts):
            branch = BRANCHES[position]
            job = stored_job(self.store, run_id=self.run.id, step_id=branch)
            [taken] = claimed(self.store)
            self.store.write(partial(_succeeded, taken))
            self.again(job, position, context)
            self.jobs.append(job)

    def again(self, job: Job, position: int, context: Context) -> None:
        """An arrival of a branch."""
        source = BRANCHES[position]
        stored_arrival(
            self.store,
            job,
            join_id=JOIN,
            source=source,
            position=position,
            context_id=context.id,
        )

    def conducted(self) -> Moved:
        """The run is moved on."""
        last = Origin(self.event, a_context(), self.run)
        return self.store.write(lambda tx: self.conductor.conduct(tx, self.run, FORK, last, START))

    def end(self) -> Job:
        """The job behind the join."""
        jobs = self.store.read(lambda tx: tx.views.jobs(limit=10))
        [found] = [job for job in jobs if job.step_id == "end"]
        return found

    def merged(self) -> Context:
        """What the join made of the contexts."""
        found = self.store.read(lambda tx: tx.contexts.get(self.end().event_context_id))
        assert found is not None
        return found


def _succeeded(job: Job, tx: Transaction) -> None:
    tx.jobs.finish(job.claim, JobStatus.SUCCEEDED, now=START)


@pytest.fixture
def forked(store: Store) -> Forked:
    return Forked(store)


# What the context holds behind a join


def test_what_each_branch_gave_is_there(forked: Forked) -> None:
    base = forked.grew({"old": 0})
    forked.arrived(*(forked.grew({"old": 0, name: 1}, base) for name in BRANCHES))
    moved = forked.conducted()
    assert forked.merged().baggage == {"old": 0, "left": 1, "middle": 1, "right": 1}
    assert moved.conflicts == []


def test_a_key_that_a_later_branch_merely_inherited_does_not_undo_a_change(
    forked: Forked,
) -> None:
    base = forked.grew({"key": "old"})
    changed = forked.grew({"key": "new"}, base)
    forked.arrived(changed, forked.grew({"key": "old", "mine": 1}, base), base)
    moved = forked.conducted()
    assert forked.merged().baggage == {"key": "new", "mine": 1}
    assert moved.conflicts == []


def test_what_was_inherited_is_what_all_began_with_however_long_the_branches_are(
    forked: Forked,
) -> None:
    root = forked.grew({"key": "oldest"})
    base = forked.grew({"key": "old"}, root)
    long = forked.grew({"key": "new", "n": 2}, forked.grew({"key": "new", "n": 1}, base))
    forked.arrived(long, forked.grew({"key": "old"}, base), base)
    forked.conducted()
    assert forked.merged().baggage == {"key": "new", "n": 2}


def test_where_two_branches_disagree_the_later_one_counts(forked: Forked) -> None:
    base = forked.grew({"key": "old"})
    forked.arrived(*(forked.grew({"key": name}, base) for name in BRANCHES[:2]))
    forked.conducted()
    assert forked.merged().baggage == {"key": "middle"}


def test_a_disagreement_names_the_jobs_and_the_key(forked: Forked) -> None:
    base = forked.grew({"key": "old"})
    forked.arrived(*(forked.grew({"key": name}, base) for name in BRANCHES[:2]))
    left, middle = forked.jobs
    assert forked.conducted().conflicts == [Conflict(JOIN, "key", left.id, middle.id)]


def test_a_disagreement_is_told_once_though_a_third_branch_agrees(forked: Forked) -> None:
    base = forked.grew({})
    forked.arrived(*(forked.grew({"key": value}, base) for value in (1, 2, 2)))
    assert len(forked.conducted().conflicts) == 1


def test_a_branch_that_arrives_twice_does_not_disagree_with_itself(forked: Forked) -> None:
    base = forked.grew({})
    left = forked.grew({"key": 1}, base)
    forked.arrived(left, forked.grew({"key": 2}, base))
    forked.again(forked.jobs[0], 0, left)
    assert len(forked.conducted().conflicts) == 1


def test_branches_that_gave_equal_values_agree(forked: Forked) -> None:
    base = forked.grew({"key": 0})
    forked.arrived(
        forked.grew({"key": {"a": 1, "b": 2}}, base), forked.grew({"key": {"b": 2, "a": 1}}, base)
    )
    assert forked.conducted().conflicts == []


def test_the_merged_row_stands_behind_the_longest_branch(forked: Forked) -> None:
    base = forked.grew({})
    long = forked.grew({}, forked.grew({}, base))
    forked.arrived(long, forked.grew({}, base))
    forked.conducted()
    merged = forked.merged()
    assert (merged.hop, merged.run_id, merged.step_id) == (long.hop + 1, forked.run.id, JOIN)


def test_branches_that_are_too_large_together_are_refused_and_nothing_is_written(
    store: Store,
) -> None:
    forked = Forked(store, max_baggage=100)
    base = forked.grew({})
    forked.arrived(*(forked.grew({name: "x" * 60}, base) for name in BRANCHES[:2]))
    with pytest.raises(Refused):
        forked.conducted()
    assert not store.read(lambda tx: tx.joins.progress(forked.run.id)).passed


# Going on


def test_a_join_says_what_each_branch_came_to(forked: Forked) -> None:
    context = forked.grew({})
    forked.arrived(context, context)
    forked.conducted()
    event = forked.store.read(lambda tx: tx.events.get(forked.end().source_event_id))
    assert event is not None
    assert event.type == JOINED
    results: Any = event.payload["results"]
    assert [(each["step"], each["job_id"]) for each in results] == [
        (name, job.id) for name, job in zip(BRANCHES, forked.jobs, strict=False)
    ]


def test_the_job_behind_a_join_of_several_begins_with_all_their_files(forked: Forked) -> None:
    context = forked.grew({})
    forked.arrived(context, context)
    forked.conducted()
    assert (forked.end().join_id, forked.end().parent_job_id) == (JOIN, forked.jobs[-1].id)


def test_the_job_behind_a_join_that_one_branch_came_to_begins_with_its_files(
    forked: Forked,
) -> None:
    forked.arrived(forked.grew({}))
    forked.conducted()
    assert (forked.end().join_id, forked.end().parent_job_id) == (None, forked.jobs[0].id)


def test_a_job_that_came_twice_counts_once_among_those_whose_files_are_begun_with(
    forked: Forked,
) -> None:
    context = forked.grew({})
    forked.arrived(context)
    forked.again(forked.jobs[0], 2, context)
    forked.conducted()
    assert (forked.end().join_id, forked.end().parent_job_id) == (None, forked.jobs[0].id)


def test_a_run_waits_for_the_job_behind_its_join(forked: Forked) -> None:
    forked.arrived(forked.grew({}))
    run = forked.conducted().run
    assert (run.status, run.open_jobs) == (RunStatus.RUNNING, 1)


def test_a_run_without_anything_left_to_do_is_over(forked: Forked) -> None:
    assert forked.conducted().run.status is RunStatus.SUCCEEDED


# Telling


def test_disagreements_and_the_end_of_a_run_are_told(forked: Forked) -> None:
    signals, telemetry = Signals(), Telemetry()
    telemetry.subscribe(signals)
    run = replace(forked.run, status=RunStatus.SUCCEEDED)
    tell(telemetry, [Moved(run, [Conflict(JOIN, "key", None, None)]), Moved(forked.run)])
    assert signals.heard == [
        BranchesDisagree(run.id, JOIN, "key", None, None),
        RunSettled(run.id, run.pipeline_name, run.status, run.chain_id),
    ]
