"""The context ledger: append-only, inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ductile.model.context import Context
from ductile.model.ids import ContextId


class ContextLedger(Protocol):
    """The immutable record of what was known at every hop.

    There is no way to change or delete a row, and the schema refuses it too.
    """

    def add(self, context: Context) -> None:
        """Write one row. Raises StorageError if its parent does not exist."""

    def get(self, context_id: ContextId) -> Context | None:
        """The row of that id."""

    def lineage(self, context_id: ContextId) -> Sequence[Context]:
        """The row and all that it grew from, root first."""
