"""The one thread that writes, and commits together what came together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

import apsw

from ductile.errors import StorageError
from ductile.storage.sqlite.failures import explain
from ductile.storage.sqlite.session import Session
from ductile.storage.sqlite.transaction import SqliteTransaction

T = TypeVar("T")

#: The most callers that share one commit: more would make the first wait for the last, and save
#: nothing, since the cost of one commit is spread thin long before.
_LARGEST_GROUP: Final = 512


@dataclass(slots=True)
class _Task:
    """One caller's work, and what has come of it."""

    work: Callable[[SqliteTransaction], Any]
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    failure: BaseException | None = None
    actions: list[Callable[[], None]] = field(default_factory=list)


class Writer:
    """Runs every caller's work in a savepoint of its own, and one commit for all that wait.

    A caller that raises is rolled back alone. When the commit fails, nothing of the group is
    kept and all of it hears why; the next group starts afresh.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        """Takes over the connection; it is closed with the writer."""
        self._connection = connection
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name="ductile-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[SqliteTransaction], T]) -> Future[T]:
        """Queue work; its future ends after the commit that it is part of."""
        if threading.current_thread() is self._thread:
            raise StorageError(
                "work inside a transaction must not use the store: it would wait for itself"
            )
        task = _Task(work)
        with self._closing:
            if self._closed:
                raise StorageError("the database is closed: nothing can be written any more")
            self._tasks.put(task)
        return task.future

    def close(self) -> None:
        """Finish what was submitted, then let go of the file; harmless when called again."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._tasks.put(None)
        self._thread.join()

    def _loop(self) -> None:
        closing = False
        while not closing:
            group, closing = self._gather()
            if group:
                self._commit(group)
        self._connection.close()

    def _gather(self) -> tuple[list[_Task], bool]:
        """All that is queued, at least one; and whether that was the last."""
        group: list[_Task] = []
        task = self._tasks.get()
        while task is not None:
            # False for a caller who gave up before its turn came.
            if task.future.set_running_or_notify_cancel():
                group.append(task)
            if len(group) >= _LARGEST_GROUP:
                return group, False
            try:
                task = self._tasks.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _commit(self, group: list[_Task]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            if len(group) == 1:
                self._run_alone(group[0])
            else:
                for task in group:
                    self._run_beside_others(task)
            # Nothing is left to be kept when the only caller was rolled back.
            if not self._connection.getautocommit():
                self._connection.execute("COMMIT")
        except BaseException as error:
            self._abandon(group, error)
        for task in group:
            self._tell(task)

    def _run_alone(self, task: _Task) -> None:
        # Without a savepoint, for which SQLite keeps a copy of every page before it is changed.
        self._run(task)
        if task.failure is not None:
            self._connection.execute("ROLLBACK")

    def _run_beside_others(self, task: _Task) -> None:
        self._connection.execute("SAVEPOINT caller")
        self._run(task)
        if task.failure is not None:
            self._connection.execute("ROLLBACK TO caller")
        self._connection.execute("RELEASE caller")

    def _run(self, task: _Task) -> None:
        session = Session(self._connection, writable=True)
        transaction = SqliteTransaction(session)
        try:
            task.result = task.work(transaction)
            task.actions = transaction.actions
        except BaseException as error:
            task.failure = error
        finally:
            session.end()
        if session.lost is not None:
            # Worth more to the caller than whatever its work made of it.
            task.failure = None
            raise session.lost

    def _abandon(self, group: list[_Task], error: BaseException) -> None:
        """Nothing of the group was kept: undo what is left of it and note why."""
        if not self._connection.getautocommit():
            try:
                self._connection.execute("ROLLBACK")
            except apsw.Error as failure:
                error = failure
        for task in group:
            if task.failure is None:
                task.failure = self._reason(error)

    def _reason(self, error: BaseException) -> StorageError:
        """What one caller is told; each gets an error of its own, since threads add to it."""
        if isinstance(error, apsw.Error):
            return explain(error, self._connection.filename)
        return StorageError(str(error) or repr(error))

    @staticmethod
    def _tell(task: _Task) -> None:
        if task.failure is not None:
            task.future.set_exception(task.failure)
            return
        for action in task.actions:
            try:
                action()
            except BaseException as error:
                # What is committed is committed; report it like any thread's uncaught error.
                threading.excepthook(
                    threading.ExceptHookArgs(
                        (type(error), error, error.__traceback__, threading.current_thread())
                    )
                )
        task.future.set_result(task.result)
