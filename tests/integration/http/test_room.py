"""Many large bodies at a time: what they may take together."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from ductile.http.exchange import SMALL, Room
from tests.integration.http.client import Client, head, receive_answer, sign
from tests.integration.http.conftest import HOOK, House

SIZE = 100_000
LARGE = b'"' + b"x" * (SMALL + SIZE - 2) + b'"'
FILLING = LARGE[:-1]


class WatchedRoom(Room):
    """Tells when somebody has taken a lot."""

    def __init__(self) -> None:
        super().__init__(SIZE)
        self.filled = threading.Event()
        self._taken = 0

    def take(self, more: int, *, held: int) -> bool:
        self._taken += more
        if self._taken >= SIZE - 1:
            self.filled.set()
        return super().take(more, held=held)


@pytest.fixture
def room(house: House) -> WatchedRoom:
    room = WatchedRoom()
    house.open([replace(HOOK, max_body=1_000_000)], room=room)
    return room


def lines(body: bytes) -> bytes:
    signature = f"X-Sig: {sign(body)['X-Sig']}"
    return head("POST", "/webhooks/hook", signature, f"Content-Length: {len(body)}")


def test_a_large_body_is_refused_for_now_while_another_fills_the_room(
    client: Client, room: WatchedRoom
) -> None:
    with client.connect() as connection:
        connection.sendall(lines(LARGE) + FILLING)
        assert room.filled.wait(20)
        refused = client.post("/webhooks/hook", LARGE)
        small = client.post("/webhooks/hook", b"1")
        connection.sendall(LARGE[len(FILLING) :])
        whole = receive_answer(connection)
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert "too many large bodies" in refused.json["error"]
    assert (small.status, whole.status) == (202, 202)


@pytest.mark.usefixtures("room")
def test_room_is_given_back(client: Client) -> None:
    assert [client.post("/webhooks/hook", LARGE).status for _ in range(3)] == 3 * [202]


def test_room_is_given_back_by_who_goes_away(client: Client, room: WatchedRoom) -> None:
    with client.connect() as connection:
        connection.sendall(lines(LARGE) + FILLING)
        assert room.filled.wait(20)
    # Its end may be noticed after the next request has begun.
    statuses = [client.post("/webhooks/hook", LARGE).status for _ in range(50)]
    assert statuses[-1] == 202


@pytest.mark.usefixtures("room")
def test_one_body_that_is_larger_than_the_room_has_room_when_it_is_alone(client: Client) -> None:
    assert client.post("/webhooks/hook", b'"' + b"x" * 5 * SIZE + b'"').status == 202
