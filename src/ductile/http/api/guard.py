"""Who may use the API."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Final

from ductile.config.http import is_loopback
from ductile.http.exchange import Exchange, Rejection
from ductile.http.interfaces import Headers

_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::[0-9]*)?")
_CHALLENGE: Final[Headers] = [(b"www-authenticate", b'Bearer realm="ductile"')]
_BEARER: Final = "bearer"


class Guard:
    """Admits bearers of a token; where there are no tokens, programs on this machine.

    Without tokens browsers are kept out: a page from anywhere could make one send requests to
    loopback, or read from it under a name that it makes point there.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        self._digests = [_digest(token.encode()) for token in tokens]

    def admit(self, exchange: Exchange) -> None:
        """Raise Rejection: 401, always the same, for whoever has no token; 403 for browsers."""
        if self._digests:
            if not self._known(_one(exchange.headers, b"authorization")):
                raise Rejection(
                    401, "expected one of http.tokens: Authorization: Bearer TOKEN", _CHALLENGE
                )
        elif _values(exchange.headers, b"origin"):
            raise Rejection(403, "web pages may not use the API; set http.tokens, and send one")
        elif not _addresses_loopback(_one(exchange.headers, b"host")):
            raise Rejection(
                403, "expected a loopback address as Host; set http.tokens to use other names"
            )

    def _known(self, header: bytes) -> bool:
        scheme, _, token = header.partition(b" ")
        digest = _digest(token.strip(b" "))
        # All are compared, whichever fits, and as hashes: time tells nothing about any of them.
        fits = [hmac.compare_digest(digest, each) for each in self._digests]
        return scheme.decode("latin-1").lower() == _BEARER and any(fits)


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _values(headers: Headers, name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]


def _one(headers: Headers, name: bytes) -> bytes:
    """The value of a header that is there once; empty otherwise."""
    values = _values(headers, name)
    return values[0] if len(values) == 1 else b""


def _addresses_loopback(host: bytes) -> bool:
    match = _HOST.fullmatch(host.decode("latin-1"))
    return match is not None and is_loopback(match[1] or match[2])
