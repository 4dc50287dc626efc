"""The inbox in a database of the version before there was one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

import apsw
import pytest

from ductile.model.delivery import DeliveryVerdict
from ductile.model.ids import EventId
from ductile.storage.sqlite import migrate, open_store
from tests.support.builders import a_delivery
from tests.support.clock import FakeClock

#: The version of the database before the inbox.
BEFORE: Final = 4
TIME: Final = "2026-02-14T11:00:00.000000Z"
OLD: Final = EventId("old")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """An event that a webhook brought, and nothing that follows from it."""
    path = tmp_path / "ductile.db"
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for each in migrate.migrations()[:BEFORE]:
            connection.execute(each.script)
            connection.execute(
                "INSERT INTO schema_version VALUES (?, ?, ?)", (each.version, each.name, TIME)
            )
        connection.execute(
            "INSERT INTO event (id, type, payload, source, created_at, chain_id) "
            "VALUES (:id, 'a.b', '{}', 'hook', :at, :id)",
            {"id": OLD, "at": TIME},
        )
    return path


def test_the_inbox_of_an_upgraded_database_is_empty_and_takes_deliveries(database: Path) -> None:
    delivery = a_delivery(verdict=DeliveryVerdict.ACCEPTED, event_id=OLD, reason=None)
    with closing(open_store(database, FakeClock())) as store:
        before = store.read(lambda tx: tx.deliveries.page(limit=9))
        store.write(lambda tx: tx.deliveries.add(delivery))
        after = store.read(lambda tx: tx.deliveries.page(limit=9))
    assert (before, after) == ([], [delivery])


def test_an_upgraded_database_is_sound(database: Path) -> None:
    open_store(database, FakeClock()).close()
    with closing(apsw.Connection(str(database))) as connection:
        found = connection.execute("PRAGMA foreign_key_check").fetchall()
        found += connection.execute("PRAGMA integrity_check").fetchall()
    assert found == [("ok",)]
