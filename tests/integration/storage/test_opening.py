"""What can be wrong with a database file, and what is said about it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest

from ductile.errors import DatabaseLocked, DatabaseTooNew, StorageError
from ductile.storage.sqlite import holder, open_store
from ductile.storage.sqlite.migrate import migrations
from tests.support.builders import stored_job
from tests.support.clock import FakeClock

CLOCK = FakeClock()
NEEDED = len(migrations())
both = pytest.mark.parametrize("read_only", [False, True], ids=["to write", "to read"])


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "ductile.db"


def made(path: Path) -> Path:
    open_store(path, CLOCK).close()
    return path


def changed(path: Path, statement: str) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(statement)
    connection.close()


@contextmanager
def unprivileged() -> Iterator[Path]:
    """A directory that the process may read and not write to."""
    directory = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    try:
        made(directory / "ductile.db").chmod(0o444)
        directory.chmod(0o555)
        if root:
            os.seteuid(65534)
        yield directory
    finally:
        if root:
            os.seteuid(0)
        directory.chmod(0o755)
        for file in directory.iterdir():
            file.unlink()
        directory.rmdir()


def test_a_new_database_is_private_to_its_owner(database: Path) -> None:
    assert made(database).stat().st_mode & 0o777 == 0o600


def test_a_new_database_is_at_the_newest_version(database: Path) -> None:
    connection = apsw.Connection(str(made(database)))
    found = connection.execute("SELECT version, name, applied_at FROM schema_version").fetchall()
    connection.close()
    assert found[-1] == (NEEDED, "lean_contexts", "2026-02-14T12:00:00.000000Z")


def test_opening_again_changes_nothing(database: Path) -> None:
    with closing(open_store(database, CLOCK)) as store:
        job = stored_job(store)
    with closing(open_store(database, CLOCK)) as store:
        assert store.read(lambda tx: tx.jobs.get(job.id)) == job


@both
def test_a_database_of_a_later_program_is_refused(database: Path, read_only: bool) -> None:
    changed(made(database), "INSERT INTO schema_version VALUES (8, 'later', 'x')")
    expected = f"is at version 8, this program knows up to {NEEDED} — use the program that wrote"
    with pytest.raises(DatabaseTooNew, match=expected):
        open_store(database, CLOCK, read_only=read_only)


@both
def test_a_file_that_is_no_database_is_refused(database: Path, read_only: bool) -> None:
    database.write_text("these are not the rows you are looking for\n" * 100)
    with pytest.raises(StorageError, match=r"not an SQLite database .* — move the file away"):
        open_store(database, CLOCK, read_only=read_only)


@both
def test_a_database_of_another_program_is_refused_and_left_alone(
    database: Path, read_only: bool
) -> None:
    changed(database, "CREATE TABLE songs (title)")
    before = database.read_bytes()
    with pytest.raises(StorageError, match="made by another program"):
        open_store(database, CLOCK, read_only=read_only)
    assert database.read_bytes() == before


@both
def test_a_damaged_database_is_refused(database: Path, read_only: bool) -> None:
    made(database)
    content = database.read_bytes()
    database.write_bytes(content[:100] + bytes(4096 - 100) + content[4096:])
    with pytest.raises(StorageError, match=r"damaged .* — stop the gateway and restore a copy"):
        open_store(database, CLOCK, read_only=read_only)


@both
def test_a_directory_in_the_way_is_named(database: Path, read_only: bool) -> None:
    database.mkdir()
    with pytest.raises(StorageError, match="expected a file, found a directory"):
        open_store(database, CLOCK, read_only=read_only)


@both
def test_a_directory_that_is_missing_is_named(tmp_path: Path, read_only: bool) -> None:
    with pytest.raises(StorageError, match=f'there is no directory "{tmp_path}/data" — make it'):
        open_store(tmp_path / "data" / "ductile.db", CLOCK, read_only=read_only)


def test_a_directory_that_cannot_be_written_is_named() -> None:
    with unprivileged() as directory, pytest.raises(StorageError, match="make its directory"):
        open_store(directory / "new.db", CLOCK)


def test_a_gateway_that_cannot_write_its_lock_says_so() -> None:
    with unprivileged() as directory, pytest.raises(StorageError, match="Permission denied — make"):
        open_store(directory / "ductile.db", CLOCK, exclusive=True)


def test_a_database_that_cannot_be_written_is_refused_with_a_remedy() -> None:
    with unprivileged() as directory, pytest.raises(StorageError, match=r"database .* — "):
        open_store(directory / "ductile.db", CLOCK).check()


# Reading only


def test_reading_a_database_that_is_not_there_makes_none(database: Path) -> None:
    with pytest.raises(StorageError, match='start the gateway once, with "ductile serve"'):
        open_store(database, CLOCK, read_only=True)
    assert list(database.parent.iterdir()) == []


def test_reading_a_database_of_an_earlier_version_leaves_it_as_it_is(database: Path) -> None:
    database.touch()
    with pytest.raises(StorageError, match=f"is at version 0, this program needs {NEEDED} — start"):
        open_store(database, CLOCK, read_only=True)
    assert database.read_bytes() == b""


def test_a_reader_sees_what_a_gateway_writes_meanwhile(database: Path) -> None:
    with closing(open_store(database, CLOCK, exclusive=True)) as gateway:
        reader = open_store(database, CLOCK, read_only=True)
        job = stored_job(gateway)
        found = reader.read(lambda tx: tx.jobs.get(job.id))
        reader.close()
    assert found == job


def test_a_reader_cannot_write(database: Path) -> None:
    with (
        closing(open_store(made(database), CLOCK, read_only=True)) as reader,
        pytest.raises(StorageError, match="opened for reading only"),
    ):
        stored_job(reader)


def test_a_reader_leaves_no_files_behind(database: Path) -> None:
    made(database)
    with closing(open_store(database, CLOCK, read_only=True)) as reader:
        reader.check()
    assert [file.name for file in database.parent.iterdir()] == [database.name]


# The gateway's lock


def test_nobody_holds_a_database_that_is_not_served(database: Path) -> None:
    with closing(open_store(database, CLOCK)):
        assert holder(database) is None


def test_a_gateway_is_the_holder_while_it_serves(database: Path) -> None:
    gateway = open_store(database, CLOCK, exclusive=True)
    serving = holder(database)
    gateway.close()
    assert (serving, holder(database)) == (os.getpid(), None)


def test_a_second_name_of_the_same_database_is_locked_too(database: Path) -> None:
    other = database.with_name("alias.db")
    with closing(open_store(database, CLOCK, exclusive=True)):
        other.symlink_to(database)
        with pytest.raises(DatabaseLocked):
            open_store(other, CLOCK, exclusive=True)


def test_asking_for_the_holder_does_not_let_go_of_the_lock(database: Path) -> None:
    with closing(open_store(database, CLOCK, exclusive=True)):
        holder(database)
        with pytest.raises(DatabaseLocked):
            open_store(database, CLOCK, exclusive=True)


def test_a_gateway_that_could_not_open_its_database_lets_go_of_the_lock(database: Path) -> None:
    database.write_text("no database\n" * 100)
    with pytest.raises(StorageError):
        open_store(database, CLOCK, exclusive=True)
    assert holder(database) is None


def test_closing_twice_does_not_take_the_lock_from_the_next_gateway(database: Path) -> None:
    first = open_store(database, CLOCK, exclusive=True)
    first.close()
    with closing(open_store(database, CLOCK, exclusive=True)):
        first.close()
        assert holder(database) == os.getpid()
