"""The limits of a connection that take too long, or too many, to show on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from ductile.http.connection import HEAD_TIMEOUT, MAX_CONNECTIONS, Connection
from ductile.http.interfaces import Receive, Scope, Send

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class HandLoop(asyncio.SelectorEventLoop):
    """Remembers the timers that it is given instead of running them."""

    def __init__(self) -> None:
        super().__init__()
        self.timers: list[tuple[asyncio.TimerHandle, float, Callable[..., object]]] = []

    def call_later(  # type: ignore[override]  # the arguments' types do not matter here
        self, delay: float, callback: Callable[..., object], *args: Any, **kwargs: Any
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(0, callback, args, self)
        self.timers.append((timer, delay, callback))
        return timer

    def ring(self) -> None:
        """Run every timer for headers that was not cancelled."""
        for timer, delay, callback in self.timers:
            if delay == HEAD_TIMEOUT and not timer.cancelled():
                callback()


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """What comes in here was in one piece anyway."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Never asked: no test gets as far."""


@pytest.fixture
def loop() -> Iterator[HandLoop]:
    loop = HandLoop()
    yield loop
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def a_connection(loop: HandLoop, others: int = 0) -> tuple[Connection, Wire]:
    state = ServerState()
    config = Config(app, ws="none", interface="asgi3", log_config=None)
    connection = Connection(config, state, {}, loop)
    state.connections.update(Connection(config, state, {}, loop) for _ in range(others))
    wire = Wire()
    connection.connection_made(wire)
    return connection, wire


def test_a_client_that_says_nothing_is_sent_away(loop: HandLoop) -> None:
    _, wire = a_connection(loop)
    loop.ring()
    assert wire.written.startswith(b"HTTP/1.1 408 ")
    assert wire.closed


def test_headers_that_never_end_are_sent_away(loop: HandLoop) -> None:
    connection, wire = a_connection(loop)
    connection.data_received(REQUEST[:-2])
    connection.data_received(b"X: y\r\n")
    loop.ring()
    assert wire.written.startswith(b"HTTP/1.1 408 ")


def test_headers_that_ended_in_time_are_left_alone(loop: HandLoop) -> None:
    connection, wire = a_connection(loop)
    connection.data_received(REQUEST)
    loop.ring()
    assert (wire.written, wire.closed) == (b"", False)


def test_the_timer_ends_with_the_connection(loop: HandLoop) -> None:
    connection, wire = a_connection(loop)
    connection.connection_lost(None)
    loop.ring()
    assert wire.written == b""


def test_the_last_connection_that_there_is_room_for_is_taken(loop: HandLoop) -> None:
    _, wire = a_connection(loop, others=MAX_CONNECTIONS - 1)
    assert (wire.written, wire.closed) == (b"", False)


def test_one_connection_too_many_is_a_503(loop: HandLoop) -> None:
    _, wire = a_connection(loop, others=MAX_CONNECTIONS)
    assert wire.written.startswith(b"HTTP/1.1 503 ")
    assert wire.closed


@pytest.mark.parametrize("offer", [b"", b"Connection: upgrade\r\nUpgrade: h2c\r\n"])
def test_a_request_for_a_proxy_is_refused_once(loop: HandLoop, offer: bytes) -> None:
    connection, wire = a_connection(loop)
    connection.data_received(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n" + offer + b"\r\nwhatever")
    assert wire.written.startswith(b"HTTP/1.1 400 ")
    assert wire.written.count(b"HTTP/1.1 ") == 1
    assert b"expected a request in HTTP" in wire.written
    assert wire.closed


def test_any_number_of_offers_of_another_protocol_may_come_at_once(loop: HandLoop) -> None:
    connection, wire = a_connection(loop)
    offer = REQUEST[:-2] + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    connection.data_received(offer * 1000)
    assert (wire.written, wire.closed) == (b"", False)
    assert len(connection.pipeline) == 999
