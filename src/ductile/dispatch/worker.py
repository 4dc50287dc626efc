"""The worker: one claimed job from its assignment to its settlement."""

from __future__ import annotations

import select
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final, TypeVar

from ductile.dispatch.assignment import Assignment, Claimed, PinnedVersions, load, load_from
from ductile.dispatch.attempt import Attempts
from ductile.dispatch.interfaces import Follow
from ductile.dispatch.settle import Settler
from ductile.errors import LeaseLost, StorageError
from ductile.model.clock import Clock
from ductile.model.job import Job
from ductile.model.outcome import Attempt, Failed
from ductile.plugin.interfaces import StopToken
from ductile.storage.interfaces import Store, Transaction
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import AttemptDiscarded, JobStarted, PartFailed

T = TypeVar("T")

#: Between two tries at what the database does not do.
PAUSE: Final = timedelta(seconds=1)


class _GivenUp(Exception):
    """The dispatcher stopped before the database was well again."""


class Worker:
    """Does one job at a time on the thread that calls it."""

    def __init__(
        self,
        store: Store,
        attempts: Attempts,
        settler: Settler,
        pinned: PinnedVersions,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._store = store
        self._attempts = attempts
        self._settler = settler
        self._pinned = pinned
        self._clock = clock
        self._telemetry = telemetry

    def look_up(self, tx: Transaction, job: Job) -> Claimed:
        """The claimed job with all that it refers to, in the transaction that claimed it."""
        try:
            return Claimed(job, load_from(tx, self._pinned, job))
        except Exception:
            # What cannot be read must not undo the claim, nor what is settled with it.
            return Claimed(job)

    def perform(self, claimed: Claimed, stop: StopToken, follow: Follow) -> Claimed | None:
        """Attempt the job and settle it; returns what `follow` claimed with the settlement.

        Never raises. An outcome that the database does not take (a full disk) is offered
        again until it does or until `stop`; the job then stays claimed, and the next start
        finds it.
        """
        job = claimed.job
        self._telemetry.emit(
            JobStarted(
                job=job.id,
                plugin=job.plugin,
                command=job.command,
                step=job.step_id,
                attempt=f"{job.tries}/{job.max_attempts}",
                chain=job.chain_id,
            )
        )
        try:
            assignment = claimed.assignment or self._insist(
                "load", job, stop, lambda: load(self._store, self._pinned, job)
            )
            attempt = self._attempt(assignment, stop)
            return self._insist(
                "settle", job, stop, lambda: self._settle(assignment, attempt, follow)
            )
        except _GivenUp:
            pass
        except LeaseLost:
            self._telemetry.emit(AttemptDiscarded(job.id, job.attempt))
        except Exception as error:
            self._telemetry.emit(PartFailed("worker", f"job {job.id}: {error!r}"))
        return None

    def _attempt(self, assignment: Assignment, stop: StopToken) -> Attempt:
        started = self._clock.now()
        try:
            return self._attempts.run(assignment, stop)
        except Exception as error:
            return Attempt(
                self._mistake("attempt", assignment.job, error), started, self._clock.now()
            )

    def _settle(self, assignment: Assignment, attempt: Attempt, follow: Follow) -> Claimed | None:
        try:
            return self._settler.apply(assignment, attempt, follow)
        except StorageError:
            raise
        except Exception as error:
            failed = self._mistake("settle", assignment.job, error)
            return self._settler.apply(assignment, replace(attempt, outcome=failed), follow)

    def _mistake(self, part: str, job: Job, error: Exception) -> Failed:
        """A mistake of the core must not hold the job for ever: it counts as a failure.

        The ledger gets no more than the kind of the error, since its text may hold a path.
        """
        self._telemetry.emit(PartFailed(part, f"job {job.id}: {error!r}"))
        return Failed(f"the core failed ({type(error).__name__}); the gateway's log says more")

    def _insist(self, part: str, job: Job, stop: StopToken, work: Callable[[], T]) -> T:
        """Do `work` until the database takes it. Raises _GivenUp when stopped before that."""
        while True:
            try:
                return work()
            except LeaseLost:
                raise
            except StorageError as error:
                self._telemetry.emit(PartFailed(part, f"job {job.id}: {error}"))
                if _asked(stop, within=PAUSE):
                    raise _GivenUp from error


def _asked(stop: StopToken, *, within: timedelta) -> bool:
    """Wait until `stop` is set, but not longer than that; returns whether it is."""
    waiting = select.poll()
    waiting.register(stop.fileno(), select.POLLIN)
    return bool(waiting.poll(within.total_seconds() * 1000))
