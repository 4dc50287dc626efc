"""Databases of earlier versions, with an event in them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

import apsw

from ductile.model.ids import EventId
from ductile.storage.sqlite import migrate

TIME: Final = "2026-02-14T11:00:00.000000Z"
#: The only event, from outside.
OLD: Final = EventId("old")


def database_at(version: int, path: Path, *, dedupe_key: str | None = None) -> Path:
    """A database as the program of that version left it."""
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for each in migrate.migrations()[:version]:
            connection.execute(each.script)
            connection.execute(
                "INSERT INTO schema_version VALUES (?, ?, ?)", (each.version, each.name, TIME)
            )
        connection.execute(
            "INSERT INTO event (id, type, payload, source, created_at, chain_id, dedupe_key) "
            "VALUES (:id, 'a.b', '{}', 'api', :at, :id, :key)",
            {"id": OLD, "at": TIME, "key": dedupe_key},
        )
    return path
