"""The `standard-webhooks` scheme: keyed hashes (`v1`), Ed25519 signatures (`v1a`), or both."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ductile.errors import ConfigurationError, UsageError
from ductile.http.interfaces import Headers
from ductile.http.webhooks.ed25519 import public_key, signed_with
from ductile.http.webhooks.keyed import Secrets
from ductile.http.webhooks.signature import Verdict, header_id, in_window, only
from ductile.model.clock import Clock
from ductile.model.json import Json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

_ID_HEADER: Final = b"webhook-id"
_TIMESTAMP_HEADER: Final = b"webhook-timestamp"
_SIGNATURE_HEADER: Final = b"webhook-signature"
_TIMESTAMP: Final = re.compile(rb"[0-9]{1,12}")
_V1: Final = re.compile(rb"v1,([A-Za-z0-9+/]{43}=)")
_V1A: Final = re.compile(rb"v1a,([A-Za-z0-9+/]{86}==)")
_SECRET_PREFIX: Final = "whsec_"
_KEY_PREFIX: Final = "whpk_"
_KEY_SIZE: Final = 32
_MOST: Final = 8


class StandardWebhooks:
    """Verifies a list of signatures over `id.time.body`; those of other versions are ignored."""

    name: Final = "standard-webhooks"

    def __init__(
        self,
        *secrets: str,
        clock: Clock,
        public_keys: Iterable[str] = (),
        private_key: Ed25519PrivateKey | None = None,
    ) -> None:
        """Secrets and keys in base64, with or without `whsec_` and `whpk_` before them.

        Only who has `private_key` can sign as a sender of `v1a` would. Raises
        ConfigurationError for anything else, and if there is nothing to verify with.
        """
        self._keys = [_public_key(each) for each in public_keys]
        self._secrets = Secrets(map(_secret, secrets)) if secrets or not self._keys else None
        self._private_key = private_key
        self._clock = clock

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """Judge signature first and time second, so that STALE is only said of the sender's own."""
        identity = only(headers, _ID_HEADER)
        timestamp = only(headers, _TIMESTAMP_HEADER)
        signatures = only(headers, _SIGNATURE_HEADER)
        if identity is None or timestamp is None or signatures is None:
            return Verdict.MISSING
        # A dot in the id would let parts of the time pass for parts of the id.
        if not identity or b"." in identity or not _TIMESTAMP.fullmatch(timestamp):
            return Verdict.MALFORMED
        listed = signatures.split(b" ")
        # What no key is held for is another version.
        hashes = _found(_V1, listed) if self._secrets else []
        signed = _found(_V1A, listed) if self._keys else []
        if not 0 < len(hashes) + len(signed) <= _MOST:
            return Verdict.MALFORMED
        content = b".".join((identity, timestamp, body))
        made = self._secrets is not None and self._secrets.made(content, hashes)
        if not made and not signed_with(self._keys, content, signed):
            return Verdict.WRONG
        return Verdict.GENUINE if in_window(timestamp, self._clock.now()) else Verdict.STALE

    def sign(self, body: bytes, *, delivery_id: str, now: datetime | None = None) -> Headers:
        """Signs id and time as well, with all that signs: a secret, a private key, or both."""
        timestamp = b"%d" % int((now or self._clock.now()).timestamp())
        identity = delivery_id.encode("ascii")
        content = b".".join((identity, timestamp, body))
        signatures = []
        if self._secrets is not None:
            signatures.append(b"v1," + base64.b64encode(self._secrets.hash(content)))
        if self._private_key is not None:
            signatures.append(b"v1a," + base64.b64encode(self._private_key.sign(content)))
        if not signatures:
            raise UsageError(
                "expected a secret or a private key to sign as the sender would, found a public "
                "key alone; make a pair of your own, set its public half as public_key, and pass "
                "the other"
            )
        return [
            (_ID_HEADER, identity),
            (_TIMESTAMP_HEADER, timestamp),
            (_SIGNATURE_HEADER, b" ".join(signatures)),
        ]

    def delivery_id(self, headers: Headers, payload: Json) -> str | None:
        """`webhook-id`, which is signed."""
        return header_id(headers, _ID_HEADER)


def _found(version: re.Pattern[bytes], listed: list[bytes]) -> list[bytes]:
    matches = [version.fullmatch(each) for each in listed]
    return [base64.b64decode(each[1]) for each in matches if each]


def _secret(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError(
            f'expected a secret in base64, with or without "{_SECRET_PREFIX}" before it, found '
            "something else; copy it as the sender shows it"
        ) from None


def _public_key(text: str) -> Ed25519PublicKey:
    try:
        found = base64.b64decode(text.removeprefix(_KEY_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != _KEY_SIZE:
        raise ConfigurationError(
            f"expected a public key of {_KEY_SIZE} bytes in base64, with or without "
            f'"{_KEY_PREFIX}" before it, found something else; copy it as the sender shows it'
        )
    return public_key(found)
