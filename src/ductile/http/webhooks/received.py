"""A delivery while it is judged, and the row that becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ductile.http.exchange import Rejection
from ductile.http.webhooks.endpoint import Endpoint
from ductile.model.delivery import Delivery, DeliveryVerdict
from ductile.model.ids import DeliveryId, new_id


@dataclass(slots=True)
class Received:
    """What is known of a delivery so far."""

    endpoint: Endpoint
    at: datetime
    size: int | None = None
    delivery_id: str | None = None
    """What its sender calls it, once it is known who that is."""

    def accepted(self) -> Delivery:
        """The row of one that is to start something."""
        return self._row(DeliveryVerdict.ACCEPTED, self.endpoint.accepted_status)

    def handshake(self, status: int) -> Delivery:
        """The row of one that only asked whether somebody is there."""
        return self._row(DeliveryVerdict.HANDSHAKE, status)

    def refused(self, rejection: Rejection) -> Delivery:
        """The row of one that was not let in."""
        # What went wrong inside may name files of this machine, and no table does.
        reason = rejection.reason if rejection.status < 500 else str(rejection)
        return self._row(DeliveryVerdict.REFUSED, rejection.status, reason)

    def _row(self, verdict: DeliveryVerdict, status: int, reason: str | None = None) -> Delivery:
        return Delivery(
            id=DeliveryId(new_id()),
            received_at=self.at,
            endpoint=self.endpoint.name,
            scheme=self.endpoint.scheme.name,
            verdict=verdict,
            status=status,
            reason=reason,
            delivery_id=self.delivery_id,
            size=self.size,
        )
