"""`/healthz`, asked politely and otherwise."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from ductile.http.interfaces import Health
from ductile.telemetry.signals import PartFailed
from tests.integration.http.client import Client
from tests.integration.http.conftest import House

WELL = Health({"database": None, "dispatcher": None})
UNWELL = Health({"database": "cannot be written", "dispatcher": None})


def test_a_gateway_that_is_well_says_so(house: House, client: Client) -> None:
    house.open(check=lambda: WELL)
    answer = client.request("GET", "/healthz")
    assert (answer.status, answer.json) == (
        200,
        {"status": "ok", "database": "ok", "dispatcher": "ok"},
    )


def test_a_gateway_that_is_not_says_what_is_wrong(house: House, client: Client) -> None:
    house.open(check=lambda: UNWELL)
    answer = client.request("GET", "/healthz")
    assert (answer.status, answer.json) == (
        503,
        {
            "status": "unwell",
            "error": "database: cannot be written",
            "database": "cannot be written",
            "dispatcher": "ok",
        },
    )


def test_nobody_on_the_way_may_keep_the_answer(client: Client) -> None:
    assert client.request("GET", "/healthz").headers["cache-control"] == "no-store"


def test_head_gives_the_status_without_a_body(house: House, client: Client) -> None:
    house.open(check=lambda: UNWELL)
    answer = client.request("HEAD", "/healthz")
    assert (answer.status, answer.body) == (503, b"")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize("path", ["/healthz/", "/healthz/x", "/Healthz", "/health%7a"])
def test_there_is_one_spelling(client: Client, path: str) -> None:
    assert client.request("GET", path).status == 404


def test_another_method_is_a_405(client: Client) -> None:
    answer = client.request("POST", "/healthz")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_a_check_that_fails_itself_is_bad_news(house: House, client: Client) -> None:
    def check() -> Health:
        raise RuntimeError("inner detail")

    house.open(check=check)
    answer = client.request("GET", "/healthz")
    assert answer.status == 503
    assert "inner detail" not in answer.body.decode()
    assert house.signals == [PartFailed("health check", "RuntimeError: inner detail")]


def test_one_look_answers_everybody_for_a_moment(house: House, client: Client) -> None:
    asked: list[None] = []

    def check() -> Health:
        asked.append(None)
        return WELL

    house.open(check=check)
    for _ in range(5):
        client.request("GET", "/healthz")
    assert len(asked) == 1


def test_a_second_later_it_looks_again(house: House, client: Client) -> None:
    answers = iter([WELL, UNWELL])
    house.open(check=lambda: next(answers))
    first = client.request("GET", "/healthz").status
    house.clock.advance(timedelta(seconds=1))
    assert (first, client.request("GET", "/healthz").status) == (200, 503)


def test_who_waits_for_a_gateway_to_be_well_need_not_wait_for_long(
    house: House, client: Client
) -> None:
    answers = iter([UNWELL, WELL])
    house.open(check=lambda: next(answers))
    at_once = [client.request("GET", "/healthz").status for _ in range(2)]
    house.clock.advance(timedelta(milliseconds=100))
    assert (at_once, client.request("GET", "/healthz").status) == ([503, 503], 200)


def test_those_who_ask_while_it_looks_get_the_same_answer(house: House, client: Client) -> None:
    looking, go_on = threading.Event(), threading.Event()
    asked: list[None] = []

    def check() -> Health:
        asked.append(None)
        looking.set()
        assert go_on.wait(20)
        return WELL

    house.open(check=check)
    with ThreadPoolExecutor(4) as pool:
        pending = [pool.submit(client.request, "GET", "/healthz")]
        assert looking.wait(20)
        # However long it takes: one check at a time.
        house.clock.advance(timedelta(minutes=1))
        pending += [pool.submit(client.request, "GET", "/healthz") for _ in range(3)]
        for _ in pending:
            assert house.clock.readings.acquire(timeout=20)
        # A look that takes its time holds up nobody else.
        assert client.post("/webhooks/hook", b"1").status == 202
        go_on.set()
        assert [each.result().status for each in pending] == [200] * 4
    assert len(asked) == 1
