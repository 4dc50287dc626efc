"""The `slack` scheme: a keyed hash of time and body, and what Slack wants to be answered."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from ductile.http.interfaces import Headers
from ductile.http.webhooks.endpoint import Respond
from ductile.http.webhooks.keyed import Secrets
from ductile.http.webhooks.signature import Verdict, in_window, only, payload_id
from ductile.model.clock import Clock
from ductile.model.json import Json, JsonObject

_SIGNATURE_HEADER: Final = b"x-slack-signature"
_TIMESTAMP_HEADER: Final = b"x-slack-request-timestamp"
_TIMESTAMP: Final = re.compile(rb"[0-9]{1,12}")
_SIGNATURE: Final = re.compile(rb"v0=([0-9a-fA-F]{64})")

#: An older way to prove that Slack sent something; who has it could deceive other receivers.
VERIFICATION_TOKEN: Final = frozenset({"token"})

#: Slack shows commands and clicks as failed unless they are answered with 200, and shows what
#: the answer holds to whoever typed or clicked.
SEEN: Final = Respond(200, b"", "text/plain; charset=utf-8")


class Slack:
    """Verifies `v0=…`, the hash of `v0:time:body`."""

    name: Final = "slack"

    def __init__(self, *secrets: str, clock: Clock) -> None:
        """Each secret is a signing secret of the app."""
        self._secrets = Secrets(secret.encode("utf-8") for secret in secrets)
        self._clock = clock

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """Judge signature first and time second, so that STALE is only said of Slack's own."""
        signature = only(headers, _SIGNATURE_HEADER)
        timestamp = only(headers, _TIMESTAMP_HEADER)
        if signature is None or timestamp is None:
            return Verdict.MISSING
        found = _SIGNATURE.fullmatch(signature)
        if found is None or not _TIMESTAMP.fullmatch(timestamp):
            return Verdict.MALFORMED
        if not self._secrets.made(_signed(timestamp, body), [bytes.fromhex(found[1].decode())]):
            return Verdict.WRONG
        return Verdict.GENUINE if in_window(timestamp, self._clock.now()) else Verdict.STALE

    def sign(self, body: bytes, *, delivery_id: str, now: datetime | None = None) -> Headers:
        """The id of an event is in its body."""
        timestamp = b"%d" % int((now or self._clock.now()).timestamp())
        signature = self._secrets.hash(_signed(timestamp, body)).hex().encode("ascii")
        return [(_SIGNATURE_HEADER, b"v0=" + signature), (_TIMESTAMP_HEADER, timestamp)]

    def delivery_id(self, headers: Headers, payload: Json) -> str | None:
        """`event_id` of the Events API, which is signed; commands and clicks have none."""
        return payload_id(payload, "event_id")


def url_verification(payload: Json) -> JsonObject | None:
    """The answer by which Slack finds out whether an address is the app's; else None."""
    if not isinstance(payload, dict):
        return None
    if payload.get("type") == "url_verification":
        challenge = payload.get("challenge")
        return {"challenge": challenge} if isinstance(challenge, str) else None
    # Now and then Slack looks at a command's certificate by a form that is no command.
    return {} if payload.get("ssl_check") == "1" else None


def _signed(timestamp: bytes, body: bytes) -> bytes:
    return b"v0:" + timestamp + b":" + body
