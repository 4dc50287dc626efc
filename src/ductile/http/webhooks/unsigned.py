"""The scheme `none`: no signature at all, for programs on this machine."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ductile.http.interfaces import Headers
from ductile.http.locality import by_a_browser, by_a_proxy, to_loopback
from ductile.http.webhooks.signature import Verdict
from ductile.model.json import Json


class Unsigned:
    """Lets in whatever a program on this machine sends, and nothing that a browser sends.

    The settings see to it that the gateway listens on loopback only. Pages that make a browser
    send to loopback, and proxies that say what they are, are kept out here.
    """

    name: Final = "none"

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """GENUINE or FOREIGN."""
        foreign = by_a_browser(headers) or by_a_proxy(headers) or not to_loopback(headers)
        return Verdict.FOREIGN if foreign else Verdict.GENUINE

    def sign(self, body: bytes, *, delivery_id: str, now: datetime | None = None) -> Headers:
        """Nothing but the name of the host."""
        return [(b"host", b"localhost")]

    def delivery_id(self, headers: Headers, payload: Json) -> str | None:
        """None: there is no sender to speak of."""
        return None
