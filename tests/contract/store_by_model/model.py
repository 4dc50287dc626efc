"""What the store has to come to, in the plainest way: values in dictionaries, and no database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ductile.model.ids import ChainId, ContextId, EventId, JobId, RunId, WorkerId
from ductile.model.job import Claim, Job, JobStatus
from ductile.model.run import Failure, Phase, Run, RunStatus
from ductile.storage.interfaces import ChainEnd


class Stale(Exception):
    """A claim that is not, or not any more, the right to settle its job."""


@dataclass
class JobModel:
    """One job as it should stand."""

    id: JobId
    chain: ChainId
    run: RunId
    step: str
    plugin: str
    created_at: datetime
    max_attempts: int
    status: JobStatus = JobStatus.QUEUED
    attempt: int = 0
    interruptions: int = 0
    worker: WorkerId | None = None
    lease_ends: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    due: datetime | None = None
    error: str | None = None
    wrote: ContextId | None = None
    log: dict[int, str] = field(default_factory=dict)
    """What each attempt that has ended came to."""
    logged_at: datetime | None = None

    @property
    def exhausted(self) -> bool:
        """Whether as many attempts as it may have were not cut off."""
        return self.attempt - self.interruptions >= self.max_attempts

    @property
    def seniority(self) -> tuple[datetime, JobId]:
        """Who goes first: whoever could have run for longest."""
        return self.due or self.created_at, self.id

    def ready(self, now: datetime) -> bool:
        """Whether a worker may take it."""
        return self.status is JobStatus.QUEUED and (self.due is None or self.due <= now)

    def agrees(self, job: Job) -> bool:
        """Whether that is what the database says of it."""
        return (
            (job.chain_id, job.run_id, job.step_id, job.plugin, job.created_at)
            == (self.chain, self.run, self.step, self.plugin, self.created_at)
            and (job.status, job.attempt, job.interruptions, job.last_error)
            == (self.status, self.attempt, self.interruptions, self.error)
            and (job.claimed_by, job.lease_expires_at, job.started_at)
            == (self.worker, self.lease_ends, self.started_at)
            and (job.next_retry_at, job.completed_at, job.result_context_id)
            == (self.due, self.ended_at, self.wrote)
        )


@dataclass
class RunModel:
    """One run as it should stand; how many of its jobs are open, its jobs tell."""

    id: RunId
    chain: ChainId
    deadline: datetime | None
    status: RunStatus = RunStatus.RUNNING
    phase: Phase = Phase.MAIN
    ending: RunStatus | None = None
    reason: str | None = None
    failure: Failure | None = None
    ended_at: datetime | None = None

    def agrees(self, run: Run) -> bool:
        """Whether that is what the database says of it."""
        return (run.status, run.phase, run.ending, run.deadline_at) == (
            self.status,
            self.phase,
            self.ending,
            self.deadline,
        ) and (run.reason, run.failure, run.completed_at) == (
            self.reason,
            self.failure,
            self.ended_at,
        )


@dataclass
class StoreModel:
    """All that was ever committed."""

    jobs: dict[JobId, JobModel] = field(default_factory=dict)
    runs: dict[RunId, RunModel] = field(default_factory=dict)
    events: dict[EventId, ChainId] = field(default_factory=dict)
    contexts: dict[ContextId, ChainId] = field(default_factory=dict)

    # --- what is asked ------------------------------------------------------------------------

    def of_run(self, run: RunId) -> list[JobModel]:
        """The jobs of a run."""
        return [job for job in self.jobs.values() if job.run == run]

    def events_of(self, chain: ChainId) -> set[EventId]:
        """The events of a chain."""
        return {event for event, of in self.events.items() if of == chain}

    def contexts_of(self, chain: ChainId) -> set[ContextId]:
        """The contexts of a chain."""
        return {context for context, of in self.contexts.items() if of == chain}

    def open_jobs(self, run: RunId) -> list[JobModel]:
        """Those that are not terminal."""
        return [job for job in self.of_run(run) if not job.status.terminal]

    def running(self, by: datetime | None = None) -> list[JobId]:
        """Running jobs, oldest first; those whose lease had ended by a moment, if one is given."""
        found = [
            job
            for job in self.jobs.values()
            if job.status is JobStatus.RUNNING
            and (by is None or (job.lease_ends is not None and job.lease_ends <= by))
        ]
        return [job.id for job in sorted(found, key=lambda job: (job.created_at, job.id))]

    def next_due(self) -> datetime | None:
        """When the first job that waits may go on."""
        return min((job.due for job in self.jobs.values() if job.due is not None), default=None)

    def overdue(self, now: datetime) -> set[RunId]:
        """Running runs that nobody ends and that have had their time."""
        return {
            run.id
            for run in self.runs.values()
            if run.status is RunStatus.RUNNING
            and run.ending is None
            and run.deadline is not None
            and run.deadline <= now
        }

    def moments_after(self, now: datetime) -> list[datetime]:
        """When waits, leases and runs have had their time, the next one first."""
        jobs, runs = self.jobs.values(), self.runs.values()
        moments = {
            *(job.due for job in jobs if job.due),
            *(job.lease_ends for job in jobs if job.lease_ends),
            *(run.deadline for run in runs if run.deadline),
        }
        return sorted(moment for moment in moments if moment > now)

    def stopping(self) -> set[JobId]:
        """Running jobs that should not run any more."""
        return {
            job_id
            for job_id in self.running()
            if (run := self.runs[self.jobs[job_id].run]).ending and run.phase is not Phase.FINALLY
        }

    def chain_end(self, job: JobModel) -> ChainEnd:
        """How far the chain of a job is, as the janitor asks."""
        chain = [each for each in self.jobs.values() if each.chain == job.chain]
        open_jobs = sum(not each.status.terminal for each in chain)
        logged = [each.logged_at for each in chain if each.logged_at is not None]
        return ChainEnd(job.chain, open_jobs, max(logged, default=None))

    # --- what is done -------------------------------------------------------------------------

    def claim(
        self,
        worker: WorkerId,
        limit: int,
        lease: timedelta,
        now: datetime,
        parallelism: Mapping[str, int],
    ) -> list[JobId]:
        """One job after the other, as long as its plugin has room."""
        taken: list[JobId] = []
        for job in sorted(self._ready(now), key=lambda job: job.seniority):
            busy = sum(
                each.plugin == job.plugin and each.status is JobStatus.RUNNING
                for each in self.jobs.values()
            )
            if len(taken) == limit:
                break
            if busy >= parallelism.get(job.plugin, busy + 1):
                continue
            job.status, job.attempt, job.worker = JobStatus.RUNNING, job.attempt + 1, worker
            job.lease_ends, job.started_at, job.due = now + lease, now, None
            taken.append(job.id)
        return taken

    def _ready(self, now: datetime) -> Iterator[JobModel]:
        return (job for job in self.jobs.values() if job.ready(now))

    def renew(self, claims: Iterable[Claim], lease: timedelta, now: datetime) -> int:
        """Those that are still good."""
        renewed = 0
        for claim in claims:
            with suppress(Stale):
                self.held(claim).lease_ends = now + lease
                renewed += 1
        return renewed

    def held(self, claim: Claim) -> JobModel:
        """The job that a claim still is the right to."""
        job = self.jobs[claim.job_id]
        if job.status is not JobStatus.RUNNING:
            raise Stale
        if (job.attempt, job.worker) != (claim.attempt, claim.worker):
            raise Stale
        return job

    def settle(
        self, claim: Claim, status: JobStatus, label: str, now: datetime, error: str | None
    ) -> JobModel:
        """End the attempt of a claim; a job that is queued again still has to be told until when
        it waits, or that the attempt does not count."""
        job = self.held(claim)
        job.status, job.error, job.worker, job.lease_ends = status, error, None, None
        job.ended_at = now if status.terminal else None
        job.log[claim.attempt] = label
        job.logged_at = now
        return job

    def cancel(self, run: RunId, now: datetime, reason: str) -> list[JobId]:
        """Every queued job of a run."""
        queued = [job for job in self.of_run(run) if job.status is JobStatus.QUEUED]
        for job in queued:
            job.status, job.error, job.ended_at = JobStatus.CANCELLED, reason, now
            job.due = None
        return [job.id for job in sorted(queued, key=lambda job: (job.created_at, job.id))]

    def close(self, run_id: RunId, now: datetime) -> None:
        """End a run that has nothing left to do."""
        run = self.runs[run_id]
        if run.status is RunStatus.RUNNING and not self.open_jobs(run_id):
            run.status = run.ending or (RunStatus.FAILED if run.failure else RunStatus.SUCCEEDED)
            run.reason = run.reason or (run.failure.error if run.failure else None)
            run.ended_at = now
