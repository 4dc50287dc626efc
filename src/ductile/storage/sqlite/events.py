"""The rows of events."""

from __future__ import annotations

from typing import Final

from ductile.model.clock import to_text
from ductile.model.event import Event
from ductile.model.ids import EventId
from ductile.storage.sqlite import rows
from ductile.storage.sqlite.queries import load
from ductile.storage.sqlite.session import Session

SQL: Final = load("events")


class EventRows:
    """The record of events within one transaction."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, event: Event) -> None:
        values = {
            "id": event.id,
            "type": event.type,
            "payload": rows.json_text(event.payload, f'the payload of event "{event.type}"'),
            "source": event.source,
            "created_at": to_text(event.timestamp),
            "chain_id": event.chain_id,
            "job_id": event.job_id,
            "dedupe_key": event.dedupe_key,
        }
        self._session.insert(SQL, values, f"event {event.id}")

    def get(self, event_id: EventId) -> Event | None:
        row = self._session.row(SQL["get"], {"event_id": event_id})
        return None if row is None else rows.event(row)
