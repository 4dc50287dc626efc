"""The rows of runs and of the pipeline versions that they are pinned to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ductile.errors import StorageError, Violation
from ductile.model.clock import to_text
from ductile.model.ids import PipelineHash, RunId
from ductile.model.run import Run
from ductile.storage.sqlite import rows
from ductile.storage.sqlite.queries import load
from ductile.storage.sqlite.session import Session

SQL: Final = load("runs")
VERSIONS_SQL: Final = load("versions")


class RunRows:
    """Runs within one transaction."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, run: Run) -> None:
        values = {
            "id": run.id,
            "chain_id": run.chain_id,
            "pipeline_name": run.pipeline_name,
            "pipeline_hash": run.pipeline_hash,
            "event_id": run.event_id,
            "depth": run.depth,
            "created_at": to_text(run.created_at),
            "parent_run_id": run.parent_run_id,
            "parent_job_id": run.parent_job_id,
            "status": run.status.value,
            "open_jobs": run.open_jobs,
            "completed_at": None if run.completed_at is None else to_text(run.completed_at),
            "reason": run.reason,
        }
        self._session.insert(SQL, values, f"run {run.id}")

    def get(self, run_id: RunId) -> Run | None:
        row = self._session.row(SQL["get"], {"run_id": run_id})
        return None if row is None else rows.run(row)

    def advance(self, run_id: RunId, *, by: int, now: datetime, failure: str | None = None) -> Run:
        values = {"run_id": run_id, "by": by, "now": to_text(now), "failure": failure}
        try:
            row = self._session.row(SQL["advance"], values)
        except Violation as violation:
            raise StorageError(
                f"run {run_id} has fewer open jobs than the {-by} that are to end: {violation}"
            ) from violation
        if row is None:
            run = self.get(run_id)
            found = "does not exist" if run is None else f"is over: it {run.status}"
            raise StorageError(f"run {run_id} cannot advance; it {found}")
        return rows.run(row)

    def path(self, run_id: RunId) -> Sequence[Run]:
        return [rows.run(row) for row in self._session.rows(SQL["path"], {"run_id": run_id})]


class VersionRows:
    """Pipeline versions within one transaction."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, pipeline_hash: PipelineHash, name: str, definition: str, now: datetime) -> None:
        values = {
            "hash": pipeline_hash,
            "name": name,
            "definition": definition,
            "now": to_text(now),
        }
        self._session.rows(VERSIONS_SQL["add"], values)

    def get(self, pipeline_hash: PipelineHash) -> str | None:
        row = self._session.row(VERSIONS_SQL["get"], {"hash": pipeline_hash})
        return None if row is None else row[0]
