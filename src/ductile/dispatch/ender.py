"""The ender: ends runs before their time, because somebody asks or because it is up."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ductile.dispatch.assignment import PinnedVersions
from ductile.dispatch.conductor import Conductor, before, tell
from ductile.documents.scalars import format_duration
from ductile.errors import NotFound, UsageError
from ductile.model.clock import Clock
from ductile.model.ids import JobId, RunId
from ductile.model.run import Phase, Run, RunStatus
from ductile.storage.interfaces import Store, Transaction
from ductile.telemetry.hub import Telemetry


class Ender:
    """Cancels what is queued, has what is running stopped, and lets `finally` do its work."""

    def __init__(
        self,
        store: Store,
        conductor: Conductor,
        pinned: PinnedVersions,
        clock: Clock,
        telemetry: Telemetry,
        interrupt: Callable[[Iterable[JobId]], None],
    ) -> None:
        """`interrupt` stops the plugins of running jobs, as far as this process is at them."""
        self._store = store
        self._conductor = conductor
        self._pinned = pinned
        self._clock = clock
        self._telemetry = telemetry
        self._interrupt = interrupt

    def cancel(self, run_id: RunId) -> Run:
        """End a run as cancelled; returns it as it stands then.

        It may be running still: until what is running is stopped, and `finally` is done.
        Raises NotFound for no run, and UsageError for one that is over.
        """
        run = self._store.write(lambda tx: self._end(tx, run_id, RunStatus.CANCELLED, "cancelled"))
        self.run_once()
        return run

    def run_once(self) -> int:
        """End the runs whose time is up, and stop what runs that are being ended still do.

        Returns how many runs it ended. To be called every second or so.
        """
        now = self._clock.now()
        overdue = self._store.read(lambda tx: tx.runs.overdue(now))
        for run in overdue:
            allowed = format_duration((run.deadline_at or now) - run.created_at)
            reason = f"not finished within {allowed}, the timeout of the pipeline"
            self._time_out(run, reason)
        self._interrupt(self._store.read(lambda tx: tx.runs.stopping()))
        return len(overdue)

    def _time_out(self, run: Run, reason: str) -> None:
        try:
            self._store.write(lambda tx: self._end(tx, run.id, RunStatus.TIMED_OUT, reason))
        except UsageError:
            return  # it ended by itself meanwhile

    def _end(self, tx: Transaction, run_id: RunId, status: RunStatus, reason: str) -> Run:
        found = tx.runs.get(run_id)
        if found is None:
            raise NotFound(f'no run "{run_id}"; see "ductile run list"')
        if found.status.terminal:
            raise UsageError(f"run {run_id} is over: it ended as {found.status}")
        if found.ending is not None:
            return found
        now = self._clock.now()
        run = tx.runs.end(run_id, status, reason=reason)
        if run.phase is Phase.FINALLY:
            return run  # it is at its end anyway, and what `finally` does is let be
        cancelled = tx.jobs.cancel(run_id, now=now, reason=f"the run was ended: {reason}")
        if not cancelled:
            return run  # what is running still moves it on
        run = tx.runs.advance(run_id, by=-len(cancelled))
        first = tx.jobs.get(cancelled[0])
        assert first is not None, "a job that was cancelled just now"
        pipeline = self._pinned.get(tx, run.pipeline_hash)
        moved = self._conductor.conduct(tx, run, pipeline, before(tx, first, run), now)
        tx.after_commit(lambda: tell(self._telemetry, [moved]))
        return moved.run
