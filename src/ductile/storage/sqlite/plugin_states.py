"""The rows of what plugins remember."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ductile.ledger.baggage import check_size
from ductile.model.clock import to_text
from ductile.model.json import JsonObject, decode
from ductile.storage.sqlite import rows
from ductile.storage.sqlite.queries import load
from ductile.storage.sqlite.session import Session

SQL: Final = load("plugin_states")


class PluginStateRows:
    """Plugin states within one transaction."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, plugin: str) -> JsonObject:
        row = self._session.row(SQL["get"], {"plugin": plugin})
        state: JsonObject = {} if row is None else decode(row[0])
        return state

    def merge(self, plugin: str, updates: JsonObject, *, max_bytes: int, now: datetime) -> None:
        what = f'the state of plugin "{plugin}"'
        before = self.get(plugin)
        state = {**before, **updates}
        text = rows.json_text(state, what)
        if text == rows.json_text(before, what):
            return
        check_size(state, max_bytes, what=what)
        self._session.rows(SQL["put"], {"plugin": plugin, "state": text, "now": to_text(now)})
