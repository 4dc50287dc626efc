"""The server as a service: it starts, says where, stops, and tells when it cannot."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from ductile.errors import ConfigurationError
from ductile.http.interfaces import Receive, Scope, Send
from ductile.http.server import HttpServer
from tests.integration.http.client import Client, head, receive_answer, sign
from tests.integration.http.conftest import HOOK, House
from tests.integration.http.doubles import Stage

FIRST_FREE_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
BODY = b"[1]"
REQUEST = (
    head("POST", "/webhooks/hook", f"X-Sig: {sign(BODY)['X-Sig']}", f"Content-Length: {len(BODY)}")
    + BODY
)

MakeServer = Callable[..., HttpServer]


@pytest.fixture
def make_server() -> Iterator[MakeServer]:
    """Servers that are stopped after the test; the application stays to be put on the stage."""
    made: list[HttpServer] = []

    def make(
        stage: Stage | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        grace: timedelta = timedelta(seconds=20),
    ) -> HttpServer:
        made.append(HttpServer(stage or Stage(), host, port, grace=grace))
        return made[-1]

    yield make
    for server in made:
        server.stop()


def own_house(server: HttpServer, stage: Stage) -> House:
    server.start()
    house = House(stage, Client(server.address))
    house.open([HOOK])
    return house


def test_a_started_server_takes_connections_at_once(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    socket.create_connection(server.address, timeout=20).close()


def test_the_address_holds_the_real_port(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    host, port = server.address
    assert host == "127.0.0.1"
    assert port > 0


def test_starting_twice_changes_nothing(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    address = server.address
    server.start()
    assert server.address == address


def test_stop_before_start_is_harmless(make_server: MakeServer) -> None:
    make_server().stop()


def test_stopping_twice_is_harmless(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    server.stop()
    server.stop()


def test_a_stopped_server_takes_no_connections(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    address = server.address
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=20)


def test_a_server_that_was_stopped_can_start_on_its_port_again(make_server: MakeServer) -> None:
    stage = Stage()
    first = make_server(stage)
    house = own_house(first, stage)
    house.client.post("/webhooks/hook", BODY)
    address = first.address
    first.stop()
    second = make_server(stage, port=address[1])
    second.start()
    assert house.client.post("/webhooks/hook", BODY).status == 202


def test_stop_from_many_threads_returns_in_all_of_them(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    with ThreadPoolExecutor(4) as pool:
        for stopped in [pool.submit(server.stop) for _ in range(4)]:
            stopped.result(timeout=20)


def test_stop_lets_a_request_in_flight_finish(make_server: MakeServer) -> None:
    stage = Stage()
    server = make_server(stage)
    house = own_house(server, stage)
    house.intake.held = True
    with house.client.connect() as idle, house.client.connect() as connection:
        idle.sendall(head("GET", "/healthz"))
        assert receive_answer(idle, "GET").status == 200
        connection.sendall(REQUEST)
        commit = house.intake.commits.get(timeout=20)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        # A connection without a request is closed first: a sign that the stop is under way.
        assert idle.recv(1) == b""
        commit.set_result(house.intake.acceptance)
        answer = receive_answer(connection)
        stopping.join(20)
    assert (answer.status, answer.headers["connection"]) == (202, "close")


def test_after_the_grace_a_request_in_flight_is_told_that_it_is_unconfirmed(
    make_server: MakeServer,
) -> None:
    stage = Stage()
    server = make_server(stage, grace=timedelta(0))
    house = own_house(server, stage)
    house.intake.held = True
    with house.client.connect() as connection:
        connection.sendall(REQUEST)
        commit = house.intake.commits.get(timeout=20)
        server.stop()
        answer = receive_answer(connection)
    assert (answer.status, "send it again" in answer.json["error"]) == (503, True)
    # The commit itself was not called off.
    assert not commit.cancelled()
    assert house.signals == []


def test_stop_does_not_wait_for_a_body_longer_than_the_grace(make_server: MakeServer) -> None:
    stage = Stage()
    server = make_server(stage, grace=timedelta(0))
    house = own_house(server, stage)
    with house.client.connect() as connection:
        lines = ["Content-Length: 10", "Expect: 100-continue"]
        connection.sendall(head("POST", "/webhooks/hook", *lines))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        server.stop()
        assert receive_answer(connection).status == 503


def test_a_port_in_use_is_explained(make_server: MakeServer) -> None:
    first = make_server()
    first.start()
    port = first.address[1]
    with pytest.raises(ConfigurationError) as caught:
        make_server(port=port).start()
    assert str(caught.value) == (
        f'cannot listen on "127.0.0.1:{port}": the port is in use; stop what uses it, or set '
        "another one in http.listen"
    )


@pytest.mark.parametrize(
    ("host", "port", "found"),
    [
        ("192.0.2.1", 0, "no such address on this machine"),
        ("a..b", 0, "the address is not known"),
        ("", 0, "the address is not known"),
        ("127.0.0.1", 65536, "no such port"),
        ("127.0.0.1", -1, "no such port"),
    ],
)
def test_an_address_that_cannot_be_is_explained(
    make_server: MakeServer, host: str, port: int, found: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"{found}.* http\.listen"):
        make_server(host=host, port=port).start()


@pytest.mark.skipif(
    os.geteuid() == 0 or int(FIRST_FREE_PORT.read_text()) <= 1,
    reason="this user may listen on any port",
)
def test_a_port_that_is_not_permitted_is_explained(make_server: MakeServer) -> None:
    with pytest.raises(ConfigurationError, match=r"above 1023 in http\.listen"):
        make_server(port=1).start()


def test_it_listens_on_ipv6(make_server: MakeServer) -> None:
    server = make_server(host="::1")
    try:
        server.start()
    except ConfigurationError:
        pytest.skip("this machine has no IPv6")
    assert server.address[0] == "::1"
    socket.create_connection(server.address, timeout=20).close()


def test_a_name_listens_on_its_ipv4_address(make_server: MakeServer) -> None:
    server = make_server(host="localhost")
    server.start()
    assert server.address[0].startswith("127.")


def test_signals_are_left_alone(make_server: MakeServer) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    server = make_server()
    server.start()
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_thread_that_ends_unasked_tells_somebody() -> None:
    told: list[BaseException] = []
    ended = threading.Event()

    def on_failure(error: BaseException) -> None:
        told.append(error)
        # Whoever is told may stop the server right away.
        server.stop()
        ended.set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await Stage()(scope, receive, send)
        else:
            asyncio.get_running_loop().stop()

    server = HttpServer(app, "127.0.0.1", 0, on_failure=on_failure)
    server.start()
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall(head("GET", "/"))
        assert ended.wait(20)
    failure = server.failure
    server.stop()
    assert isinstance(failure, RuntimeError)
    assert told == [failure]


def test_an_application_that_cannot_start_is_told_to_who_starts_it() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    server = HttpServer(app, "127.0.0.1", 0)
    with pytest.raises(RuntimeError, match="did not start"):
        server.start()
    server.stop()
