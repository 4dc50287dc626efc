"""Whether a request comes from a program on this machine, as far as its headers tell."""

from __future__ import annotations

import re
from typing import Final

from ductile.config.http import is_loopback
from ductile.http.interfaces import Headers

_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::[0-9]*)?")
#: What proxies add; not all of them, and not always.
_PASSED_ON: Final = frozenset((b"forwarded", b"via", b"x-forwarded-for", b"x-real-ip"))


def by_a_browser(headers: Headers) -> bool:
    """Whether a page made a browser send it; a page from anywhere can, even to loopback."""
    return any(key == b"origin" for key, _ in headers)


def by_a_proxy(headers: Headers) -> bool:
    """Whether a proxy says that it has passed it on."""
    return any(key in _PASSED_ON for key, _ in headers)


def to_loopback(headers: Headers) -> bool:
    """Whether `Host` is a loopback address; a page can make any other name point there."""
    hosts = [value for key, value in headers if key == b"host"]
    match = _HOST.fullmatch(hosts[0].decode("latin-1")) if len(hosts) == 1 else None
    return match is not None and is_loopback(match[1] or match[2])
