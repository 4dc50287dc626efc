"""What a later program does with the database of an earlier one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import apsw
import pytest

from ductile.errors import DatabaseTooNew, StorageError
from ductile.storage.sqlite import migrate, open_store
from tests.support.builders import a_job, stored_job
from tests.support.clock import FakeClock

CLOCK = FakeClock()
NEXT = len(migrate.migrations()) + 1
ADD_COLUMN = "ALTER TABLE job_queue ADD COLUMN colour TEXT;"
HALF_BROKEN = f"{ADD_COLUMN} CREATE TABLE job_queue (id);"

Later: TypeAlias = Callable[[str], None]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database of this program, with nothing in it."""
    path = tmp_path / "ductile.db"
    open_store(path, CLOCK).close()
    return path


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Later]:
    """From the call on, the program is a later one, with one more migration."""
    folder = tmp_path / "migrations"

    def begin(script: str) -> None:
        shutil.copytree(migrate.FOLDER, folder)
        (folder / f"{NEXT:04}_colours.sql").write_text(script)
        monkeypatch.setattr(migrate, "FOLDER", folder)
        migrate.migrations.cache_clear()

    yield begin
    monkeypatch.undo()
    migrate.migrations.cache_clear()


def found(database: Path, statement: str) -> list[tuple[object, ...]]:
    connection = apsw.Connection(str(database))
    rows = connection.execute(statement).fetchall()
    connection.close()
    return rows


def test_opening_applies_what_is_missing_and_keeps_the_rows(database: Path, later: Later) -> None:
    with closing(open_store(database, CLOCK)) as store:
        job = stored_job(store)
    later(ADD_COLUMN)
    with closing(open_store(database, CLOCK)) as store:
        assert store.read(lambda tx: tx.jobs.get(job.id)) == job
    assert found(database, "SELECT colour FROM job_queue") == [(None,)]


def test_what_is_about_to_be_migrated_is_told_and_nothing_else_is(
    database: Path, later: Later, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []

    def opened(path: Path) -> None:
        open_store(path, CLOCK, upgrading=lambda *versions: told.append(versions)).close()

    opened(database)
    opened(tmp_path / "new.db")
    assert told == []
    later(ADD_COLUMN)
    opened(database)
    opened(database)
    assert told == [(NEXT - 1, NEXT)]


def test_every_migration_is_noted_with_its_name(database: Path, later: Later) -> None:
    later(ADD_COLUMN)
    open_store(database, CLOCK).close()
    names = found(database, "SELECT version, name FROM schema_version ORDER BY version")
    assert names[-1] == (NEXT, "colours")


def test_a_migration_that_fails_leaves_the_database_as_it_was(database: Path, later: Later) -> None:
    later(HALF_BROKEN)
    with pytest.raises(StorageError, match="already exists"):
        open_store(database, CLOCK)
    columns = [row[1] for row in found(database, "PRAGMA table_info (job_queue)")]
    version = found(database, "SELECT max(version) FROM schema_version")
    assert ("colour" in columns, version) == (False, [(NEXT - 1,)])


def test_a_migration_that_breaks_a_reference_leaves_the_database_as_it_was(
    database: Path, later: Later
) -> None:
    with closing(open_store(database, CLOCK)) as store:
        job = stored_job(store)
    later("DROP TRIGGER event_is_never_deleted; DELETE FROM event;")
    with pytest.raises(StorageError, match=f'to version {NEXT}: rows of "job_queue" refer to'):
        open_store(database, CLOCK)
    version = found(database, "SELECT max(version) FROM schema_version")
    assert (found(database, "SELECT id FROM job_queue"), version) == ([(job.id,)], [(NEXT - 1,)])


def test_references_are_watched_again_after_a_migration(database: Path, later: Later) -> None:
    later(ADD_COLUMN)
    with closing(open_store(database, CLOCK)) as store:
        job = a_job()
        with pytest.raises(StorageError, match="does not exist"):
            store.write(lambda tx: tx.jobs.add(job))


def test_a_gateway_in_service_is_not_migrated_under_its_feet(database: Path, later: Later) -> None:
    with closing(open_store(database, CLOCK, exclusive=True)):
        later(ADD_COLUMN)
        with pytest.raises(StorageError, match=r"restart the gateway, process \d+, with this"):
            open_store(database, CLOCK)


def test_a_reader_of_a_later_program_does_not_migrate(database: Path, later: Later) -> None:
    later(ADD_COLUMN)
    with pytest.raises(StorageError, match=f"at version {NEXT - 1}, this program needs {NEXT}"):
        open_store(database, CLOCK, read_only=True)


def test_the_earlier_program_refuses_what_the_later_one_has_migrated(
    database: Path, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(ADD_COLUMN)
    open_store(database, CLOCK).close()
    monkeypatch.undo()
    migrate.migrations.cache_clear()
    with pytest.raises(DatabaseTooNew):
        open_store(database, CLOCK)
