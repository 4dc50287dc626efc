"""Two workers, each with a handle of its own on one database, and the model of it all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from ductile.errors import LeaseLost
from ductile.model.context import Context
from ductile.model.event import Event
from ductile.model.ids import ContextId, RunId, WorkerId
from ductile.model.job import Claim, Job, JobStatus
from ductile.model.outcome import (
    Attempt,
    Crashed,
    Failed,
    Interrupted,
    Outcome,
    Response,
    Succeeded,
    TimedOut,
)
from ductile.model.run import Failure, Phase, Run, RunStatus
from ductile.storage.interfaces import Store, Transaction
from tests.contract.store_by_model.model import JobModel, RunModel, Stale, StoreModel
from tests.support.builders import (
    HASH,
    a_context,
    a_failure,
    a_file,
    a_job,
    a_run,
    an_attempt,
    an_event,
)
from tests.support.clock import FakeClock

T = TypeVar("T")
#: Draws a value, as the `draw` of a data object does.
Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]

PLUGINS: Final = ("a", "b")
WORKERS: Final = (WorkerId("one"), WorkerId("two"))
MAX_ATTEMPTS: Final = 3
#: What an attempt that did not succeed came to: the label in `job_log`, and
#: how to make its outcome of an error.
OUTCOMES: Final[Mapping[str, Callable[[str], Outcome]]] = {
    "failed": Failed,
    "timed_out": TimedOut,
    "crashed": Crashed,
    "interrupted": Interrupted,
}

durations = st.integers(1, 40).map(lambda seconds: timedelta(seconds=seconds))
workers = st.sampled_from(WORKERS)
plugins = st.sampled_from(PLUGINS)
phases = st.sampled_from([*Phase, Phase.FINALLY])


class Broken(Exception):
    """Raised in the middle of a transaction."""


class World(RuleBasedStateMachine):
    """What the rules work on: each writes to the database, then does the same to the model."""

    def __init__(self) -> None:
        super().__init__()
        self._ends = ExitStack()
        self._folder = Path(self._ends.enter_context(tempfile.TemporaryDirectory()))
        self.clock = FakeClock()
        self.model = StoreModel()
        self.claims: list[Claim] = []
        """Every one that was ever handed out."""
        self.stores: dict[WorkerId, Store] = {}
        self.open()

    def open_in(self, folder: Path) -> Store:
        """A handle on the database of a folder; each kind of store has a machine of its own."""
        raise NotImplementedError

    def open(self) -> None:
        """What a process does when it starts."""
        for worker in WORKERS:
            self.stores[worker] = self.open_in(self._folder)

    def close(self) -> None:
        """What is left when all processes end."""
        for store in self.stores.values():
            store.close()

    def teardown(self) -> None:
        with self._ends, closing(self.stores[WORKERS[0]]), closing(self.stores[WORKERS[1]]):
            pass

    def read(self, work: Callable[[Transaction], T]) -> T:
        return self.stores[WORKERS[0]].read(work)

    # --- an event from outside ----------------------------------------------------------------

    def arrival(
        self, names: list[str], deadline: timedelta | None
    ) -> tuple[Event, Context, Run, list[Job]]:
        """All that an accepted event writes."""
        now = self.clock.now()
        event, context = an_event(timestamp=now), a_context()
        run = a_run(
            event, open_jobs=len(names), deadline_at=None if deadline is None else now + deadline
        )
        jobs = [
            self.new_job(event, context, run.id, f"{place}", name)
            for place, name in enumerate(names)
        ]
        return event, context, run, jobs

    def new_job(
        self, event: Event, context: Context, run: RunId, step: str, plugin: str, **fields: object
    ) -> Job:
        return a_job(
            event,
            context,
            plugin=plugin,
            run_id=run,
            step_id=step,
            max_attempts=MAX_ATTEMPTS,
            created_at=self.clock.now(),
            **fields,
        )

    def know(self, event: Event, context: Context, jobs: list[Job]) -> None:
        """Let the model have what was committed."""
        self.model.events[event.id] = event.chain_id
        self.model.contexts[context.id] = event.chain_id
        for job in jobs:
            assert job.run_id is not None
            assert job.step_id is not None
            self.model.jobs[job.id] = JobModel(
                job.id,
                job.chain_id,
                job.run_id,
                job.step_id,
                job.plugin,
                job.created_at,
                job.max_attempts,
            )

    def know_run(self, run: Run) -> None:
        self.model.runs[run.id] = RunModel(run.id, run.chain_id, run.deadline_at)

    # --- the end of an attempt ----------------------------------------------------------------

    def a_run(self, draw: Draw) -> RunModel | None:
        """Any run, if there is one; mostly one that has jobs to do."""
        runs = sorted(self.model.runs)
        busy = [each for each in runs if self.model.open_jobs(each)]
        kinds = [kind for kind in (busy, busy, busy, runs) if kind]
        if not kinds:
            return None
        return self.model.runs[draw(st.sampled_from(draw(st.sampled_from(kinds))))]

    def pick(self, draw: Draw) -> Claim:
        """A claim: one that holds, one that did, or one that never was."""
        held = [self.current(self.model.jobs[each]) for each in self.model.running()]
        past = [claim for claim in self.claims if claim not in held]
        forged = [
            other
            for claim in held
            for other in (
                replace(claim, attempt=claim.attempt - 1),
                replace(claim, attempt=claim.attempt + 1),
                replace(claim, worker=WORKERS[claim.worker == WORKERS[0]]),
            )
        ]
        kinds = [kind for kind in (held, held, held, past, forged) if kind]
        claim: Claim = draw(st.sampled_from(draw(st.sampled_from(kinds))))
        return claim

    @staticmethod
    def current(job: JobModel) -> Claim:
        assert job.worker is not None
        return Claim(job.id, job.attempt, job.worker)

    def settle(self, claim: Claim, work: Callable[[Transaction], None]) -> bool:
        """Run a settlement by the holder of a claim; whether that was the right to it."""
        try:
            self.model.held(claim)
        except Stale:
            stale = True
        else:
            stale = False
        try:
            self.stores[claim.worker].write(work)
        except LeaseLost:
            assert stale, f"{claim} is good, and was refused"
            self.check_that_it_is_lost(claim)
            return False
        assert not stale, f"{claim} is not good, and settled its job"
        return True

    def check_that_it_is_lost(self, claim: Claim) -> None:
        """Each change by itself is refused as well, whatever else would have been."""
        now, store = self.clock.now(), self.stores[claim.worker]
        with pytest.raises(LeaseLost):
            store.write(lambda tx: tx.jobs.finish(claim, JobStatus.FAILED, now=now, error="late"))
        with pytest.raises(LeaseLost):
            store.write(lambda tx: tx.jobs.retry(claim, due=now, error="late"))
        with pytest.raises(LeaseLost):
            store.write(lambda tx: tx.jobs.give_back(claim, error="late"))

    def an_attempt(self, outcome: Outcome) -> Attempt:
        """One that ends now."""
        now = self.clock.now()
        return an_attempt(outcome, started_at=now, completed_at=now)

    def an_end(self, label: str, error: str) -> Attempt:
        """One that came to something else than success."""
        return self.an_attempt(OUTCOMES[label](error))

    def succeed(self, claim: Claim, children: list[str]) -> None:
        """End a job well: one transaction with all that follows."""
        now, job = self.clock.now(), self.model.jobs[claim.job_id]
        context = self.write_context(job)
        event = an_event(timestamp=now, chain_id=job.chain, job_id=job.id)
        jobs = [
            self.new_job(event, context, job.run, f"{job.step}.{n}", name, parent_job_id=job.id)
            for n, name in enumerate(children)
        ]
        artifact = a_file("made")
        attempt = self.an_attempt(Succeeded(Response(), (artifact,)))

        def work(tx: Transaction) -> None:
            tx.contexts.add(context)
            tx.events.add(event)
            tx.jobs.finish(claim, JobStatus.SUCCEEDED, now=now, wrote=context.id)
            tx.jobs.log(claim, attempt, status="succeeded")
            for child in jobs:
                tx.jobs.add(child)
            tx.artifacts.add(job.id, [artifact])
            self.move_on(tx, job.run, len(jobs) - 1, None)

        if self.settle(claim, work):
            self.model.settle(claim, JobStatus.SUCCEEDED, "succeeded", now, None).wrote = context.id
            self.know(event, context, jobs)
            self.known_to_move_on(job.run, None)

    def try_again(self, claim: Claim, label: str, error: str, wait: timedelta) -> bool:
        """Queue a job for its next attempt."""
        now, attempt = self.clock.now(), self.an_end(label, error)

        def work(tx: Transaction) -> None:
            tx.jobs.retry(claim, due=now + wait, error=error)
            tx.jobs.log(claim, attempt, status=label)

        settled = self.settle(claim, work)
        if settled:
            self.model.settle(claim, JobStatus.QUEUED, label, now, error).due = now + wait
        return settled

    def give_back(self, claim: Claim, error: str) -> None:
        """Queue a job at once, as if the attempt had not been."""
        now, attempt = self.clock.now(), self.an_end("interrupted", error)

        def work(tx: Transaction) -> None:
            tx.jobs.give_back(claim, error=error)
            tx.jobs.log(claim, attempt, status="interrupted")

        if self.settle(claim, work):
            job = self.model.settle(claim, JobStatus.QUEUED, "interrupted", now, error)
            job.interruptions += 1

    def end_job(self, claim: Claim, status: JobStatus, label: str, error: str) -> bool:
        """Make a job terminal otherwise than well, and its run with it if it was the last."""
        now, job = self.clock.now(), self.model.jobs[claim.job_id]
        failure = None
        if status is not JobStatus.CANCELLED:
            failure = a_failure(step=job.step, job_id=job.id, plugin=job.plugin, error=error)
        attempt = self.an_end(label, error)

        def work(tx: Transaction) -> None:
            tx.jobs.finish(claim, status, now=now, error=error)
            tx.jobs.log(claim, attempt, status=label)
            self.move_on(tx, job.run, -1, failure)

        settled = self.settle(claim, work)
        if settled:
            self.model.settle(claim, status, label, now, error)
            self.known_to_move_on(job.run, failure)
        return settled

    def move_on(self, tx: Transaction, run_id: RunId, by: int, failure: Failure | None) -> None:
        """Count a run's open jobs, and end it with the last."""
        run = tx.runs.advance(run_id, by=by, failure=failure)
        if run.open_jobs == 0:
            error = run.failure.error if run.failure else None
            usual = RunStatus.FAILED if run.failure else RunStatus.SUCCEEDED
            status, reason = run.ending or usual, run.reason or error
            tx.runs.finish(run_id, status, now=self.clock.now(), reason=reason)

    def known_to_move_on(self, run_id: RunId, failure: Failure | None) -> None:
        run = self.model.runs[run_id]
        run.failure = run.failure or failure
        self.model.close(run_id, self.clock.now())

    def write_context(self, job: JobModel) -> Context:
        """The row that the success of a job writes."""
        stored = self.read(lambda tx: tx.jobs.get(job.id))
        assert stored is not None
        read = self.read(lambda tx: tx.contexts.get(ContextId(stored.event_context_id)))
        return a_context(
            read,
            baggage={"n": len(self.model.contexts)},
            run_id=job.run,
            pipeline_hash=HASH,
            step_id=job.step,
        )
