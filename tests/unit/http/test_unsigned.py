"""The scheme `none`: who may send where nothing is signed."""

from __future__ import annotations

import pytest

from ductile.http.webhooks.signature import Verdict
from ductile.http.webhooks.unsigned import Unsigned

SCHEME = Unsigned()


@pytest.mark.parametrize(
    "host", [b"localhost", b"127.0.0.1:8080", b"[::1]:8080", b"LOCALHOST:80", b"127.9.9.9"]
)
def test_programs_on_this_machine_may_send(host: bytes) -> None:
    assert SCHEME.verify([(b"host", host)], b"{}") is Verdict.GENUINE


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"host", b"example.org")],
        [(b"host", b"localhost.example.org")],
        [(b"host", b"localhost"), (b"host", b"localhost")],
        [(b"host", b"localhost"), (b"origin", b"http://localhost")],
        [(b"host", b"localhost"), (b"origin", b"null")],
        *([(b"host", b"localhost"), (name, b"x")] for name in (b"forwarded", b"via")),
        *([(b"host", b"localhost"), (name, b"x")] for name in (b"x-forwarded-for", b"x-real-ip")),
    ],
)
def test_web_pages_proxies_and_other_names_may_not(headers: list[tuple[bytes, bytes]]) -> None:
    assert SCHEME.verify(headers, b"{}") is Verdict.FOREIGN


def test_what_it_signs_it_lets_in_and_there_is_no_id() -> None:
    headers = SCHEME.sign(b"{}", delivery_id="d")
    assert SCHEME.verify(headers, b"{}") is Verdict.GENUINE
    assert SCHEME.delivery_id(headers, {"id": "d"}) is None
