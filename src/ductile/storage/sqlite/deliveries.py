"""The rows of the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ductile.model.clock import to_text
from ductile.model.delivery import Delivery, DeliveryVerdict
from ductile.model.ids import DeliveryId
from ductile.model.json import encode
from ductile.storage.sqlite import rows
from ductile.storage.sqlite.queries import load
from ductile.storage.sqlite.session import Session

SQL: Final = load("deliveries")


class DeliveryRows:
    """The inbox within one transaction."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, delivery: Delivery) -> None:
        values = {
            "id": delivery.id,
            "received_at": to_text(delivery.received_at),
            "endpoint": delivery.endpoint,
            "scheme": delivery.scheme,
            "verdict": delivery.verdict,
            "status": delivery.status,
            "reason": rows.evidence(delivery.reason),
            "delivery_id": delivery.delivery_id,
            "size": delivery.size,
            "event_id": delivery.event_id,
        }
        self._session.insert(SQL, values, f"delivery {delivery.id}")

    def get(self, delivery_id: DeliveryId) -> Delivery | None:
        row = self._session.row(SQL["get"], {"id": delivery_id})
        return None if row is None else rows.delivery(row)

    def page(
        self,
        *,
        limit: int,
        endpoint: str | None = None,
        verdict: DeliveryVerdict | None = None,
        before: DeliveryId | None = None,
    ) -> Sequence[Delivery]:
        values = {"limit": limit, "endpoint": endpoint, "verdict": verdict, "before": before}
        if verdict is None or verdict.started:
            found = self._session.rows(SQL["page"], values)
        else:
            found = self._session.rows(SQL["page_started_nothing"], values)
        return [rows.delivery(row) for row in found]

    def expired(self, *, before: datetime, limit: int) -> Sequence[DeliveryId]:
        values = {"before": to_text(before), "limit": limit}
        return [found for (found,) in self._session.rows(SQL["expired"], values)]

    def surplus(self, *, keep: int, limit: int) -> Sequence[DeliveryId]:
        values = {"keep": keep, "limit": limit}
        return [found for (found,) in self._session.rows(SQL["surplus"], values)]

    def forget(self, ids: Sequence[DeliveryId]) -> int:
        return self._session.change(SQL["forget"], {"ids": encode(list(ids)).decode()})
