"""What SQLite reports, put into words: what happened and what to do."""

from __future__ import annotations

from typing import Final

import apsw

from ductile.errors import StorageError, Violation

#: What happened and what to do, by kind of error; the first kind that fits counts.
_MEANINGS: Final[tuple[tuple[type[apsw.Error], str, str], ...]] = (
    (apsw.FullError, "the disk is full", "free some space and try again"),
    (
        apsw.IOError,
        "the disk cannot be read or written",
        "check that it is healthy, mounted and not full, then try again",
    ),
    (
        apsw.ReadOnlyError,
        "it cannot be written",
        "make the file and its directory writable for this user",
    ),
    (
        apsw.BusyError,
        "another process has kept it locked for too long",
        "end that process, or try again when it is done",
    ),
    (
        apsw.CorruptError,
        "its content is damaged",
        'stop the gateway and restore a copy made with "ductile db backup"',
    ),
    (
        apsw.NotADBError,
        "it is not an SQLite database",
        'move the file away, or name another one in "state.url"',
    ),
    (
        apsw.CantOpenError,
        "it cannot be opened",
        "check that its directory exists and that this user may read and write there",
    ),
)


def explain(error: apsw.Error, filename: str) -> StorageError:
    """The error to raise in place of one of SQLite's."""
    if isinstance(error, apsw.ConstraintError):
        return Violation(str(error))
    for kind, found, remedy in _MEANINGS:
        if isinstance(error, kind):
            return StorageError(f'database "{filename}": {found} ({error}) — {remedy}')
    return StorageError(f'database "{filename}": {error}')
