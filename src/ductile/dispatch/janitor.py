"""The janitor: deletes workspaces that have expired, as the database decides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ductile.model.clock import Clock
from ductile.model.ids import JobId
from ductile.storage.interfaces import ChainEnd, Store
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import WorkspaceNotDeleted, WorkspacesDeleted
from ductile.workspace.interfaces import CleanupReport, WorkspaceKey, WorkspaceManager


class Janitor:
    """Deletes the workspaces of a chain when all its jobs are terminal and the newest
    completion is older than the TTL. The ledger stays."""

    def __init__(
        self,
        store: Store,
        workspaces: WorkspaceManager,
        ttl: timedelta,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._store = store
        self._workspaces = workspaces
        self._ttl = ttl
        self._clock = clock
        self._telemetry = telemetry

    def run_once(self) -> CleanupReport:
        """Delete what has expired by now."""
        # The directories first: one that a job makes meanwhile is not among them.
        names = self._workspaces.names()
        job_ids = sorted({key.job_id for key in names.values() if key is not None})
        ends = self._store.read(lambda tx: tx.views.chain_ends(job_ids))
        before = self._clock.now() - self._ttl
        expired = [name for name, key in names.items() if self._expired(name, key, ends, before)]
        report = self._workspaces.cleanup(expired)
        if report.deleted:
            self._telemetry.emit(WorkspacesDeleted(len(report.deleted)))
        for name, error in report.failures.items():
            self._telemetry.emit(WorkspaceNotDeleted(name, error))
        return report

    def _expired(
        self,
        name: str,
        key: WorkspaceKey | None,
        ends: Mapping[JobId, ChainEnd],
        before: datetime,
    ) -> bool:
        end = ends.get(key.job_id) if key is not None else None
        if end is None:  # the database does not know it, so its own age is all there is
            return self._workspaces.older_than(name, self._ttl)
        if end.open_jobs or end.last_completed_at is None:
            return False
        return end.last_completed_at <= before
