"""Connections to one database file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

import apsw

from ductile.errors import StorageError
from ductile.storage.sqlite.failures import explain

#: How long to wait for another process that writes.
BUSY_TIMEOUT: Final = timedelta(seconds=10)
#: Bytes that the write-ahead log keeps on disk after something large went through it.
_LOG_LIMIT = 64 * 1024 * 1024


def file_name(path: Path) -> str:
    """The path as SQLite takes it; raises StorageError unless it is UTF-8."""
    name = str(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise StorageError(
            f'database "{path}": expected a path in UTF-8, found other bytes in it — choose '
            'another one, with "data_dir" or "state.url" for the ledger'
        ) from None
    return name


def connect(path: Path, *pragmas: str) -> apsw.Connection:
    """A connection to a file that exists."""
    name = file_name(path)
    try:
        connection = apsw.Connection(name, flags=apsw.SQLITE_OPEN_READWRITE)
        connection.setbusytimeout(int(BUSY_TIMEOUT / timedelta(milliseconds=1)))
        for pragma in ("foreign_keys = ON", "temp_store = MEMORY", *pragmas):
            connection.execute(f"PRAGMA {pragma}")
    except apsw.Error as error:
        raise explain(error, name) from error
    return connection


def connect_writer(path: Path) -> apsw.Connection:
    """A connection that writes; what it commits is on disk when COMMIT returns."""
    return connect(
        path, "synchronous = FULL", "cache_size = -16384", f"journal_size_limit = {_LOG_LIMIT}"
    )


def connect_reader(path: Path) -> apsw.Connection:
    """A connection that refuses to write.

    It is not opened as read-only, since the last connection that closes has to tidy up the
    write-ahead log, and a read-only one would leave it behind.
    """
    return connect(path, "query_only = ON")


def use_write_ahead_log(connection: apsw.Connection) -> None:
    """Let readers and the writer work at the same time. Stays with the file."""
    ((mode,),) = connection.execute("PRAGMA journal_mode = WAL").fetchall()
    if mode != "wal":
        raise StorageError(
            f'database "{connection.filename}": expected a file system that can keep a '
            f'write-ahead log, found one that only allows "{mode}" — move it to a local disk'
        )
