"""What SQLite itself finds wrong in a database file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import apsw

from ductile.storage.sqlite.connection import connect_reader
from ductile.storage.sqlite.failures import explain

#: As many as SQLite is asked for below; what is that damaged is beyond reading.
_MOST: Final = 100


def defects(path: Path) -> Sequence[str]:
    """Damaged pages, indexes that miss rows, broken rules of tables, and references to nothing.

    Reads the whole file, on one snapshot, while others write. Raises StorageError for a file
    that cannot be opened as a database at all.
    """
    connection = connect_reader(path)
    try:
        found = [str(text) for (text,) in connection.execute("PRAGMA integrity_check(100)")]
        found = [] if found == ["ok"] else found
        for table, row, target, _ in connection.execute("PRAGMA foreign_key_check"):
            if len(found) == _MOST:
                break
            # Tables that are kept in the order of their keys number no rows.
            which = "a row" if row is None else f"row {row}"
            found.append(f"{which} of {table} refers to a row of {target} that does not exist")
    except (apsw.CorruptError, apsw.NotADBError) as error:
        return [f"the file is damaged: {error}"]
    except apsw.Error as error:
        raise explain(error, str(path)) from error
    finally:
        connection.close()
    return found
