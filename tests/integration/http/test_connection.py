"""What strangers send that is no proper request, and what else a connection has to bear."""

from __future__ import annotations

import re
import socket

import pytest

from ductile.http.connection import MAX_HEAD
from tests.integration.http.client import Client, head, receive_answer, sign
from tests.integration.http.conftest import House

BODY = b"[1]"
SIGNED = f"X-Sig: {sign(BODY)['X-Sig']}"
LENGTH = f"Content-Length: {len(BODY)}"
OFFER = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"]
GOODBYE = head("GET", "/nowhere", "Connection: close")


def all_statuses(connection: socket.socket) -> list[bytes]:
    """Of every answer until the server ends the connection."""
    received = b"".join(iter(lambda: connection.recv(65536), b""))
    return re.findall(rb"HTTP/1\.1 (\d+)", received)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /webhooks/h\xc3\xb6\xc3\xb6k HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /webhooks/hook HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /webhooks/hook HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /webhooks/hook HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nX: a\rb\r\n\r\n",
    ],
    ids=[
        "TLS",
        "words",
        "HTTP/2",
        "path not ASCII",
        "CONNECT",
        "negative length",
        "two lengths",
        "length and chunks",
        "space before colon",
        "bare CR",
    ],
)
def test_what_is_no_proper_request_is_a_400_in_json(client: Client, sent: bytes) -> None:
    with client.connect() as connection:
        connection.sendall(sent)
        answer = receive_answer(connection)
    assert (answer.status, answer.json) == (400, {"error": "expected a request in HTTP/1.1"})


def test_headers_that_are_not_ascii_do_no_harm(client: Client) -> None:
    with client.connect() as connection:
        request = head("POST", "/webhooks/hook", SIGNED, LENGTH, "X-Name: caf\xe9 \u2603")
        connection.sendall(request + BODY)
        assert receive_answer(connection).status == 202


def test_headers_without_end_are_a_431(client: Client) -> None:
    with client.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        connection.sendall(b"".join(b"X-%d: y\r\n" % n for n in range(MAX_HEAD // 4)))
        answer = receive_answer(connection)
    assert (answer.status, list(answer.json)) == (431, ["error"])


def test_large_bodies_do_not_count_as_headers(house: House, client: Client) -> None:
    much = MAX_HEAD * 2
    request = head("POST", "/nowhere", f"Content-Length: {much}") + b"x" * much
    with client.connect() as connection:
        connection.sendall(request)
        assert all_statuses(connection) == [b"404"]


def test_many_small_requests_at_once_do_not_count_as_one(client: Client) -> None:
    count = MAX_HEAD // 20
    with client.connect() as connection:
        connection.sendall(head("HEAD", "/nowhere") * count + GOODBYE)
        assert all_statuses(connection) == [b"404"] * (count + 1)


def test_empty_lines_between_requests_do_no_harm(client: Client) -> None:
    with client.connect() as connection:
        connection.sendall(b"\r\n\r\n" + head("GET", "/nowhere") + b"\r\n" + GOODBYE)
        assert all_statuses(connection) == [b"404", b"404"]


@pytest.mark.parametrize("apart", [False, True], ids=["at once", "body apart"])
def test_a_client_that_offers_another_protocol_is_served_in_this_one(
    house: House, client: Client, apart: bool
) -> None:
    request = head("POST", "/webhooks/hook", *OFFER, SIGNED, LENGTH)
    with client.connect() as connection:
        if apart:
            connection.sendall(request)
            connection.sendall(BODY)
        else:
            connection.sendall(request + BODY)
        assert receive_answer(connection).status == 202
    assert [trigger.payload for trigger in house.intake.triggers] == [[1]]


def test_an_offer_of_another_protocol_does_not_end_the_connection(
    house: House, client: Client
) -> None:
    request = head("POST", "/webhooks/hook", *OFFER, SIGNED, LENGTH) + BODY
    with client.connect() as connection:
        connection.sendall(request + request + head("GET", "/nowhere", *OFFER) + GOODBYE)
        assert all_statuses(connection) == [b"202", b"202", b"404", b"404"]
    assert len(house.intake.triggers) == 2


def test_an_offer_of_websockets_is_passed_over(client: Client) -> None:
    with client.connect() as connection:
        connection.sendall(head("GET", "/nowhere", "Connection: Upgrade", "Upgrade: websocket"))
        assert receive_answer(connection, "GET").status == 404


def test_http_1_0_is_served_and_ended(client: Client) -> None:
    request = f"POST /webhooks/hook HTTP/1.0\r\n{SIGNED}\r\n{LENGTH}\r\n\r\n".encode() + BODY
    with client.connect() as connection:
        connection.sendall(request)
        assert all_statuses(connection) == [b"202"]
