"""The rows of runs and of the pipeline versions that they are pinned to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ductile.errors import Violation
from ductile.model.clock import to_text
from ductile.model.ids import JobId, PipelineHash, RunId
from ductile.model.run import Failure, Phase, Run, RunStatus
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
            "reason": rows.evidence(run.reason),
            "phase": run.phase.value,
            "failure": _failure_text(run.failure),
            "deadline_at": None if run.deadline_at is None else to_text(run.deadline_at),
            "ending": None if run.ending is None else run.ending.value,
        }
        self._session.insert(SQL, values, f"run {run.id}")

    def get(self, run_id: RunId) -> Run | None:
        row = self._session.row(SQL["get"], {"run_id": run_id})
        return None if row is None else rows.run(row)

    def ending(self, run_id: RunId) -> Run | None:
        row = self._session.row(SQL["ending"], {"run_id": run_id})
        return None if row is None else rows.run(row)

    def advance(self, run_id: RunId, *, by: int, failure: Failure | None = None) -> Run:
        values = {"run_id": run_id, "by": by, "failure": _failure_text(failure)}
        try:
            row = self._session.row(SQL["advance"], values)
        except Violation as violation:
            raise Violation(
                f"run {run_id} has fewer open jobs than the {-by} that are to end: {violation}"
            ) from violation
        if row is None:
            raise self._refusal(run_id, "advance")
        return rows.run(row)

    def move(self, run_id: RunId, phase: Phase) -> None:
        if not self._session.change(SQL["move"], {"run_id": run_id, "phase": phase.value}):
            raise self._refusal(run_id, f'move to "{phase}"')

    def finish(
        self, run_id: RunId, status: RunStatus, *, now: datetime, reason: str | None = None
    ) -> Run:
        if status is RunStatus.RUNNING:
            raise ValueError(f'expected a terminal status, found "{status}"')
        values = {
            "run_id": run_id,
            "status": status.value,
            "now": to_text(now),
            "reason": rows.evidence(reason),
        }
        try:
            row = self._session.row(SQL["finish"], values)
        except Violation as violation:
            raise Violation(f'run {run_id} cannot end as "{status}": {violation}') from violation
        if row is None:
            raise self._refusal(run_id, "end")
        return rows.run(row)

    def end(self, run_id: RunId, status: RunStatus, *, reason: str) -> Run:
        values = {"run_id": run_id, "ending": status.value, "reason": rows.evidence(reason)}
        row = self._session.row(SQL["end"], values)
        if row is None:
            raise self._refusal(run_id, "be ended")
        return rows.run(row)

    def stopping(self) -> Sequence[JobId]:
        return [job_id for (job_id,) in self._session.rows(SQL["stopping"])]

    def overdue(self, now: datetime) -> Sequence[Run]:
        found = self._session.rows(SQL["overdue"], {"now": to_text(now)})
        return [rows.run(row) for row in found]

    def path(self, run_id: RunId) -> Sequence[Run]:
        return [rows.run(row) for row in self._session.rows(SQL["path"], {"run_id": run_id})]

    def _refusal(self, run_id: RunId, what: str) -> Violation:
        run = self.get(run_id)
        found = "does not exist" if run is None else f"is over, as {run.status}"
        return Violation(f"run {run_id} cannot {what}; it {found}")


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


def _failure_text(failure: Failure | None) -> str | None:
    if failure is None:
        return None
    stated = {**failure.as_json(), "error": rows.evidence(failure.error)}
    return rows.json_text(stated, "the failure of a run")
