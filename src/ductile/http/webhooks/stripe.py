"""The `stripe` scheme: time and one or more keyed hashes in one header."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from ductile.http.interfaces import Headers
from ductile.http.webhooks.keyed import Secrets
from ductile.http.webhooks.signature import Verdict, in_window, only, payload_id
from ductile.model.clock import Clock
from ductile.model.json import Json

_HEADER: Final = b"stripe-signature"
_TIMESTAMP: Final = re.compile(rb"[0-9]{1,12}")
_SIGNATURE: Final = re.compile(rb"[0-9a-fA-F]{64}")
#: Stripe sends one signature for each secret that is live there: two at the most.
_MOST: Final = 8


class Stripe:
    """Verifies `t=…,v1=…`, the hash of time, dot and body; signatures but `v1` are ignored."""

    name: Final = "stripe"

    def __init__(self, *secrets: str, clock: Clock) -> None:
        """Each secret as the dashboard shows it, `whsec_` and all."""
        self._secrets = Secrets(secret.encode("utf-8") for secret in secrets)
        self._clock = clock

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """Judge signature first and time second, so that STALE is only said of Stripe's own."""
        value = only(headers, _HEADER)
        if value is None:
            return Verdict.MISSING
        parts = [part.strip().partition(b"=") for part in value.split(b",")]
        times = [text for key, _, text in parts if key == b"t"]
        given = [text for key, _, text in parts if key == b"v1"]
        if len(times) != 1 or not _TIMESTAMP.fullmatch(times[0]):
            return Verdict.MALFORMED
        if not 0 < len(given) <= _MOST or not all(map(_SIGNATURE.fullmatch, given)):
            return Verdict.MALFORMED
        hashes = [bytes.fromhex(text.decode("ascii")) for text in given]
        if not self._secrets.made(times[0] + b"." + body, hashes):
            return Verdict.WRONG
        return Verdict.GENUINE if in_window(times[0], self._clock.now()) else Verdict.STALE

    def sign(self, body: bytes, *, delivery_id: str, now: datetime | None = None) -> Headers:
        """The id of an event is in its body."""
        timestamp = b"%d" % int((now or self._clock.now()).timestamp())
        signature = self._secrets.hash(timestamp + b"." + body).hex().encode("ascii")
        return [(_HEADER, b"t=" + timestamp + b",v1=" + signature)]

    def delivery_id(self, headers: Headers, payload: Json) -> str | None:
        """The id of the event, which is signed."""
        return payload_id(payload, "id")
