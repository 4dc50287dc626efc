"""Migrations: how a database file gets the schema that the program needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import apsw

from ductile.errors import DatabaseTooNew, StorageError
from ductile.model.clock import Clock, to_text
from ductile.storage.sqlite.failures import explain
from ductile.storage.sqlite.queries import load
from ductile.storage.sqlite.session import Row

#: One file per version: `0001_name.sql`.
FOLDER: Final = Path(__file__).parent / "migrations"
SQL: Final = load("schema")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered change of the schema."""

    version: int
    name: str
    script: str


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations that this program knows, in order; their numbers have no gap."""
    found = []
    for file in sorted(FOLDER.glob("*.sql")):
        number, _, name = file.stem.partition("_")
        found.append(Migration(int(number), name, file.read_text(encoding="utf-8")))
    assert [each.version for each in found] == list(range(1, len(found) + 1))
    return tuple(found)


def current_version(connection: apsw.Connection) -> int:
    """The version that the database is at; 0 for an empty file.

    Raises DatabaseTooNew for one that a later program made, and StorageError for one that
    another program made.
    """
    try:
        if _one(connection, "is_empty"):
            return 0
        if not _one(connection, "is_ours"):
            raise StorageError(
                f'database "{connection.filename}" was made by another program — name another '
                'file in "state.url"'
            )
        version = _one(connection, "version")
    except apsw.Error as error:
        raise explain(error, connection.filename) from error
    known = len(migrations())
    if version > known:
        raise DatabaseTooNew(
            f'database "{connection.filename}" is at version {version}, this program knows up to '
            f"{known} — use the program that wrote it, or restore a copy made before"
        )
    return version


def migrate(connection: apsw.Connection, clock: Clock) -> None:
    """Apply what is missing, one transaction each; a failure leaves the version before."""
    missing = migrations()[current_version(connection) :]
    try:
        # A table can only be made anew while nothing watches those that refer to it, and a
        # transaction cannot change that; so each checks all references before it commits.
        connection.execute("PRAGMA foreign_keys = OFF")
        try:
            for migration in missing:
                _apply(connection, migration, clock)
        finally:
            connection.execute("PRAGMA foreign_keys = ON")
    except apsw.Error as error:
        raise explain(error, connection.filename) from error


def _apply(connection: apsw.Connection, migration: Migration, clock: Clock) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been faster.
        if current_version(connection) < migration.version:
            connection.execute(migration.script)
            _expect_whole(connection, migration)
            values = {
                "version": migration.version,
                "name": migration.name,
                "now": to_text(clock.now()),
            }
            connection.execute(SQL["record"], values)
        connection.execute("COMMIT")
    finally:
        if not connection.getautocommit():
            connection.execute("ROLLBACK")


def _expect_whole(connection: apsw.Connection, migration: Migration) -> None:
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        tables = ", ".join(sorted({f'"{row[0]}"' for row in broken}))
        raise StorageError(
            f'database "{connection.filename}" cannot be brought to version {migration.version}: '
            f"rows of {tables} refer to what does not exist — restore a copy made with "
            '"ductile db backup"'
        )


def _one(connection: apsw.Connection, statement: str) -> int:
    rows: list[Row] = connection.execute(SQL[statement]).fetchall()
    return int(rows[0][0])
