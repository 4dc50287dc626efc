"""The inbox in a database of the version before there was one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

import apsw
import pytest

from ductile.model.delivery import DeliveryVerdict
from ductile.storage.sqlite import open_store
from tests.support.builders import a_delivery
from tests.support.clock import FakeClock
from tests.support.upgrades import OLD, database_at

#: The version of the database before the inbox.
BEFORE: Final = 4


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """An event that came from outside, and nothing that follows from it."""
    return database_at(BEFORE, tmp_path / "ductile.db")


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
