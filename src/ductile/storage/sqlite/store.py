"""The store: one SQLite file, one thread that writes, many that read."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

import apsw

from ductile.errors import StorageError
from ductile.model.clock import Clock
from ductile.model.ids import new_id
from ductile.storage.interfaces import Transaction
from ductile.storage.sqlite.connection import (
    connect,
    connect_reader,
    connect_writer,
    file_name,
    use_write_ahead_log,
)
from ductile.storage.sqlite.failures import explain
from ductile.storage.sqlite.lock import GatewayLock, holder
from ductile.storage.sqlite.migrate import current_version, migrate, migrations
from ductile.storage.sqlite.readers import Readers
from ductile.storage.sqlite.writer import Writer

T = TypeVar("T")


class SqliteStore:
    """A database that `open_store` has opened."""

    def __init__(
        self, path: Path, readers: Readers, writer: Writer | None, lock: GatewayLock | None
    ) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer
        self._lock = lock

    def write(self, work: Callable[[Transaction], T]) -> T:
        return self.submit(work).result()

    def submit(self, work: Callable[[Transaction], T]) -> Future[T]:
        if self._writer is None:
            raise StorageError(f'database "{self._path}" was opened for reading only')
        return self._writer.submit(work)

    def read(self, work: Callable[[Transaction], T]) -> T:
        return self._readers.read(work)

    def check(self) -> None:
        if self._writer is not None:
            self._writer.submit(lambda tx: tx.probe()).result()
        self._readers.read(lambda tx: tx.version())

    def backup(self, target: Path) -> None:
        if os.path.lexists(target):
            raise StorageError(f'"{target}" exists already — name a file that does not')
        partial = target.with_name(f".{target.name}.{new_id()}")
        try:
            try:
                _create(partial)
                self._copy(partial)
                _sync(partial)
                partial.rename(target)
                _sync(target.parent)
            finally:
                partial.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(
                f'"{target}" cannot be written: {error.strerror} — choose a directory that exists '
                "and that this user may write to"
            ) from error

    def close(self) -> None:
        # Readers first: the connection that closes last tidies up the write-ahead log, and the
        # lock is let go of when nobody touches the file any more.
        self._readers.close()
        if self._writer is not None:
            self._writer.close()
        if self._lock is not None:
            self._lock.release()

    def _copy(self, target: Path) -> None:
        name = file_name(target)
        source = connect(self._path)
        try:
            source.execute("VACUUM INTO ?", (name,))
        except apsw.Error as error:
            raise explain(error, name) from error
        finally:
            source.close()


def open_store(
    path: Path,
    clock: Clock,
    *,
    exclusive: bool = False,
    read_only: bool = False,
    upgrading: Callable[[int, int], None] | None = None,
) -> SqliteStore:
    """Open the database file `path`, making or migrating it if need be.

    `exclusive` is for the gateway that serves: a second one gets DatabaseLocked. Without it
    other processes may write to the same file at the same time. With `read_only` nothing is
    made or migrated. `upgrading` is told the version of a database that is to be migrated, which
    may take long, and the one that it gets. Raises DatabaseTooNew, or StorageError saying what
    to do.
    """
    path = path.resolve()
    file_name(path)  # before anything is made
    if path.is_dir():
        raise StorageError(f'database "{path}": expected a file, found a directory — name a file')
    if not path.parent.is_dir():
        raise StorageError(f'database "{path}": there is no directory "{path.parent}" — make it')
    if read_only:
        _expect_current(path)
        return SqliteStore(path, Readers(path), None, None)
    lock = GatewayLock(path) if exclusive else None
    try:
        writer = _open_writer(path, clock, lock, upgrading)
        return SqliteStore(path, Readers(path), writer, lock)
    except BaseException:
        if lock is not None:
            lock.release()
        raise


def _expect_current(path: Path) -> None:
    remedy = 'start the gateway once, with "ductile serve"'
    if not path.exists():
        raise StorageError(f'there is no database "{path}" — {remedy}')
    connection = connect_reader(path)
    try:
        version, needed = current_version(connection), len(migrations())
    finally:
        connection.close()
    if version < needed:
        raise StorageError(
            f'database "{path}" is at version {version}, this program needs {needed} — {remedy}'
        )


def _open_writer(
    path: Path,
    clock: Clock,
    lock: GatewayLock | None,
    upgrading: Callable[[int, int], None] | None,
) -> Writer:
    try:
        _create(path)
    except FileExistsError:
        pass
    except OSError as error:
        raise StorageError(
            f'database "{path}" cannot be made: {error.strerror} — make its directory writable '
            'for this user, or set "data_dir"'
        ) from error
    connection = connect_writer(path)
    try:
        version, needed = current_version(connection), len(migrations())
        old = 0 < version < needed
        gateway = holder(path) if old and lock is None else None
        if gateway is not None:
            raise StorageError(
                f'database "{path}" is at version {version}, this program needs {needed} — '
                f"restart the gateway, process {gateway}, with this program"
            )
        use_write_ahead_log(connection)
        if old and upgrading is not None:
            upgrading(version, needed)
        migrate(connection, clock)
    except apsw.Error as error:
        connection.close()
        raise explain(error, str(path)) from error
    except BaseException:
        connection.close()
        raise
    return Writer(connection)


def _create(path: Path) -> None:
    """Make an empty file that only its owner may read; payloads may be private."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
