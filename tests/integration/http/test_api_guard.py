"""Who gets into the API, and what of a request is looked at before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ductile.http.api.app import make_app
from ductile.http.api.door import MAX_BODY
from ductile.http.api.waiting import Waits
from ductile.storage.sqlite.store import open_store
from tests.integration.http.api import BEARER, TOKEN, ApiHouse
from tests.integration.http.client import Client, head, receive_answer
from tests.integration.http.doubles import HandClock, Stage

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def locked(stage_and_client: tuple[Stage, Client], tmp_path: Path) -> Iterator[ApiHouse]:
    """With two tokens, of which tests use the second."""
    store = open_store(tmp_path / "ductile.db", HandClock())
    yield ApiHouse(*stage_and_client, store, tmp_path, tokens=("another-long-token", TOKEN))
    store.close()


@pytest.fixture
def open_house(stage_and_client: tuple[Stage, Client], tmp_path: Path) -> Iterator[ApiHouse]:
    """Without a token."""
    store = open_store(tmp_path / "ductile.db", HandClock())
    yield ApiHouse(*stage_and_client, store, tmp_path, tokens=())
    store.close()


def test_no_route_is_answered_without_a_token(locked: ApiHouse) -> None:
    described = make_app(locked.parts, Waits(locked.parts.telemetry)).openapi()["paths"]
    routes = [(verb.upper(), path) for path, verbs in described.items() for verb in verbs]
    assert len(routes) == 9
    elsewhere = [("GET", "/api/v1/openapi.json"), ("GET", "/api/v1/nowhere"), ("PUT", "/api/")]

    answers = [
        (locked.client.request(verb, path).status, verb, path) for verb, path in routes + elsewhere
    ]

    assert [each for each in answers if each[0] != 401] == []


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN} {TOKEN}",
        "Bearer \xff",
    ],
)
def test_every_wrong_token_gets_one_and_the_same_answer(
    locked: ApiHouse, header: str | None
) -> None:
    answer = locked.get("/jobs", {} if header is None else {"Authorization": header})

    assert (answer.status, answer.json, answer.headers["www-authenticate"]) == (
        401,
        {"error": "expected one of http.tokens: Authorization: Bearer TOKEN"},
        'Bearer realm="ductile"',
    )


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_the_bearer_of_a_token_is_let_in(locked: ApiHouse, scheme: str) -> None:
    assert locked.get("/jobs", {"Authorization": f"{scheme} {TOKEN}"}).status == 200


def test_two_authorizations_are_none(locked: ApiHouse) -> None:
    with locked.client.connect() as connection:
        line = f"Authorization: Bearer {TOKEN}"
        connection.sendall(head("GET", "/api/v1/jobs", line, line))

        assert receive_answer(connection, "GET").status == 401


def test_with_a_token_other_names_and_web_pages_may_use_it(locked: ApiHouse) -> None:
    headers = {**BEARER, "Host": "ductile.example.org", "Origin": "https://example.org"}

    assert locked.get("/jobs", headers).status == 200


def test_webhooks_and_health_need_no_token(locked: ApiHouse) -> None:
    assert locked.client.request("GET", "/healthz").status == 200
    assert locked.client.post("/webhooks/none", b"{}").status == 404


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "127.3.2.1", "localhost", "LOCALHOST:1", "[::1]:80"]
)
def test_without_tokens_programs_on_this_machine_are_let_in(
    open_house: ApiHouse, host: str
) -> None:
    assert open_house.get("/jobs", {"Host": host}).status == 200


@pytest.mark.parametrize(
    "host", ["example.org", "localhost.example.org", "10.0.0.1", "::1", "", "127.0.0.1@x"]
)
def test_without_tokens_other_names_are_refused(open_house: ApiHouse, host: str) -> None:
    answer = open_house.get("/jobs", {"Host": host})

    assert answer.status == 403
    assert answer.json["error"].startswith("expected a loopback address as Host")


@pytest.mark.parametrize("origin", ["https://example.org", "null", "http://localhost:8080", ""])
def test_without_tokens_web_pages_are_refused(open_house: ApiHouse, origin: str) -> None:
    answer = open_house.post("/pipelines/greet/runs", headers={"Origin": origin})

    assert answer.status == 403
    assert not open_house.intake.triggers


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""]
)
def test_a_body_that_does_not_say_it_is_json_is_refused(open_house: ApiHouse, kind: str) -> None:
    answer = open_house.client.request(
        "POST", "/api/v1/pipelines/greet/runs", b"{}", {"Content-Type": kind}
    )

    assert answer.status == 415
    assert not open_house.intake.triggers


def test_json_may_say_its_charset(open_house: ApiHouse) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}

    answer = open_house.post("/pipelines/greet/runs", {}, headers)

    assert answer.status == 202


def test_a_body_over_the_limit_is_refused_before_it_is_there(open_house: ApiHouse) -> None:
    with open_house.client.connect() as connection:
        begun = head(
            "POST",
            "/api/v1/events",
            "Content-Type: application/json",
            f"Content-Length: {MAX_BODY + 1}",
        )
        connection.sendall(begun.replace(b"Host: test", b"Host: localhost"))

        answer = receive_answer(connection)

    assert answer.status == 413
    assert answer.json == {
        "error": f"the body is larger than {MAX_BODY} bytes; nothing was accepted"
    }


def test_a_body_of_unannounced_length_is_cut_off_at_the_limit(open_house: ApiHouse) -> None:
    with open_house.client.connect() as connection:
        begun = head(
            "POST",
            "/api/v1/events",
            "Content-Type: application/json",
            "Transfer-Encoding: chunked",
        )
        connection.sendall(begun.replace(b"Host: test", b"Host: localhost"))
        connection.sendall(b"%x\r\n" % (MAX_BODY + 1) + b"x" * (MAX_BODY + 1))

        assert receive_answer(connection).status == 413


def test_a_body_at_the_limit_is_taken(open_house: ApiHouse) -> None:
    event = {"type": "big.one", "payload": {"text": ""}}
    event["payload"] = {"text": "x" * (MAX_BODY - len(json.dumps(event)))}
    body = json.dumps(event).encode()
    assert len(body) == MAX_BODY

    answer = open_house.client.request("POST", "/api/v1/events", body, JSON)

    assert answer.status == 202


def test_nothing_of_a_body_is_read_from_a_stranger(locked: ApiHouse) -> None:
    with locked.client.connect() as connection:
        connection.sendall(head("POST", "/api/v1/events", "Content-Length: 100"))

        assert receive_answer(connection).status == 401
