"""The `discord` scheme: Ed25519 signatures, PING and the answers of an interactions endpoint."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ductile.errors import ConfigurationError, UsageError
from ductile.http.interfaces import Headers
from ductile.http.webhooks.ed25519 import public_key, signed_with
from ductile.http.webhooks.endpoint import Respond
from ductile.http.webhooks.signature import Verdict, in_window, only, payload_id
from ductile.model.clock import Clock
from ductile.model.json import Json, JsonObject, encode

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

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

    name: Final = "discord"

    def __init__(
        self, *public_keys: str, clock: Clock, private_key: Ed25519PrivateKey | None = None
    ) -> None:
        """Any of the keys may have signed; only who has `private_key` can sign as Discord would.

        Raises ConfigurationError unless there is a key and each is 64 hex digits, as the portal
        shows it.
        """
        if not public_keys:
            raise ConfigurationError("expected a public key of 64 hex digits, found none")
        self._keys = [_public_key(each) for each in public_keys]
        self._private_key = private_key
        self._clock = clock

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """Judge signature first and time second, so that STALE is only said of Discord's own."""
        signature = only(headers, b"x-signature-ed25519")
        timestamp = only(headers, b"x-signature-timestamp")
        if signature is None or timestamp is None:
            return Verdict.MISSING
        if not (_SIGNATURE.fullmatch(signature) and _TIMESTAMP.fullmatch(timestamp)):
            return Verdict.MALFORMED
        given = bytes.fromhex(signature.decode("ascii"))
        if not signed_with(self._keys, timestamp + body, [given]):
            return Verdict.WRONG
        return Verdict.GENUINE if in_window(timestamp, self._clock.now()) else Verdict.STALE

    def sign(self, body: bytes, *, delivery_id: str, now: datetime | None = None) -> Headers:
        """Only with a private key; the id of an interaction is in its body."""
        if self._private_key is None:
            raise UsageError(
                "expected a private key to sign as Discord would, found the public key alone; "
                "make a pair of your own, set its public half as public_key, and pass the other"
            )
        timestamp = str(int((now or self._clock.now()).timestamp())).encode("ascii")
        signature = self._private_key.sign(timestamp + body).hex().encode("ascii")
        return [(b"x-signature-ed25519", signature), (b"x-signature-timestamp", timestamp)]

    def delivery_id(self, headers: Headers, payload: Json) -> str | None:
        """The id of the interaction, which is signed."""
        return payload_id(payload, "id")


def _public_key(text: str) -> Ed25519PublicKey:
    if not _PUBLIC_KEY.fullmatch(text):
        raise ConfigurationError(
            f"expected a public key of 64 hex digits, found {len(text)} characters; "
            "copy it from the application's page in Discord's developer portal"
        )
    return public_key(bytes.fromhex(text))


def pong(payload: Json) -> JsonObject | None:
    """The answer to a PING, by which Discord finds out whether somebody verifies; else None."""
    # `True == 1`, but it is no interaction type.
    if isinstance(payload, dict) and type(payload.get("type")) is int:
        return _PONG if payload["type"] == _PING else None
    return None
