"""One request from the network and its one answer."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from ductile.http.interfaces import Application, Headers, Message, Receive, Scope, Send
from ductile.model.json import Json, encode

#: Seconds for which an answer that came before the end of the body waits for the rest of it.
LINGER: Final = 2.0
JSON: Final = "application/json"
#: Bytes of each body that are always kept, however many large ones there are.
SMALL: Final = 64 * 1024
#: For answers that say "not now".
TRY_LATER: Final[Headers] = [(b"retry-after", b"5")]


class Rejection(Exception):
    """The request is answered with an error."""

    def __init__(
        self, status: int, error: str, headers: Headers = (), *, reason: str | None = None
    ) -> None:
        """`error` is for the sender, `reason` for the operator; None: no more than `error`."""
        super().__init__(error)
        self.status = status
        self.headers = headers
        self.reason = reason or error


class Disconnected(Exception):
    """The client went away before its request was whole."""


class Room:
    """Memory for the bodies of all requests in flight.

    The first `SMALL` bytes of each are free: there are no more than connections, and nobody
    who fills the rest keeps small bodies out. Used on the thread of the event loop only.
    """

    def __init__(self, size: int = 64 * 1024 * 1024) -> None:
        """`size` in bytes; one body that is larger has room when it is the only one."""
        self._size = size
        self._used = 0

    def take(self, more: int, *, held: int) -> bool:
        """Take `more` bytes for somebody who holds `held`; False if there is no room."""
        if self._used > held and self._used + more > self._size:
            return False
        self._used += more
        return True

    def give_back(self, held: int) -> None:
        """Let go of what was taken."""
        self._used -= held


class Exchange:
    """A request that is read at most once and answered exactly once."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, room: Room | None = None
    ) -> None:
        """`room` is shared with other requests; to `close` gives back what this one took."""
        self.method: str = scope["method"]
        #: Not percent-decoded, so that one resource has one spelling.
        self.path: str = scope["raw_path"].decode("ascii", "replace")
        self.headers: Headers = scope["headers"]
        self.answered = False
        self._scope = scope
        self._receive = receive
        self._send = send
        self._room = room or Room()
        self._held = 0
        self._length = 0
        self._chunked = False
        for name, value in self.headers:
            if name == b"content-length":
                self._length = int(value)
            elif name == b"transfer-encoding":
                self._chunked = True
        self._body_expected = self._chunked or self._length > 0

    def allow(self, *methods: str) -> None:
        """Raise Rejection 405 for any other method."""
        if self.method not in methods:
            allowed = ", ".join(methods)
            raise Rejection(
                405,
                f"expected method {' or '.join(methods)}",
                [(b"allow", allowed.encode("ascii"))],
            )

    async def body(self, *, limit: int, within: float) -> bytes:
        """The whole body, of at most `limit` bytes, arrived `within` so many seconds.

        Raises Rejection 413 as soon as the limit is passed, or announced to be passed, 408
        when the time is over, 503 when others fill the room, and Disconnected.
        """
        if self._length > limit:
            raise _too_large(limit)
        try:
            async with asyncio.timeout(within):
                return await self._read(limit)
        except TimeoutError:
            raise Rejection(
                408, f"the body did not arrive within {within:g} s; nothing was accepted"
            ) from None

    async def _read(self, limit: int) -> bytes:
        whole = bytearray()
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            whole += message.get("body", b"")
            if len(whole) > limit:
                raise _too_large(limit)
            self._hold(len(whole) - SMALL)
            if not message.get("more_body", False):
                self._body_expected = False
                return bytes(whole)

    def _hold(self, size: int) -> None:
        more = size - self._held
        if more <= 0:
            return
        if not self._room.take(more, held=self._held):
            raise Rejection(
                503,
                "too many large bodies arrive at the same time; nothing was accepted; "
                "send it again later",
                TRY_LATER,
            )
        self._held = size

    def close(self) -> None:
        """The request is over; harmless when called again."""
        held, self._held = self._held, 0
        self._room.give_back(held)

    async def answer_json(self, status: int, value: Json, headers: Headers = ()) -> None:
        """Answer with a JSON document."""
        await self.answer(status, encode(value), headers=headers)

    async def answer(
        self, status: int, body: bytes, *, content_type: str = JSON, headers: Headers = ()
    ) -> None:
        """Send the answer; one that comes before the end of the body ends the connection."""
        self.answered = True
        head = list(headers)
        if status != 204:
            head.append((b"content-type", content_type.encode("ascii")))
            head.append((b"content-length", b"%d" % len(body)))
        if self._body_expected:
            head.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": status, "headers": head})
        if self._body_expected:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
            await self._drain()
            body = b""
        await self._send({"type": "http.response.body", "body": body})

    async def hand_on(self, application: Application, body: bytes) -> None:
        """Let another application answer; `body` is the whole of it, as read before."""
        unread = True

        async def receive() -> Message:
            nonlocal unread
            if not unread:
                return await self._receive()
            unread = False
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            self.answered = True
            await self._send(message)

        await application(self._scope, receive, send)

    async def _drain(self) -> None:
        # Closing a socket that holds unread bytes resets the connection, and the reset can
        # overtake the answer that a client which is still sending has yet to read. A server
        # that stops does not wait for it: the answer is out, and this ends anyway.
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(LINGER):
                while (await self._receive()).get("more_body", False):
                    pass


def _too_large(limit: int) -> Rejection:
    return Rejection(413, f"the body is larger than {limit} bytes; nothing was accepted")
