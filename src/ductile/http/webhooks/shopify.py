"""The `shopify` scheme: a keyed hash of the body, in base64."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Final

from ductile.http.interfaces import Headers
from ductile.http.webhooks.keyed import Secrets
from ductile.http.webhooks.signature import Verdict, header_id, only
from ductile.model.json import Json

_SIGNATURE_HEADER: Final = b"x-shopify-hmac-sha256"
_ID_HEADER: Final = b"x-shopify-webhook-id"
_SIZE: Final = 32


class Shopify:
    """Verifies `X-Shopify-Hmac-Sha256`. Shopify signs neither time nor id."""

    name: Final = "shopify"

    def __init__(self, *secrets: str) -> None:
        """Each secret is a client secret of the app."""
        self._secrets = Secrets(secret.encode("utf-8") for secret in secrets)

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """Compare in constant time."""
        value = only(headers, _SIGNATURE_HEADER)
        if value is None:
            return Verdict.MISSING
        try:
            given = base64.b64decode(value, validate=True)
        except binascii.Error:
            return Verdict.MALFORMED
        if len(given) != _SIZE:
            return Verdict.MALFORMED
        return Verdict.GENUINE if self._secrets.made(body, [given]) else Verdict.WRONG

    def sign(self, body: bytes, *, delivery_id: str, now: datetime | None = None) -> Headers:
        """Knows no time: `now` is of no consequence."""
        signature = base64.b64encode(self._secrets.hash(body))
        return [(_SIGNATURE_HEADER, signature), (_ID_HEADER, delivery_id.encode("ascii"))]

    def delivery_id(self, headers: Headers, payload: Json) -> str | None:
        """From a header that is not signed."""
        return header_id(headers, _ID_HEADER)
