"""Whether a request comes from who it says: the contract of a signature scheme."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from ductile.http.interfaces import Headers
from ductile.model.json import Json

#: Seconds by which a signed time may be off, in either direction.
WINDOW: Final = 300


class Verdict(StrEnum):
    """What a signature is worth; for the operator, never for the sender."""

    GENUINE = "the signature is right"
    MISSING = "a header that carries the signature is missing, or there twice"
    MALFORMED = "a header that carries the signature has not the form that the scheme wants"
    WRONG = "the signature is not that of this body with this key"
    STALE = "the signature is right, but its time is too far from this machine's clock"
    FOREIGN = "nothing has to be signed, but it came by a web page, a proxy or another host's name"


class Scheme(Protocol):
    """How one sender signs: judges what comes, and makes what the sender would have sent.

    Holds every key that is live at present, so that a sender may change its key while both work.
    Safe to use from several threads.
    """

    @property
    def name(self) -> str:
        """What `signature.scheme` calls it."""

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """Judge a request by its headers and its body as it came; never raises."""

    def sign(self, body: bytes, *, delivery_id: str, now: datetime | None = None) -> Headers:
        """The headers with which the sender would send `body`, signed with the first key.

        `now` is the clock's time if left out. Where the sender keeps the id of a delivery in
        the body, `delivery_id` is not used. Raises UsageError, saying what is missing, where
        only a key is held that verifies and cannot sign.
        """

    def delivery_id(self, headers: Headers, payload: Json) -> str | None:
        """What the sender calls this delivery, the same for each time that it tries.

        Only to be asked of a genuine request. None where the sender gives none, or not one that
        can be told apart from another.
        """


def only(headers: Headers, name: bytes) -> bytes | None:
    """The value of a header that is there exactly once.

    Two different programs may each see another one of two values, so two are none.
    """
    values = [value for key, value in headers if key == name]
    return values[0] if len(values) == 1 else None


def header_id(headers: Headers, name: bytes) -> str | None:
    """A delivery's id from a header: printable ASCII, 255 characters at the most."""
    return _id((only(headers, name) or b"").decode("latin-1"))


def payload_id(payload: Json, key: str) -> str | None:
    """A delivery's id from the top level of a payload, under the rule of `header_id`."""
    value = payload.get(key) if isinstance(payload, dict) else None
    return _id(value) if isinstance(value, str) else None


def _id(text: str) -> str | None:
    return text if 0 < len(text) <= 255 and text.isascii() and text.isprintable() else None


def in_window(timestamp: bytes, now: datetime) -> bool:
    """Whether a signed time, in seconds of the epoch, is near enough to `now`."""
    return abs(now.timestamp() - int(timestamp)) <= WINDOW
