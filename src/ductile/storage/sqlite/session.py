"""The session: how the parts of one transaction talk to its connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import apsw

from ductile.errors import StorageError, Violation
from ductile.storage.sqlite.failures import explain

Row: TypeAlias = tuple[Any, ...]
Values: TypeAlias = Mapping[str, Any]


class Session:
    """Runs statements within one transaction; no error of SQLite's gets past it.

    It is over when the transaction is: what would be written after that would be committed by
    itself, so it is refused.
    """

    __slots__ = ("_connection", "_cursor", "_open", "_writable", "lost")

    def __init__(self, connection: apsw.Connection, *, writable: bool) -> None:
        self._connection = connection
        # One for all statements: the connection would make another one for each.
        self._cursor = connection.cursor()
        self._writable = writable
        self._open = True
        self.lost: StorageError | None = None
        """Why SQLite gave up the whole transaction, as it may when the disk fails."""

    def rows(self, statement: str, values: Values | None = None) -> list[Row]:
        """All rows of one statement."""
        if not self._open:
            raise StorageError("this transaction is over: use the store to begin another one")
        try:
            return self._cursor.execute(statement, values).fetchall()
        except apsw.Error as error:
            raise self._failure(error) from error
        except (UnicodeError, OverflowError) as error:
            raise StorageError(f"a value cannot be stored: {error}") from error

    def row(self, statement: str, values: Values | None = None) -> Row | None:
        """The first row of one statement."""
        rows = self.rows(statement, values)
        return rows[0] if rows else None

    def change(self, statement: str, values: Values | None = None) -> int:
        """Run a statement that changes rows; returns how many it changed."""
        self.rows(statement, values)
        return self._connection.changes()

    def insert(self, statements: Mapping[str, str], values: Values, what: str) -> None:
        """Run the statement `add`; one that is refused says what it refers to in vain."""
        try:
            self.rows(statements["add"], values)
        except Violation as violation:
            missing = ", ".join(name for (name,) in self.rows(statements["missing"], values))
            found = (
                f"refers to what does not exist: {missing}"
                if missing
                else f"breaks a rule: {violation}"
            )
            raise Violation(f"{what} cannot be stored: it {found}") from violation

    def end(self) -> None:
        """Refuse everything from now on."""
        self._open = False

    def _failure(self, error: apsw.Error) -> StorageError:
        if not self._writable and isinstance(error, apsw.ReadOnlyError):
            return StorageError("a read cannot change anything: use the store's write instead")
        failure = explain(error, self._connection.filename)
        if self._connection.getautocommit():
            self.lost = failure
            self.end()
        return failure
