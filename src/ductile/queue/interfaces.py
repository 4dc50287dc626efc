"""The durable queue: who may ask what of it, inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from ductile.model.ids import ContextId, JobId, RunId, WorkerId
from ductile.model.job import Claim, Job, JobStatus
from ductile.model.outcome import Attempt


class JobQueue(Protocol):
    """The durable list of work.

    A job belongs to one worker at a time. If that worker vanishes the job is handed out
    again, so a job may run twice but is never lost, and it settles exactly once: every
    change to a running job needs the claim of its current attempt and raises `LeaseLost`
    with any other. All of it happens in the transaction that the queue was taken from.
    """

    def add(self, job: Job) -> None:
        """Put a queued job on the list.

        Raises DuplicateJob if its run, step, parent job and source event already have one,
        and StorageError if a row that it refers to does not exist.
        """

    def claim(
        self,
        worker: WorkerId,
        *,
        limit: int,
        lease: timedelta,
        now: datetime,
        parallelism: Mapping[str, int],
    ) -> Sequence[Job]:
        """Take up to `limit` ready jobs, oldest first, and mark them running.

        Ready means queued and, if it waits for its next attempt, due at `now`. The attempt
        number goes up by one. `parallelism` maps plugins to the most jobs of theirs that may
        run at once, on all workers together; jobs of a plugin at its limit are passed over,
        not waited for. A plugin that is not named has no limit. The cost does not grow with
        the number of jobs that are finished, not yet due, or passed over.
        """

    def renew(self, claims: Iterable[Claim], *, lease: timedelta, now: datetime) -> int:
        """Extend the leases of these claims; returns how many of them are still good."""

    def finish(
        self,
        claim: Claim,
        status: JobStatus,
        *,
        now: datetime,
        error: str | None = None,
        wrote: ContextId | None = None,
    ) -> None:
        """Make the job terminal. Raises LeaseLost when the claim is not the current one.

        `wrote` is the context row of its success, written before in the same transaction.
        """

    def retry(self, claim: Claim, *, due: datetime, error: str) -> None:
        """Queue the job again for an attempt at `due`. Raises LeaseLost like `finish`."""

    def give_back(self, claim: Claim, *, error: str) -> None:
        """Queue the job again at once, the attempt not counted. Raises LeaseLost like `finish`."""

    def cancel(self, run_id: RunId, *, now: datetime, reason: str) -> Sequence[JobId]:
        """Make all queued jobs of a run cancelled, with `reason` as their last error.

        Returns them, oldest first. Those that run are left alone: their claims stay good.
        """

    def log(self, claim: Claim, attempt: Attempt, *, status: str) -> None:
        """Write the `job_log` row of one attempt; there is one per job and attempt at the most."""

    def running(self, *, expired_at: datetime | None) -> Sequence[Job]:
        """Running jobs, oldest first: all, or those whose lease had ended at `expired_at`."""

    def get(self, job_id: JobId) -> Job | None:
        """The job as it stands."""

    def next_due(self) -> datetime | None:
        """When the next waiting job is due; None if none waits."""
