"""The ledger's rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ductile.model.clock import to_text
from ductile.model.context import Context
from ductile.model.ids import ContextId
from ductile.storage.sqlite import rows
from ductile.storage.sqlite.queries import load
from ductile.storage.sqlite.session import Session

SQL: Final = load("contexts")


class Contexts:
    """The context ledger within one transaction."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, context: Context) -> None:
        values = {
            "id": context.id,
            "parent_id": context.parent_id,
            "run_id": context.run_id,
            "pipeline_hash": context.pipeline_hash,
            "step_id": context.step_id,
            "hop": context.hop,
            "accumulated_json": rows.json_text(context.baggage, "baggage"),
            "created_at": to_text(context.created_at),
        }
        self._session.insert(SQL, values, f"context {context.id}")

    def get(self, context_id: ContextId) -> Context | None:
        row = self._session.row(SQL["get"], {"context_id": context_id})
        return None if row is None else rows.context(row)

    def lineage(self, context_id: ContextId) -> Sequence[Context]:
        found = self._session.rows(SQL["lineage"], {"context_id": context_id})
        return [rows.context(row) for row in found]
