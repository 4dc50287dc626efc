"""The inbox: the list of deliveries that came to webhook endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from typing import Final

from ductile.dispatch.interfaces import Trigger
from ductile.dispatch.privacy import Privacy
from ductile.model.delivery import Delivery, DeliveryVerdict
from ductile.model.event import Event
from ductile.model.ids import DeliveryId, new_id
from ductile.storage.interfaces import Store, Transaction

#: Characters of a reason that are kept; it may quote what a stranger sent.
LONGEST_REASON: Final = 500


class LedgerInbox:
    """Keeps the list in the ledger, without secrets."""

    def __init__(self, store: Store, privacy: Privacy) -> None:
        self._store = store
        self._privacy = privacy

    def keep(self, deliveries: Sequence[Delivery]) -> Future[None]:
        rows = [self._clean(each) for each in deliveries]

        def work(tx: Transaction) -> None:
            for row in rows:
                tx.deliveries.add(row)

        return self._store.submit(work)

    def _clean(self, delivery: Delivery) -> Delivery:
        if delivery.reason is None:
            return delivery
        reason = self._privacy.redact(delivery.reason)
        return replace(delivery, reason=reason[:LONGEST_REASON])


def resent(delivery: Delivery, event: Event, plugin: str | None, now: datetime) -> Trigger:
    """What starts the event of an earlier delivery again, as an event of its own.

    `plugin` is what the endpoint starts, None if it only makes an event. Without the sender's
    id: that of the earlier one keeps counting for what the sender itself repeats.
    """
    row = Delivery(
        id=DeliveryId(new_id()),
        received_at=now,
        endpoint=delivery.endpoint,
        scheme=delivery.scheme,
        verdict=DeliveryVerdict.RESENT,
        reason=f"resends {delivery.id}",
    )
    return Trigger(event.type, event.payload, event.source, plugin=plugin, delivery=row)
