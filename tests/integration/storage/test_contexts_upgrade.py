"""Contexts of a database in which each named its parent by id, and its pipeline."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

import apsw
import pytest

from ductile.errors import StorageError
from ductile.storage.sqlite import open_store
from tests.support.clock import FakeClock
from tests.support.upgrades import TIME, database_at

#: The last version of the database that had them so.
BEFORE: Final = 6
ROWS: Final = "SELECT * FROM event_context ORDER BY hop"


def changed(database: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(apsw.Connection(str(database))) as connection:
        return connection.execute(statement, values).fetchall()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A root and what grew from it, whose ids run against their order."""
    path = database_at(BEFORE, tmp_path / "ductile.db")
    for hop, (context_id, parent_id) in enumerate([("c", None), ("b", "c"), ("a", "b")]):
        statement = (
            "INSERT INTO event_context (id, parent_id, hop, accumulated_json, created_at) "
            "VALUES (?, ?, ?, '{}', ?)"
        )
        changed(path, statement, context_id, parent_id, hop, TIME)
    return path


def test_the_rows_look_as_they_did(database: Path) -> None:
    before = changed(database, ROWS)
    open_store(database, FakeClock()).close()
    assert changed(database, ROWS) == before
    assert changed(database, "SELECT id FROM context ORDER BY number") == [("c",), ("b",), ("a",)]


def test_a_row_that_has_lost_its_parent_is_told_of_and_all_stays_as_it_is(database: Path) -> None:
    changed(database, "DROP TRIGGER event_context_is_never_changed")
    changed(database, "UPDATE event_context SET parent_id = 'nobody' WHERE id = 'a'")
    before = changed(database, ROWS)
    with pytest.raises(StorageError, match=r'rows of "context" refer to what does not exist'):
        open_store(database, FakeClock())
    assert changed(database, ROWS) == before
    assert changed(database, "SELECT max(version) FROM schema_version") == [(BEFORE,)]
