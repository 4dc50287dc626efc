"""The endpoint that Discord sends interactions to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ductile.http.webhooks.discord import ACCEPTED, CREDENTIALS, Discord, pong
from ductile.http.webhooks.endpoint import Endpoint
from ductile.telemetry.signals import WebhookRefused
from tests.integration.http.client import Answer
from tests.integration.http.conftest import House

PRIVATE_KEY = Ed25519PrivateKey.generate()
PING = b'{"type":1,"id":"1"}'
COMMAND = b'{"type":2,"id":"2","channel_id":"7","data":{"name":"summarise"}}'


@pytest.fixture
def discord(house: House) -> House:
    scheme = Discord(PRIVATE_KEY.public_key().public_bytes_raw().hex(), clock=house.clock)
    endpoint = Endpoint(
        name="discord",
        scheme=scheme,
        max_body=10_000,
        event="discord.interaction",
        respond=ACCEPTED,
        handshake=pong,
        not_kept=CREDENTIALS,
    )
    house.open([endpoint])
    return house


def send(house: House, body: bytes, *, signed: bytes | None = None) -> Answer:
    """Post `body` with a signature over `signed`, by default the same."""
    timestamp = str(int(house.clock.now().timestamp()))
    signature = PRIVATE_KEY.sign(timestamp.encode() + (body if signed is None else signed)).hex()
    headers = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": timestamp}
    return house.client.post("/webhooks/discord", body, headers)


def test_a_command_is_accepted_with_a_message_that_only_its_sender_sees(discord: House) -> None:
    answer = send(discord, COMMAND)
    assert (answer.status, answer.json) == (
        200,
        {"type": 4, "data": {"content": "Accepted.", "flags": 64}},
    )
    assert answer.headers["content-type"] == "application/json"


def test_the_ids_of_a_command_are_in_headers(discord: House) -> None:
    headers = send(discord, COMMAND).headers
    assert headers["x-ductile-event-id"] == discord.intake.acceptance.event_id


def test_the_token_of_an_interaction_is_not_kept(discord: House) -> None:
    send(discord, b'{"type":2,"id":"2","token":"answers in our name"}')
    (trigger,) = discord.intake.triggers
    assert trigger.payload == {"type": 2, "id": "2"}


def test_a_command_becomes_an_event_with_its_payload(discord: House) -> None:
    send(discord, COMMAND)
    (trigger,) = discord.intake.triggers
    assert (trigger.type, trigger.payload["channel_id"]) == ("discord.interaction", "7")


def test_a_ping_is_answered_with_a_pong_and_becomes_nothing(discord: House) -> None:
    answer = send(discord, PING)
    assert (answer.status, answer.json, discord.intake.triggers) == (200, {"type": 1}, [])


@pytest.mark.parametrize("body", [PING, COMMAND])
def test_a_wrong_signature_is_a_401_even_for_a_ping(discord: House, body: bytes) -> None:
    answer = send(discord, body, signed=b"something else")
    assert (answer.status, discord.intake.triggers) == (401, [])


def test_without_headers_a_ping_is_a_401(discord: House) -> None:
    assert discord.client.post("/webhooks/discord", PING, {}).status == 401


def test_what_was_overheard_cannot_be_sent_again_later(discord: House) -> None:
    timestamp = str(int(discord.clock.now().timestamp()))
    signature = PRIVATE_KEY.sign(timestamp.encode() + COMMAND).hex()
    headers = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": timestamp}
    discord.clock.advance(timedelta(minutes=6))
    answer = discord.client.post("/webhooks/discord", COMMAND, headers)
    reason = "the signature is right, but its time is too far from this machine's clock"
    assert (answer.status, discord.intake.triggers) == (401, [])
    assert discord.signals == [WebhookRefused("discord", 401, reason)]
