"""The `hmac-sha256` scheme: a keyed hash of the body, in hex, in one header."""

from __future__ import annotations

import hmac
import re
from typing import Final

from ductile.errors import ConfigurationError
from ductile.http.interfaces import Headers
from ductile.http.webhooks.signature import Verdict, only

_SIGNATURE: Final = re.compile(rb"(?:sha256=)?([0-9a-f]{64})", re.IGNORECASE)
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class HmacSha256:
    """Verifies `HMAC-SHA256(secret, body)`, with or without `sha256=` before the hex digits."""

    def __init__(self, header: str, secret: str) -> None:
        """Raises ConfigurationError for a header that cannot be, and for an empty secret."""
        if not _HEADER_NAME.fullmatch(header):
            raise ConfigurationError(
                f'expected the name of an HTTP header, found "{header}"; write what the sender '
                "documents, X-Hub-Signature-256 for instance"
            )
        if not secret:
            raise ConfigurationError(
                f'expected the secret that signs "{header}", found an empty one; anybody could '
                "sign with it, so set the one that the sender uses"
            )
        self._header = header.lower().encode("ascii")
        self._secret = secret.encode("utf-8")

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """Compare in constant time."""
        value = only(headers, self._header)
        if value is None:
            return Verdict.MISSING
        found = _SIGNATURE.fullmatch(value)
        if found is None:
            return Verdict.MALFORMED
        expected = hmac.digest(self._secret, body, "sha256")
        given = bytes.fromhex(found[1].decode("ascii"))
        return Verdict.GENUINE if hmac.compare_digest(expected, given) else Verdict.WRONG
