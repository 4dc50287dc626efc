"""Whether a request comes from who it says: the contract of a signature scheme."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from ductile.http.interfaces import Headers


class Verdict(StrEnum):
    """What a signature is worth; for the operator, never for the sender."""

    GENUINE = "the signature is right"
    MISSING = "a header that carries the signature is missing, or there twice"
    MALFORMED = "a header that carries the signature has not the form that the scheme wants"
    WRONG = "the signature is not that of this body with this key"
    STALE = "the signature is right, but its time is too far from this machine's clock"


class Verifier(Protocol):
    """Checks signatures with one key."""

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """Judge a request by its headers and its body as it came; never raises."""


def only(headers: Headers, name: bytes) -> bytes | None:
    """The value of a header that is there exactly once.

    Two different programs may each see another one of two values, so two are none.
    """
    values = [value for key, value in headers if key == name]
    return values[0] if len(values) == 1 else None
