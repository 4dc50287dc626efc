"""Who may use the API."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from ductile.http.exchange import Exchange, Rejection
from ductile.http.interfaces import Headers
from ductile.http.locality import by_a_browser, to_loopback

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
        elif by_a_browser(exchange.headers):
            raise Rejection(403, "web pages may not use the API; set http.tokens, and send one")
        elif not to_loopback(exchange.headers):
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


def _one(headers: Headers, name: bytes) -> bytes:
    """The value of a header that is there once; empty otherwise."""
    values = [value for key, value in headers if key == name]
    return values[0] if len(values) == 1 else b""
