"""Every database that the contracts of the storage room are tried on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from ductile.storage.interfaces import Store
from ductile.storage.sqlite import open_store
from tests.support.clock import FakeClock

#: Opens the database of a folder, which it makes at the first time; one folder, one database.
OpenIn: TypeAlias = Callable[[Path], Store]


def open_sqlite(folder: Path) -> Store:
    """One file."""
    return open_store(folder / "ductile.db", FakeClock())


STORES: Final[Mapping[str, OpenIn]] = {"sqlite": open_sqlite}
