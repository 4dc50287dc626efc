"""The rows of joins, and of the steps that were passed by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ductile.errors import Violation
from ductile.model.clock import to_text
from ductile.model.ids import RunId
from ductile.model.run import Progress
from ductile.storage.interfaces import ArrivalRecord, SkipRecord
from ductile.storage.sqlite import rows
from ductile.storage.sqlite.queries import load
from ductile.storage.sqlite.session import Session

SQL: Final = load("joins")


class JoinRows:
    """What runs wait for, within one transaction."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def arrive(self, arrival: ArrivalRecord) -> None:
        values = {
            "run_id": arrival.run_id,
            "join_id": arrival.join_id,
            "position": arrival.position,
            "source": arrival.source,
            "event_id": arrival.event_id,
            "context_id": arrival.context_id,
            "job_id": arrival.job_id,
            "now": to_text(arrival.created_at),
        }
        try:
            self._session.rows(SQL["arrive"], values)
        except Violation as violation:
            raise Violation(
                f'step "{arrival.source}" cannot arrive at join "{arrival.join_id}" of run '
                f"{arrival.run_id}: {violation}"
            ) from violation

    def arrivals(self, run_id: RunId, join_id: str) -> Sequence[ArrivalRecord]:
        found = self._session.rows(SQL["arrivals"], {"run_id": run_id, "join_id": join_id})
        return [rows.arrival(row) for row in found]

    def leave(self, run_id: RunId, join_id: str, now: datetime) -> None:
        values = {"run_id": run_id, "join_id": join_id, "now": to_text(now)}
        try:
            self._session.rows(SQL["leave"], values)
        except Violation as violation:
            if "UNIQUE" not in str(violation):
                raise
            raise Violation(
                f'join "{join_id}" of run {run_id} goes on once, and has gone on already'
            ) from violation

    def progress(self, run_id: RunId) -> Progress:
        return Progress(
            open=self._names("open", run_id),
            failed=self._names("failed", run_id),
            arrived=self._names("arrived", run_id),
            passed=self._names("passed", run_id),
        )

    def skip(self, skip: SkipRecord) -> None:
        values = {
            "run_id": skip.run_id,
            "step_id": skip.step_id,
            "parent_job_id": skip.parent_job_id,
            "event_id": skip.event_id,
            "reason": rows.evidence(skip.reason),
            "now": to_text(skip.created_at),
        }
        self._session.rows(SQL["skip"], values)

    def _names(self, statement: str, run_id: RunId) -> frozenset[str]:
        found = self._session.rows(SQL[statement], {"run_id": run_id})
        return frozenset(name for (name,) in found)
