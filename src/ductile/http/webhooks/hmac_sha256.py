"""The schemes `hmac-sha256` and `github`: a keyed hash of the body, in hex, in one header."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from ductile.errors import ConfigurationError
from ductile.http.interfaces import Headers
from ductile.http.webhooks.keyed import Secrets
from ductile.http.webhooks.signature import Verdict, header_id, only
from ductile.model.json import Json

_SIGNATURE: Final = re.compile(rb"(?:sha256=)?([0-9a-f]{64})", re.IGNORECASE)
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class HmacSha256:
    """Verifies `HMAC-SHA256(secret, body)`, with or without `sha256=` before the hex digits.

    The id of a delivery is in a header that the sender does not sign: who can send one genuine
    request again can give it another id.
    """

    def __init__(
        self,
        header: str,
        *secrets: str,
        name: str = "hmac-sha256",
        id_header: str | None = None,
    ) -> None:
        """Raises ConfigurationError for a header that cannot be, and for an empty secret."""
        self.name: Final = name
        self._header = _header(header)
        self._secrets = Secrets(secret.encode("utf-8") for secret in secrets)
        self._id_header = None if id_header is None else _header(id_header)

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """Compare in constant time."""
        value = only(headers, self._header)
        if value is None:
            return Verdict.MISSING
        found = _SIGNATURE.fullmatch(value)
        if found is None:
            return Verdict.MALFORMED
        given = bytes.fromhex(found[1].decode("ascii"))
        return Verdict.GENUINE if self._secrets.made(body, [given]) else Verdict.WRONG

    def sign(self, body: bytes, *, delivery_id: str, now: datetime | None = None) -> Headers:
        """Knows no time: `now` is of no consequence."""
        signature = f"sha256={self._secrets.hash(body).hex()}".encode("ascii")
        headers = [(self._header, signature)]
        if self._id_header is not None:
            headers.append((self._id_header, delivery_id.encode("ascii")))
        return headers

    def delivery_id(self, headers: Headers, payload: Json) -> str | None:
        """Of the header that was set for it; None if none was."""
        return None if self._id_header is None else header_id(headers, self._id_header)


def github(*secrets: str) -> HmacSha256:
    """The `github` scheme."""
    header, id_header = "X-Hub-Signature-256", "X-GitHub-Delivery"
    return HmacSha256(header, *secrets, name="github", id_header=id_header)


def _header(name: str) -> bytes:
    if not _HEADER_NAME.fullmatch(name):
        raise ConfigurationError(
            f'expected the name of an HTTP header, found "{name}"; write what the sender '
            "documents, X-Hub-Signature-256 for instance"
        )
    return name.lower().encode("ascii")
