"""The `standard-webhooks` scheme with its symmetric signatures, `v1`."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Final

from ductile.errors import ConfigurationError
from ductile.http.interfaces import Headers
from ductile.http.webhooks.keyed import Secrets
from ductile.http.webhooks.signature import Verdict, header_id, in_window, only
from ductile.model.clock import Clock
from ductile.model.json import Json

_ID_HEADER: Final = b"webhook-id"
_TIMESTAMP_HEADER: Final = b"webhook-timestamp"
_SIGNATURE_HEADER: Final = b"webhook-signature"
_TIMESTAMP: Final = re.compile(rb"[0-9]{1,12}")
_V1: Final = re.compile(rb"v1,([A-Za-z0-9+/]{43}=)")
_PREFIX: Final = "whsec_"
_MOST: Final = 8


class StandardWebhooks:
    """Verifies a list of signatures over `id.time.body`; those of other versions are ignored."""

    name: Final = "standard-webhooks"

    def __init__(self, *secrets: str, clock: Clock) -> None:
        """Each secret in base64, with or without `whsec_` before it.

        Raises ConfigurationError for anything else.
        """
        self._secrets = Secrets(_secret(secret) for secret in secrets)
        self._clock = clock

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """Judge signature first and time second, so that STALE is only said of the sender's own."""
        identity = only(headers, _ID_HEADER)
        timestamp = only(headers, _TIMESTAMP_HEADER)
        signatures = only(headers, _SIGNATURE_HEADER)
        if identity is None or timestamp is None or signatures is None:
            return Verdict.MISSING
        found = [_V1.fullmatch(each) for each in signatures.split(b" ")]
        given = [base64.b64decode(each[1]) for each in found if each]
        # A dot in the id would let parts of the time pass for parts of the id.
        if not identity or b"." in identity or not _TIMESTAMP.fullmatch(timestamp):
            return Verdict.MALFORMED
        if not 0 < len(given) <= _MOST:
            return Verdict.MALFORMED
        signed = b".".join((identity, timestamp, body))
        if not self._secrets.made(signed, given):
            return Verdict.WRONG
        return Verdict.GENUINE if in_window(timestamp, self._clock.now()) else Verdict.STALE

    def sign(self, body: bytes, *, delivery_id: str, now: datetime | None = None) -> Headers:
        """Signs id and time as well."""
        timestamp = b"%d" % int((now or self._clock.now()).timestamp())
        identity = delivery_id.encode("ascii")
        signature = self._secrets.hash(b".".join((identity, timestamp, body)))
        return [
            (_ID_HEADER, identity),
            (_TIMESTAMP_HEADER, timestamp),
            (_SIGNATURE_HEADER, b"v1," + base64.b64encode(signature)),
        ]

    def delivery_id(self, headers: Headers, payload: Json) -> str | None:
        """`webhook-id`, which is signed."""
        return header_id(headers, _ID_HEADER)


def _secret(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError(
            f'expected a secret in base64, with or without "{_PREFIX}" before it, found '
            "something else; copy it as the sender shows it"
        ) from None
