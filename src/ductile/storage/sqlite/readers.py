"""Connections that read, handed out one by one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import apsw

from ductile.errors import StorageError
from ductile.storage.sqlite.connection import connect_reader
from ductile.storage.sqlite.failures import explain
from ductile.storage.sqlite.session import Session
from ductile.storage.sqlite.transaction import SqliteTransaction

T = TypeVar("T")

#: Connections kept for the next reader; a rush opens more and closes them again.
_KEPT: Final = 4


class Readers:
    """Runs every read on a snapshot of its own; nobody waits for anybody."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[apsw.Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    def read(self, work: Callable[[SqliteTransaction], T]) -> T:
        """Run `work` on one consistent snapshot."""
        connection = self._take()
        session = Session(connection, writable=False)
        try:
            connection.execute("BEGIN")
            return work(SqliteTransaction(session))
        except apsw.Error as error:
            raise explain(error, str(self._path)) from error
        finally:
            session.end()
            self._give_back(connection)

    def close(self) -> None:
        """Close what is idle now, and the others when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> apsw.Connection:
        with self._lock:
            if self._closed:
                raise StorageError("the database is closed: nothing can be read any more")
            if self._idle:
                return self._idle.pop()
        return connect_reader(self._path)

    def _give_back(self, connection: apsw.Connection) -> None:
        if not connection.getautocommit():
            connection.execute("ROLLBACK")
        with self._lock:
            if not self._closed and len(self._idle) < _KEPT:
                self._idle.append(connection)
                return
        connection.close()
