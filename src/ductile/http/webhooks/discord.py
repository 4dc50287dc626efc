"""The `discord` scheme: Ed25519 signatures, PING and the answers of an interactions endpoint."""

from __future__ import annotations

import re
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ductile.errors import ConfigurationError
from ductile.http.interfaces import Headers
from ductile.http.webhooks.endpoint import Respond
from ductile.http.webhooks.signature import Verdict, only
from ductile.model.clock import Clock
from ductile.model.json import Json, JsonObject, encode

#: Seconds by which a timestamp may be off in either direction.
WINDOW: Final = 300

#: Whoever has an interaction's token can answer in the application's name for 15 minutes.
CREDENTIALS: Final = frozenset({"token"})

_SIGNATURE: Final = re.compile(rb"[0-9a-fA-F]{128}")
_TIMESTAMP: Final = re.compile(rb"[0-9]{1,12}")
_PUBLIC_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")

_PING: Final = 1
_PONG: Final[JsonObject] = {"type": 1}
_CHANNEL_MESSAGE: Final = 4
_EPHEMERAL: Final = 64

#: Discord shows "did not respond" unless an interaction is answered with a message at once.
ACCEPTED: Final = Respond(
    200,
    encode(
        {"type": _CHANNEL_MESSAGE, "data": {"content": "Accepted.", "flags": _EPHEMERAL}},
    ),
)


class Discord:
    """Verifies the application's Ed25519 signature over timestamp and body.

    Discord does not ask for it, but a signature older, or younger, than `WINDOW` seconds is
    refused: what was once overheard cannot be sent again later. It needs a clock that is
    right; `Verdict.STALE` says when it is not.
    """

    def __init__(self, public_key: str, clock: Clock) -> None:
        """Raises ConfigurationError unless the key is 64 hex digits, as the portal shows it."""
        if not _PUBLIC_KEY.fullmatch(public_key):
            raise ConfigurationError(
                f"expected a public key of 64 hex digits, found {len(public_key)} characters; "
                "copy it from the application's page in Discord's developer portal"
            )
        self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        self._clock = clock

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """Judge signature first and time second, so that STALE is only said of Discord's own."""
        signature = only(headers, b"x-signature-ed25519")
        timestamp = only(headers, b"x-signature-timestamp")
        if signature is None or timestamp is None:
            return Verdict.MISSING
        if not (_SIGNATURE.fullmatch(signature) and _TIMESTAMP.fullmatch(timestamp)):
            return Verdict.MALFORMED
        try:
            self._key.verify(bytes.fromhex(signature.decode("ascii")), timestamp + body)
        except InvalidSignature:
            return Verdict.WRONG
        age = self._clock.now().timestamp() - int(timestamp)
        return Verdict.GENUINE if abs(age) <= WINDOW else Verdict.STALE


def pong(payload: Json) -> JsonObject | None:
    """The answer to a PING, by which Discord finds out whether somebody verifies; else None."""
    # `True == 1`, but it is no interaction type.
    if isinstance(payload, dict) and type(payload.get("type")) is int:
        return _PONG if payload["type"] == _PING else None
    return None
