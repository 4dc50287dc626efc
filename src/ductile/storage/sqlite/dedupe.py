"""The rows of dedupe keys."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from blake3 import blake3

from ductile.errors import Violation
from ductile.model.clock import to_text
from ductile.model.json import decode, encode
from ductile.storage.interfaces import First
from ductile.storage.sqlite.queries import load
from ductile.storage.sqlite.session import Session

SQL: Final = load("dedupe")


class DedupeRows:
    """The keys that count, within one transaction."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def first(self, scope: str, key: str, *, now: datetime) -> First | None:
        values = {"digest": _digest(scope, key), "now": to_text(now)}
        row = self._session.row(SQL["first"], values)
        if row is None:
            return None
        started = decode(row[1])
        return First(row[0], tuple(started["job_ids"]), tuple(started["run_ids"]))

    def keep(
        self, scope: str, key: str, first: First, *, now: datetime, expires_at: datetime
    ) -> None:
        values = {
            "digest": _digest(scope, key),
            "event_id": first.event_id,
            "started": encode({"job_ids": first.job_ids, "run_ids": first.run_ids}).decode(),
            "expires_at": to_text(expires_at),
            "now": to_text(now),
        }
        if not self._session.change(SQL["keep"], values):
            raise Violation(f'the key "{key}" of {scope} still counts for what came first')

    def prune(self, *, now: datetime, limit: int) -> int:
        return self._session.change(SQL["prune"], {"now": to_text(now), "limit": limit})


def _digest(scope: str, key: str) -> bytes:
    """16 bytes for both; the length keeps apart what would read alike in a row."""
    name = f"{len(scope)}:{scope}{key}".encode(errors="surrogatepass")
    return blake3(name).digest(length=16)
