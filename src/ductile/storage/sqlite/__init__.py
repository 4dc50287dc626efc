"""The store on SQLite."""

from __future__ import annotations

from ductile.storage.sqlite.lock import holder
from ductile.storage.sqlite.store import SqliteStore, open_store

__all__ = ["SqliteStore", "holder", "open_store"]
