"""The delivery: one request to a webhook endpoint, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ductile.model.ids import DeliveryId, EventId


class DeliveryVerdict(StrEnum):
    """What became of a delivery."""

    ACCEPTED = "accepted"
    """It became an event."""
    REPEATED = "repeated"
    """An earlier one had its id: it was answered like that one, and started nothing."""
    HANDSHAKE = "handshake"
    """It was genuine, and only asked whether somebody is there."""
    REFUSED = "refused"
    RESENT = "resent"
    """No sender's: the event of an earlier one was started again by hand."""

    @property
    def started(self) -> bool:
        """Whether an event of its own came of it."""
        return self in (DeliveryVerdict.ACCEPTED, DeliveryVerdict.RESENT)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row of the inbox. It holds nothing of the body, and no header but the sender's id."""

    id: DeliveryId
    received_at: datetime
    endpoint: str
    scheme: str
    """What `signature.scheme` was then."""
    verdict: DeliveryVerdict
    status: int | None = None
    """Of the answer; None for what was resent."""
    reason: str | None = None
    """Why it was refused; for what was resent, which delivery that was."""
    delivery_id: str | None = None
    """What the sender calls it; never of one whose signature is not right."""
    size: int | None = None
    """Bytes of the body; None if it did not arrive as a whole."""
    event_id: EventId | None = None
    """What it became; for a repeated one, what the first became."""
