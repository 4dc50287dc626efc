"""Requests as nobody should send them, and what may come back."""

from __future__ import annotations

import logging
import re
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from hypothesis import strategies as st

from ductile.telemetry.signals import PartFailed, Signal
from tests.integration.http.client import Client, head, sign

#: Every status that a mistake of a sender may have; a mistake of the program is none of them.
EXPECTED: Final = frozenset({100, 200, 202, 400, 401, 403, 404, 405, 408, 413, 415, 422, 431})
BODY: Final = b'{"signed": true}'
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")

_METHODS: Final = ("POST", "POST", "POST", "GET", "HEAD", "PUT", "OPTIONS", "CONNECT", "post", "X")
_TARGETS: Final = (
    b"/webhooks/hook",
    b"/webhooks/hook",
    b"/webhooks/hook?a=%ff&b=%00",
    b"/webhooks/hook%2f",
    b"/webhooks%2fhook",
    b"/webhooks/%2e%2e/healthz",
    b"/webhooks/../healthz",
    b"/webhooks//hook",
    b"//webhooks/hook",
    b"/webhooks/hook#part",
    b"/webhooks/%",
    b"/webhooks/%zz%00",
    b"/webhooks/\xff\xfe",
    b"/webhooks/" + b"a" * 3000,
    b"/healthz",
    b"/",
    b"*",
    b"",
    b"http://example.org/webhooks/hook",
    b"http://[/webhooks/hook",
    b"example.org:80",
)
_VERSIONS: Final = (*[b"HTTP/1.1"] * 6, b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"x")
_SIGNATURE: Final = b"X-Sig: " + sign(BODY)["X-Sig"].encode()
_HEADERS: Final = (
    _SIGNATURE,
    _SIGNATURE,
    b"x-sig:" + sign(BODY)["X-Sig"].encode().upper(),
    b"X-Sig: sha256=",
    b"X-Sig: \xff\x00",
    b"Content-Length: 0",
    b"Content-Length: 5",
    b"Content-Length: +16",
    b"Content-Length: 0x10",
    b"Content-Length: -1",
    b"Content-Length: 16, 16",
    b"Content-Length: \xd9\xa3",
    b"Content-Length: 99999999999999999999999999",
    b"Content-Length: 1001",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding:\x0bchunked",
    b"Transfer-Encoding : chunked",
    b"Connection: upgrade",
    b"Upgrade: h2c",
    b"Upgrade: websocket",
    b"Connection: close",
    b"Connection: keep-alive, transfer-encoding",
    b"Expect: 100-continue",
    b"Expect: the worst",
    b"Host: a",
    b"Host: b\xff",
    b" folded: line",
    b"no colon",
    b": no name",
    b"a b: c",
    b"X-Null: \x00",
    b"Content-Type: multipart/form-data; boundary=x",
    b"X-Long: " + b"y" * 20_000,
)
_BODIES: Final = (
    BODY,
    BODY,
    b"",
    b"10\r\n" + BODY + b"\r\n0\r\n\r\n",
    b"010\r\n" + BODY + b"\r\n0\r\nX-Sig: trailer\r\n\r\n",
    b'10;ext="\r\n"\r\n' + BODY + b"\r\n0\r\n\r\n",
    b"ffffffffffffffffff\r\n",
    b"-1\r\n" + BODY,
    b"g\r\n",
    b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    b"x" * 2000,
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One request: every part of it may be a wrong one."""
    method = draw(st.sampled_from(_METHODS)).encode()
    target = draw(st.sampled_from(_TARGETS))
    version = draw(st.sampled_from(_VERSIONS))
    body = draw(st.sampled_from(_BODIES))
    headers = draw(st.lists(st.sampled_from(_HEADERS), max_size=5))
    if draw(st.booleans()):
        headers = [_SIGNATURE, *headers, b"Content-Length: %d" % len(body)]
    end = draw(st.sampled_from([b"\r\n"] * 5 + [b"\n", b"\r"]))
    lines = [b" ".join([method, target, version]), b"Host: test", *headers]
    return end.join([*lines, b"", b""]) + body


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Requests one behind the other, with some bytes of them changed, lost or added."""
    data = bytearray(b"".join(draw(st.lists(requests(), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(data)


RIGHT: Final = (
    head("POST", "/webhooks/hook", _SIGNATURE.decode(), f"Content-Length: {len(BODY)}") + BODY
)
_LAST: Final = head("GET", "/healthz", "Connection: close")
#: Seconds after which a server that has not closed the connection is taken to wait for more.
_WAITS: Final = 0.03


def converse(client: Client, data: bytes) -> list[int]:
    """Send bytes and a last request, and return the statuses of all that comes back."""
    answer = bytearray()
    # It may have heard enough before all is sent.
    with client.connect() as connection, suppress(ConnectionError):
        connection.sendall(data + _LAST)
        while True:
            if not select.select([connection], [], [], _WAITS)[0]:
                # The last request was taken for a part of the one before, which is not over.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
            chunk = connection.recv(65536)
            if not chunk:
                break
            answer += chunk
    return [int(status) for status in _STATUS.findall(bytes(answer))]


@contextmanager
def no_complaint(signals: list[Signal]) -> Iterator[None]:
    """Neither the gateway nor what it stands on may have met something unexpected."""
    records: list[logging.LogRecord] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler = Handler()
    loggers = [logging.getLogger(name) for name in ("asyncio", "uvicorn.error")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
    assert [record.getMessage() for record in records] == []
    assert [each for each in signals if isinstance(each, PartFailed)] == []
