"""Endpoints of senders with habits of their own: forms, handshakes, answers; and a flood."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from ductile.config.endpoints import EndpointSettings
from ductile.http.app import HttpApp
from ductile.http.health import HealthDoor
from ductile.http.interfaces import Health, Message
from ductile.http.webhooks.app import WebhookDoor
from ductile.http.webhooks.build import build_endpoint
from ductile.http.webhooks.endpoint import Endpoint
from ductile.http.webhooks.notes import Notes
from ductile.http.webhooks.refusals import Refusals
from ductile.http.webhooks.signature import Verdict
from ductile.model.json import Json
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import WebhookRefused
from tests.integration.http.client import Answer
from tests.integration.http.conftest import HOOK, House

FORM = "application/x-www-form-urlencoded"
COMMAND = urlencode({"token": "t", "command": "/go", "text": "a & b"}).encode()


def opened(house: House, signature: Mapping[str, Json]) -> Endpoint:
    """The endpoint `hook` with such a signature, behind an open door."""
    settings = EndpointSettings.model_validate(
        {"name": "hook", "event": "sender.said", "signature": dict(signature)}
    )
    endpoint = build_endpoint(settings, house.clock)
    house.open([endpoint])
    return endpoint


def send(
    house: House, endpoint: Endpoint, body: bytes, content_type: str = "application/json"
) -> Answer:
    signed = endpoint.scheme.sign(body, delivery_id="d-1")
    headers = {name.decode(): value.decode() for name, value in signed}
    headers["content-type"] = content_type
    return house.client.post("/webhooks/hook", body, headers)


@pytest.fixture
def slack(house: House) -> Endpoint:
    return opened(house, {"scheme": "slack", "secret": "s3cret"})


@pytest.fixture
def github(house: House) -> Endpoint:
    return opened(house, {"scheme": "github", "secret": "s3cret"})


# Slack


def test_the_challenge_of_slack_is_answered_and_becomes_nothing(
    house: House, slack: Endpoint
) -> None:
    body = b'{"type": "url_verification", "challenge": "3eZbrw", "token": "t"}'
    answer = send(house, slack, body)
    assert (answer.status, answer.json, house.intake.triggers) == (200, {"challenge": "3eZbrw"}, [])


def test_a_challenge_that_is_not_signed_is_a_401(house: House, slack: Endpoint) -> None:
    body = b'{"type": "url_verification", "challenge": "3eZbrw"}'
    assert house.client.post("/webhooks/hook", body, {}).status == 401


def test_a_command_is_answered_with_an_empty_200_and_becomes_an_event(
    house: House, slack: Endpoint
) -> None:
    answer = send(house, slack, COMMAND, FORM)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["x-ductile-event-id"] == house.intake.acceptance.event_id
    (trigger,) = house.intake.triggers
    assert trigger.payload == {"command": "/go", "text": "a & b"}


def test_a_click_is_the_json_in_its_form_without_the_token(house: House, slack: Endpoint) -> None:
    click = {"type": "block_actions", "token": "t", "actions": [{"value": "yes"}]}
    assert (
        send(house, slack, urlencode({"payload": json.dumps(click)}).encode(), FORM).status == 200
    )
    (trigger,) = house.intake.triggers
    assert trigger.payload == {"type": "block_actions", "actions": [{"value": "yes"}]}


def test_a_look_at_the_certificate_becomes_nothing(house: House, slack: Endpoint) -> None:
    answer = send(house, slack, b"ssl_check=1&token=t", FORM)
    assert (answer.status, house.intake.triggers) == (200, [])


def test_a_form_that_is_not_signed_is_a_401_whatever_it_holds(
    house: House, slack: Endpoint
) -> None:
    for body in (COMMAND, b"no form", b""):
        answer = house.client.post("/webhooks/hook", body, {"content-type": FORM})
        assert answer.status == 401
    assert house.intake.triggers == []


# GitHub


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"action": "opened"}', "application/json"),
        (b"payload=%7B%22action%22%3A+%22opened%22%7D", FORM),
    ],
)
def test_a_push_is_the_same_event_as_json_and_as_a_form(
    house: House, github: Endpoint, body: bytes, content_type: str
) -> None:
    assert send(house, github, body, content_type).status == 202
    assert [trigger.payload for trigger in house.intake.triggers] == [{"action": "opened"}]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"title": "&payload=%7B%22admin%22%3Atrue%7D&"}', FORM),
        (b"payload=%7B%22action%22%3A+%22opened%22%7D", "application/json"),
        (b"payload=%7B%22action%22%3A+%22opened%22%7D", "text/plain"),
    ],
)
def test_a_content_type_that_was_changed_on_the_way_is_a_400(
    house: House, github: Endpoint, body: bytes, content_type: str
) -> None:
    answer = send(house, github, body, content_type)
    assert (answer.status, house.intake.triggers) == (400, [])


# Nothing signed


def test_a_program_on_this_machine_needs_no_signature_where_that_is_said(house: House) -> None:
    opened(house, {"scheme": "none", "accept_unsigned": True})
    assert house.client.post("/webhooks/hook", b"{}", {}).status == 202


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://127.0.0.1:8080"}, {"Host": "example.org"}, {"X-Forwarded-For": "::1"}],
)
def test_a_web_page_or_a_proxy_gets_the_answer_of_a_wrong_signature(
    house: House, headers: dict[str, str]
) -> None:
    opened(house, {"scheme": "none", "accept_unsigned": True})
    answer = house.client.post("/webhooks/hook", b"{}", headers)
    error = {"error": "the signature is missing or wrong; nothing was accepted"}
    assert (answer.status, answer.json, house.intake.triggers) == (401, error, [])


# A flood


def test_a_scanner_does_not_fill_the_log(house: House) -> None:
    for _ in range(30):
        assert house.client.post("/webhooks/hook", b"{}", {"X-Sig": "0" * 64}).status == 401
    assert len(house.signals) == 1


def with_refusals(house: House, **options: Any) -> tuple[HttpApp, Refusals]:
    """An application whose refusals are told in another rhythm than the usual one."""
    telemetry = Telemetry()
    telemetry.subscribe(house.signals.append)
    refusals = Refusals(telemetry, **options)
    notes = Notes(house.inbox, telemetry)
    door = WebhookDoor([HOOK], house.intake, telemetry, notes, house.clock, refusals=refusals)
    health = HealthDoor(lambda: Health({}), house.clock, telemetry)
    return HttpApp(door, health, telemetry), refusals


def test_those_after_the_first_are_told_by_their_number(house: House) -> None:
    house.stage.app, _ = with_refusals(house, every=0.05)
    for _ in range(5000):
        house.client.post("/webhooks/hook", b"{}", {"X-Sig": "0" * 64})
        if len(house.signals) > 1:
            break
    first, second = house.signals[:2]
    assert first == WebhookRefused("hook", 401, Verdict.WRONG)
    assert isinstance(second, WebhookRefused)
    assert second.times is not None
    assert second.times >= 1


def test_a_server_that_stops_tells_what_it_has_counted(house: House) -> None:
    app, refusals = with_refusals(house, later=lambda delay, action: None)
    for _ in range(3):
        refusals.add("hook", 401, "wrong")
    steps = iter(("lifespan.startup", "lifespan.shutdown"))

    async def receive() -> Message:
        return {"type": next(steps)}

    async def send(message: Message) -> None:
        assert message["type"].endswith(".complete")

    asyncio.run(app({"type": "lifespan"}, receive, send))
    assert house.signals[-1] == WebhookRefused("hook", 401, "wrong", 2)


# What has happened, said in a header


def named(house: House, scheme: str, **more: Json) -> Endpoint:
    signature = {"scheme": scheme, "secret": "s3cret"}
    settings = {"name": "hook", "event": "hook.{event}", "signature": signature, **more}
    endpoint = build_endpoint(EndpointSettings.model_validate(settings), house.clock)
    house.open([endpoint])
    return endpoint


def sent(house: House, endpoint: Endpoint, headers: Mapping[str, str]) -> Answer:
    signed = endpoint.scheme.sign(b"{}", delivery_id="d-1")
    own = {name.decode(): value.decode() for name, value in signed}
    return house.client.post("/webhooks/hook", b"{}", {**own, **headers})


@pytest.mark.parametrize(
    ("scheme", "more", "header", "expected"),
    [
        ("github", {}, ("X-GitHub-Event", "pull_request"), "hook.pull_request"),
        ("gitlab", {}, ("X-Gitlab-Event", "Merge Request Hook"), "hook.merge_request_hook"),
        ("shopify", {}, ("X-Shopify-Topic", "orders/create"), "hook.orders.create"),
        ("hmac-sha256", {"event_header": "X-Kind"}, ("x-kind", "Gone"), "hook.gone"),
        ("github", {"event_header": "X-Gitea-Event"}, ("X-Gitea-Event", "push"), "hook.push"),
    ],
)
def test_the_type_has_a_part_that_the_sender_says(
    house: House, scheme: str, more: dict[str, Json], header: tuple[str, str], expected: str
) -> None:
    answer = sent(house, named(house, scheme, **more), dict([header]))
    assert answer.status == 202
    assert [trigger.type for trigger in house.intake.triggers] == [expected]


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, "found none"),
        ({"X-GitHub-Event": "../push"}, 'found "../push"'),
        ({"X-GitHub-Event": "a" * 200}, f'found "{"a" * 100}"'),
    ],
)
def test_a_delivery_that_does_not_say_it_is_a_400_and_starts_nothing(
    house: House, headers: dict[str, str], found: str
) -> None:
    answer = sent(house, named(house, "github"), headers)
    assert answer.status == 400
    assert "expected one X-GitHub-Event that names what has happened" in answer.json["error"]
    assert found in answer.json["error"]
    assert house.intake.triggers == []
    [refused] = house.inbox.deliveries
    assert (refused.status, refused.delivery_id) == (400, "d-1")
    assert refused.reason == "X-GitHub-Event does not name what has happened"


def test_nobody_is_told_of_the_header_before_the_signature_is_right(house: House) -> None:
    named(house, "github")
    assert house.client.post("/webhooks/hook", b"{}", {}).status == 401
