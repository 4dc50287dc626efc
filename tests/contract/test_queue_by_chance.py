"""Whatever order things happen in, the queue does what a simple model of it does."""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ductile.errors import LeaseLost
from ductile.model.ids import JobId, RunId
from ductile.model.job import Claim, JobStatus
from ductile.storage.sqlite import open_store
from tests.support.builders import LEASE, WORKER, stored_job, stored_run
from tests.support.clock import FakeClock

PLUGINS = ("a", "b", "c")


@dataclass(frozen=True)
class Known:
    """What the model knows of one job."""

    plugin: str
    run: RunId
    ready_at: datetime
    attempt: int = 0
    interruptions: int = 0
    status: JobStatus = JobStatus.QUEUED
    claim: Claim | None = None


class QueueMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(Path(self.folder.name) / "ductile.db", self.clock)
        self.runs = [stored_run(self.store).id for _ in range(2)]
        self.jobs: dict[JobId, Known] = {}
        self.spent: list[Claim] = []

    def teardown(self) -> None:
        with self.folder, closing(self.store):
            pass

    def running(self) -> list[JobId]:
        return sorted(each for each in self.jobs if self.jobs[each].claim)

    def settled(self, job_id: JobId, **changes: object) -> None:
        known = self.jobs[job_id]
        assert known.claim is not None
        self.spent.append(known.claim)
        self.jobs[job_id] = replace(known, claim=None, **changes)  # type: ignore[arg-type]  # fields of many types

    @rule(seconds=st.integers(1, 20))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @rule(plugin=st.sampled_from(PLUGINS), run=st.integers(0, 1))
    def a_job_is_added(self, plugin: str, run: int) -> None:
        run_id = self.runs[run]
        job = stored_job(self.store, plugin=plugin, created_at=self.clock.now(), run_id=run_id)
        self.jobs[job.id] = Known(plugin, run_id, job.created_at)

    @rule(run=st.integers(0, 1))
    def a_run_is_cancelled(self, run: int) -> None:
        run_id, now = self.runs[run], self.clock.now()
        cancelled = self.store.write(lambda tx: tx.jobs.cancel(run_id, now=now, reason="r"))
        queued = {
            each
            for each, known in self.jobs.items()
            if known.run == run_id and known.status is JobStatus.QUEUED
        }
        assert set(cancelled) == queued
        for job_id in queued:
            self.jobs[job_id] = replace(self.jobs[job_id], status=JobStatus.CANCELLED)

    @rule(
        limit=st.integers(1, 4),
        parallelism=st.dictionaries(st.sampled_from(PLUGINS), st.integers(0, 2)),
    )
    def jobs_are_claimed(self, limit: int, parallelism: dict[str, int]) -> None:
        now = self.clock.now()
        claimed = self.store.write(
            lambda tx: tx.jobs.claim(
                WORKER, limit=limit, lease=LEASE, now=now, parallelism=parallelism
            )
        )
        assert [job.id for job in claimed] == self.expected(limit, now, parallelism)
        for job in claimed:
            known = self.jobs[job.id]
            self.jobs[job.id] = replace(
                known, attempt=known.attempt + 1, status=JobStatus.RUNNING, claim=job.claim
            )

    def expected(self, limit: int, now: datetime, parallelism: dict[str, int]) -> list[JobId]:
        plugins = [self.jobs[each].plugin for each in self.running()]
        room = {name: most - plugins.count(name) for name, most in parallelism.items()}
        chosen: list[JobId] = []
        for job_id in sorted(self.jobs, key=lambda each: (self.jobs[each].ready_at, each)):
            known = self.jobs[job_id]
            ready = known.status is JobStatus.QUEUED and known.ready_at <= now
            if ready and room.get(known.plugin, 1) > 0 and len(chosen) < limit:
                chosen.append(job_id)
                if known.plugin in room:
                    room[known.plugin] -= 1
        return chosen

    @precondition(lambda self: self.running())
    @rule(data=st.data(), wait=st.integers(0, 30))
    def a_job_is_tried_again(self, data: st.DataObject, wait: int) -> None:
        job_id = data.draw(st.sampled_from(self.running()))
        due = self.clock.now() + timedelta(seconds=wait)
        claim = self.jobs[job_id].claim
        assert claim is not None
        self.store.write(lambda tx: tx.jobs.retry(claim, due=due, error="e"))
        self.settled(job_id, status=JobStatus.QUEUED, ready_at=due)

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def a_job_is_given_back(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(self.running()))
        known = self.jobs[job_id]
        claim = known.claim
        assert claim is not None
        created = self.store.read(lambda tx: tx.jobs.get(job_id))
        assert created is not None
        self.store.write(lambda tx: tx.jobs.give_back(claim, error="e"))
        self.settled(
            job_id,
            status=JobStatus.QUEUED,
            ready_at=created.created_at,
            interruptions=known.interruptions + 1,
        )

    @precondition(lambda self: self.running())
    @rule(data=st.data(), status=st.sampled_from([each for each in JobStatus if each.terminal]))
    def a_job_ends(self, data: st.DataObject, status: JobStatus) -> None:
        job_id = data.draw(st.sampled_from(self.running()))
        claim = self.jobs[job_id].claim
        assert claim is not None
        self.store.write(lambda tx: tx.jobs.finish(claim, status, now=self.clock.now()))
        self.settled(job_id, status=status)

    @precondition(lambda self: self.spent)
    @rule(data=st.data())
    def a_spent_claim_settles_nothing(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.spent))
        try:
            self.store.write(lambda tx: tx.jobs.give_back(claim, error="late"))
        except LeaseLost:
            return
        raise AssertionError(f"{claim} was spent and settled the job again")

    @invariant()
    def the_database_agrees(self) -> None:
        stored = self.store.read(lambda tx: tx.views.jobs(limit=1000))
        found = {job.id: (job.status, job.attempt, job.interruptions) for job in stored}
        known = self.jobs.items()
        assert found == {key: (job.status, job.attempt, job.interruptions) for key, job in known}


TestQueueByChance = QueueMachine.TestCase
TestQueueByChance.settings = settings(max_examples=25, stateful_step_count=40)
