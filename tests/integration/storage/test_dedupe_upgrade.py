"""Dedupe keys in a database of the version before they counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final

import apsw
import pytest

from ductile.storage.interfaces import First, Store
from ductile.storage.sqlite import open_store
from tests.support.clock import START, FakeClock
from tests.support.upgrades import OLD, database_at

#: The version of the database of the last release in which keys were only kept.
BEFORE: Final = 2


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """An event with a key, and nothing that follows from it."""
    return database_at(BEFORE, tmp_path / "ductile.db", dedupe_key="k")


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    with closing(open_store(database, FakeClock())) as opened:
        yield opened


def test_keys_that_were_kept_before_they_counted_do_not_count(store: Store) -> None:
    assert store.read(lambda tx: tx.dedupe.first("event a.b", "k", now=START)) is None


def test_events_of_before_keep_their_keys_as_they_were(store: Store) -> None:
    event = store.read(lambda tx: tx.events.get(OLD))
    assert event is not None
    assert event.dedupe_key == "k"


def test_a_key_counts_from_the_upgrade_on(store: Store) -> None:
    first = First(OLD)
    expires_at = START + timedelta(hours=1)
    store.write(
        lambda tx: tx.dedupe.keep("event a.b", "k", first, now=START, expires_at=expires_at)
    )
    assert store.read(lambda tx: tx.dedupe.first("event a.b", "k", now=START)) == first


def test_nothing_refers_to_what_is_not_there(database: Path) -> None:
    open_store(database, FakeClock()).close()
    with closing(apsw.Connection(str(database))) as connection:
        found = connection.execute("PRAGMA foreign_key_check").fetchall()
        found += connection.execute("PRAGMA integrity_check").fetchall()
    assert found == [("ok",)]
