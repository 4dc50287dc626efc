"""The ledger of a gateway in another process, looked at from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw

from ductile.model.clock import SystemClock
from ductile.model.ids import ChainId
from ductile.storage.sqlite.store import open_store
from tests.support.site import Chain


def chain(database: Path, event_id: str) -> Chain:
    """The chain of an event as it stands."""
    store = open_store(database, SystemClock(), read_only=True)
    try:
        return Chain(store.read(lambda tx: tx.views.chain(ChainId(event_id))))
    finally:
        store.close()


def rows(database: Path, question: str) -> list[tuple[Any, ...]]:
    """The answer to a question in SQL, exactly as it is on disk."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.execute("PRAGMA query_only = ON")
        return [tuple(row) for row in connection.execute(question)]
    finally:
        connection.close()
