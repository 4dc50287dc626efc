"""Bodies that are too large, too slow, or never whole."""

from __future__ import annotations

import pytest

from tests.integration.http.client import Client, head, receive_answer, sign
from tests.integration.http.conftest import MAX_BODY, House

CHUNKED = "Transfer-Encoding: chunked"
FULL = b'"' + b"x" * (MAX_BODY - 2) + b'"'


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def signature(body: bytes) -> str:
    return f"X-Sig: {sign(body)['X-Sig']}"


def test_a_body_of_exactly_the_limit_is_accepted(client: Client) -> None:
    assert client.post("/webhooks/hook", FULL).status == 202


def test_a_body_of_one_byte_more_is_a_413(house: House, client: Client) -> None:
    answer = client.post("/webhooks/hook", FULL + b" ")
    assert (answer.status, house.intake.triggers) == (413, [])
    assert answer.json == {
        "error": f"the body is larger than {MAX_BODY} bytes; nothing was accepted"
    }


def test_a_length_over_the_limit_is_refused_before_any_body_is_sent(client: Client) -> None:
    with client.connect() as connection:
        connection.sendall(head("POST", "/webhooks/hook", f"Content-Length: {MAX_BODY + 1}"))
        answer = receive_answer(connection)
    assert (answer.status, answer.headers["connection"]) == (413, "close")


def test_a_client_that_asks_first_is_not_told_to_send_too_much(client: Client) -> None:
    with client.connect() as connection:
        length = f"Content-Length: {MAX_BODY + 1}"
        connection.sendall(head("POST", "/webhooks/hook", length, "Expect: 100-continue"))
        first = connection.recv(65536)
    assert first.startswith(b"HTTP/1.1 413 ")


def test_a_client_that_asks_first_is_told_to_go_on(client: Client) -> None:
    with client.connect() as connection:
        lines = [signature(FULL), f"Content-Length: {len(FULL)}", "Expect: 100-continue"]
        connection.sendall(head("POST", "/webhooks/hook", *lines))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(FULL)
        assert receive_answer(connection).status == 202


def test_a_body_over_the_limit_is_refused_while_it_arrives(house: House, client: Client) -> None:
    with client.connect() as connection:
        connection.sendall(head("POST", "/webhooks/hook", CHUNKED) + chunk(FULL) + chunk(b" "))
        # The body has not ended and never will; the answer is there all the same.
        assert receive_answer(connection).status == 413
    assert house.intake.triggers == []


def test_a_client_that_sends_on_after_a_413_can_still_read_it(client: Client) -> None:
    much = b"x" * 4_000_000
    with client.connect() as connection:
        connection.sendall(head("POST", "/webhooks/hook", f"Content-Length: {len(much)}") + much)
        assert receive_answer(connection).status == 413
        assert connection.recv(1) == b""


def test_the_connection_of_a_413_ends_with_the_client(client: Client) -> None:
    with client.connect() as connection:
        connection.sendall(head("POST", "/webhooks/hook", CHUNKED) + chunk(FULL + FULL))
        assert receive_answer(connection).status == 413
        connection.sendall(chunk(b"x") + b"0\r\n\r\n")
        assert connection.recv(1) == b""


@pytest.mark.parametrize("path", ["/nowhere", "/webhooks/other", "/healthz"])
def test_a_body_that_nobody_wants_is_not_waited_for(client: Client, path: str) -> None:
    with client.connect() as connection:
        connection.sendall(head("POST", path, "Content-Length: 10000000"))
        answer = receive_answer(connection)
    assert answer.status == (405 if path == "/healthz" else 404)
    assert answer.headers["connection"] == "close"


def test_a_body_in_pieces_is_put_together(house: House, client: Client) -> None:
    with client.connect() as connection:
        connection.sendall(head("POST", "/webhooks/hook", signature(b"[1,2]"), CHUNKED))
        for piece in (b"[1", b",", b"2]"):
            connection.sendall(chunk(piece))
        connection.sendall(b"0\r\n\r\n")
        assert receive_answer(connection).status == 202
    assert [trigger.payload for trigger in house.intake.triggers] == [[1, 2]]


def test_a_body_that_takes_too_long_is_a_408(house: House, client: Client) -> None:
    house.open(body_timeout=0.02)
    with client.connect() as connection:
        connection.sendall(head("POST", "/webhooks/hook", "Content-Length: 10") + b"[1")
        answer = receive_answer(connection)
    assert (answer.status, house.intake.triggers) == (408, [])
    assert answer.headers["connection"] == "close"


def test_a_client_that_goes_away_within_its_body_leaves_nothing(
    house: House, client: Client
) -> None:
    body = b"[1,2]"
    with client.connect() as connection:
        lines = [signature(body), f"Content-Length: {len(body) + 1}", "Expect: 100-continue"]
        connection.sendall(head("POST", "/webhooks/hook", *lines))
        # It reads the body now.
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
    assert client.request("GET", "/healthz").status == 200
    assert (house.intake.triggers, house.signals) == ([], [])
