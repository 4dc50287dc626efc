"""Random pipelines, settled in random order, held against a simple model."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from ductile.dispatch.assignment import PinnedVersions, load
from ductile.dispatch.interfaces import Accepted, Trigger
from ductile.dispatch.settle import Settler
from ductile.documents.yaml import parse
from ductile.dsl.compiler import compile_documents
from ductile.gateway.configuration import UsablePlugins
from ductile.gateway.core import Core, in_force, make_core
from ductile.gateway.verification import make_verifier
from ductile.insights.integrity.verifier import Part
from ductile.model.event import JOINED
from ductile.model.ids import ChainId
from ductile.model.job import Job
from ductile.model.json import Json, JsonObject
from ductile.model.outcome import EmittedEvent, Failed, Outcome, Response, Succeeded
from ductile.model.run import Phase, RunStatus
from ductile.storage.interfaces import ChainRecords
from ductile.storage.sqlite import open_store
from ductile.telemetry.hub import Telemetry
from tests.integration.language.model import (
    ON,
    OVER,
    Element,
    Expected,
    Group,
    Split,
    Use,
    expectation,
    prepared,
    written,
)
from tests.support.builders import LEASE, WORKER, an_attempt
from tests.support.clock import FakeClock
from tests.support.scripts import OK
from tests.support.site import Site

#: More jobs than this show nothing that fewer do not.
MOST_JOBS = 60

conditions = st.none() | st.tuples(st.sampled_from(["left", "right", "n"]), st.integers(0, 1))
emissions = st.lists(st.tuples(st.sampled_from([ON, ON, OVER]), st.integers(0, 1)), max_size=3)
rarely = st.sampled_from([False, False, False, False, False, True])
now_and_then = st.sampled_from([False, False, True])
uses = st.builds(Use, conditions, rarely, rarely, emissions, now_and_then)


def elements(depth: int) -> st.SearchStrategy[Element]:
    if depth == 0:
        return uses
    inner = elements(depth - 1)
    groups = st.builds(Group, st.lists(inner, min_size=1, max_size=3), conditions, rarely)
    splits = st.builds(Split, st.lists(inner, min_size=1, max_size=3), conditions, rarely)
    return st.one_of(uses, groups, splits)


phases: st.SearchStrategy[list[Element]] = st.lists(elements(1), max_size=2)


class Engine:
    """Everything but processes: attempts are made up, and settled when the test says so."""

    def __init__(self, core: Core, settler: Settler, database: apsw.Connection) -> None:
        self.core = core
        self._database = database
        #: No plugin ever runs here, so only what it says of the ledger means something.
        self.verifier = make_verifier(core.settings, core.store, core.clock)
        self._settler = settler
        self._pinned = PinnedVersions()
        self._intake = core.intake(lambda: None)

    def exchange(self, pipeline: JsonObject) -> None:
        """Make this the only pipeline."""
        current = self.core.current()
        document, problems = parse(json.dumps({"pipelines": [pipeline]}).encode(), "p.yaml")
        assert document is not None, problems
        plugins = UsablePlugins(current.settings, current.registry)
        catalogue, found = compile_documents([document], plugins)
        assert catalogue is not None, found
        self.core.current.exchange(in_force(current.settings, current.registry, catalogue))

    def send(self, flags: JsonObject) -> Accepted:
        return self._intake.accept(Trigger("begun", flags, "test"))

    def claim(self) -> list[Job]:
        now = self.core.clock.now()
        return list(
            self.core.store.write(
                lambda tx: tx.jobs.claim(WORKER, limit=100, lease=LEASE, now=now, parallelism={})
            )
        )

    def settle(self, job: Job, step: Use) -> None:
        outcome: Outcome = Failed("on purpose", retry=False)
        if not step.fails:
            events = tuple(EmittedEvent(kind, {"n": n}) for kind, n in step.emits)
            outcome = Succeeded(Response(None, events, {step.name: True}))
        assignment = load(self.core.store, self._pinned, job)
        self._settler.apply(assignment, an_attempt(outcome))

    def contexts(self) -> set[str]:
        """All that were ever written."""
        return {found for (found,) in self._database.execute("SELECT id FROM event_context")}

    def chain(self, accepted: Accepted) -> ChainRecords:
        chain_id = ChainId(accepted.event_id)
        return self.core.store.read(lambda tx: tx.views.chain(chain_id))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    root: Path = tmp_path_factory.mktemp("by-chance")
    site, clock, telemetry = Site(root), FakeClock(), Telemetry()
    site.plugin("work", OK)
    configuration = site.read()
    with (
        closing(open_store(root / "ductile.db", clock)) as store,
        closing(apsw.Connection(str(root / "ductile.db"))) as database,
    ):
        core = make_core(configuration, store, clock, telemetry)
        settler = Settler(
            store, core.planner, core.conductor, core.policies, clock, telemetry, lambda: 0.0
        )
        yield Engine(core, settler, database)


@given(st.data())
def test_every_step_runs_as_often_as_the_model_says_in_whatever_order_jobs_end(
    engine: Engine, data: st.DataObject
) -> None:
    main = prepared(data.draw(st.lists(elements(2), min_size=1, max_size=4), "main"), "m")
    on_failure = prepared(data.draw(phases, "on_failure"), "o")
    finally_ = prepared(data.draw(phases, "finally"), "f")
    flags: dict[str, Json] = {key: data.draw(st.integers(0, 1)) for key in ("left", "right")}
    first, later = expectation(main, on_failure, finally_, flags)
    jobs = sum(first.ran.values()) + sum(later.ran.values())
    assume(jobs <= MOST_JOBS)
    pipeline: dict[str, Json] = {"name": "p", "on": "begun", "steps": written(main)}
    for key, steps in (("on_failure", on_failure), ("finally", finally_)):
        if steps:
            pipeline[key] = written(steps)
    engine.exchange(pipeline)
    uses_by_name = {step.name: step for step in _uses([*main, *on_failure, *finally_])}
    before = engine.contexts()
    accepted = engine.send(flags)
    running = engine.claim()
    while running:
        job = running.pop(data.draw(st.integers(0, len(running) - 1)))
        assert job.step_id is not None
        engine.settle(job, uses_by_name[job.step_id])
        running += engine.claim()
    event(f"joins: {len(first.passed)}")
    event(f"failed: {first.failed}")
    records = engine.chain(accepted)
    _compare(engine, records, first, later)
    _compare_end(records, first, later, on_failure, finally_)
    if records.jobs:
        assert {context.id for context in records.contexts} == engine.contexts() - before
    verdict = engine.verifier.verify(Part(ChainId(accepted.event_id)))
    assert verdict.ledger == (), "what was written has to be what verifying expects"


def _compare(engine: Engine, records: ChainRecords, first: Expected, later: Expected) -> None:
    ran = Counter(job.step_id for job in records.jobs)
    assert ran == first.ran + later.ran
    assert Counter(skip.step_id for skip in records.skips) == first.skipped + later.skipped
    [run] = records.runs
    progress = engine.core.store.read(lambda tx: tx.joins.progress(run.id))
    assert progress.passed == first.passed | later.passed
    names = {job.id: str(job.step_id) for job in records.jobs}
    contexts = {context.id: context.baggage for context in records.contexts}
    read = Counter(
        (names[job.id], frozenset(contexts[job.event_context_id]) & set(names.values()))
        for job in records.jobs
        if job.step_id in first.ran
    )
    assert read == first.read
    results = Counter(_results(event.payload) for event in records.events if event.type == JOINED)
    assert first.results <= results


def _compare_end(
    records: ChainRecords,
    first: Expected,
    later: Expected,
    on_failure: list[Element],
    finally_: list[Element],
) -> None:
    [run] = records.runs
    phase = Phase.ON_FAILURE if first.failed and on_failure else Phase.MAIN
    assert run.phase is (Phase.FINALLY if finally_ else phase)
    failed = first.failed or later.failed
    assert run.status is (RunStatus.FAILED if failed else RunStatus.SUCCEEDED)
    assert run.open_jobs == 0
    assert (run.failure is None) == (run.reason is None) == (not failed)


def _results(payload: JsonObject) -> tuple[str, ...]:
    results = payload["results"]
    assert isinstance(results, list)
    return tuple(sorted(str(each["step"]) for each in results if isinstance(each, dict)))


def _uses(steps: list[Element]) -> Iterator[Use]:
    for step in steps:
        match step:
            case Use():
                yield step
            case Group():
                yield from _uses(step.steps)
            case Split():
                yield from _uses(step.branches)
