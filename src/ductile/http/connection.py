"""One connection to the server, with limits on what a stranger may cost before being served."""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle
from http import HTTPStatus
from typing import Final

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from ductile.model.json import encode

#: Bytes of request line and headers, give or take one read from the socket.
MAX_HEAD: Final = 64 * 1024
#: Seconds from the first byte of a request, or from connecting, to the end of its headers.
HEAD_TIMEOUT: Final = 15.0
#: Bytes taken from a socket at once.
CHUNK: Final = 32 * 1024
#: Connections at one time. Well below the usual limit of 1024 files, which plugins and the
#: database live on as well.
MAX_CONNECTIONS: Final = 512

_NO_REQUEST: Final = "expected a request in HTTP/1.1"


class Connection(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, but for three things.

    Uvicorn waits for headers for ever and takes any number of them; here both have a limit.
    It loses the body of a request that offers another protocol (`Upgrade: h2c`, as Java's
    client does); here the offer is passed over. And whatever is refused before there is a
    request is refused in JSON as well.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._in_head = True
        self._head_size = 0
        self._boundary = False
        """Whether a head or a request ended within the bytes at hand."""
        self._offers_upgrade = False
        self._head_timer: TimerHandle | None = None

    def connection_made(  # type: ignore[override]  # uvicorn narrows it in the same way
        self, transport: asyncio.Transport
    ) -> None:
        """Begin to wait for a request, unless there are too many who do."""
        # What asyncio reads at once, of which uvicorn keeps twice as much before it pauses: with
        # the usual 256 KiB, as many slow senders as there may be would take 200 MiB.
        transport.max_size = CHUNK  # type: ignore[attr-defined]  # of the selector's transports
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections; come back later")
            return
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer with the connection."""
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; count what belongs to one head and to nothing else."""
        self._boundary = False
        self._feed(data)
        if not self._in_head or self._boundary or self.transport.is_closing():
            return
        self._head_size += len(data)
        if self._head_size > MAX_HEAD:
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"the headers are larger than {MAX_HEAD} bytes",
            )
        elif self._head_timer is None:
            self._start_head_timer()

    def _feed(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        while True:  # a loop, since any number of requests with an offer may come at once
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                # Raised once the head is over; the argument says where in `data` that is.
                rest = data[upgrade.args[0] :]
            except httptools.HttpParserError:
                self._refuse(HTTPStatus.BAD_REQUEST, _NO_REQUEST)
                return
            if self.parser.get_method() == b"CONNECT":
                self._refuse(HTTPStatus.BAD_REQUEST, _NO_REQUEST)
                return
            data = self._head_without_offer() + rest

    def _head_without_offer(self) -> bytes:
        # The parser holds that the body is in the other protocol, and cannot be told otherwise.
        version = self.parser.get_http_version().encode("ascii")
        head = [self.parser.get_method(), b" ", self.url, b" HTTP/", version, b"\r\n"]
        for name, value in self.headers:
            if name != b"upgrade":
                head += [name, b": ", value, b"\r\n"]
        self._offers_upgrade = False
        self.parser = httptools.HttpRequestParser(self)
        return b"".join([*head, b"\r\n"])

    def on_headers_complete(self) -> None:
        """The head is over, in time."""
        # So does CONNECT, which is refused when the parser says so.
        self._offers_upgrade = self.parser.should_upgrade()
        if self._offers_upgrade:
            return
        self._in_head = False
        self._boundary = True
        self._stop_head_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """What follows is the head of the next request."""
        if self._offers_upgrade:
            return
        self._in_head = True
        self._boundary = True
        self._head_size = 0
        super().on_message_complete()

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT, self._head_too_slow)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_too_slow(self) -> None:
        self._refuse(
            HTTPStatus.REQUEST_TIMEOUT, f"the headers did not arrive within {HEAD_TIMEOUT:g} s"
        )

    def _refuse(self, status: HTTPStatus, error: str) -> None:
        self._stop_head_timer()
        body = encode({"error": error})
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()
