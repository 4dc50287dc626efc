"""Endpoints as settings describe them."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from ductile.config.endpoints import EndpointSettings
from ductile.http.webhooks.build import build_endpoint
from ductile.http.webhooks.discord import ACCEPTED, Discord
from ductile.http.webhooks.endpoint import Endpoint, Respond
from ductile.http.webhooks.signature import Verdict
from ductile.model.clock import SystemClock
from ductile.model.json import Json

HMAC: dict[str, Json] = {
    "scheme": "hmac-sha256",
    "header": "X-Hub-Signature-256",
    "secret": "s3cret",
}
DISCORD: dict[str, Json] = {"scheme": "discord", "public_key": "0" * 64}


def built(signature: dict[str, Json] = HMAC, **more: Json) -> Endpoint:
    settings = {"name": "hook", "event": "a.b", "signature": signature, **more}
    return build_endpoint(EndpointSettings.model_validate(settings), SystemClock())


def test_an_hmac_endpoint_verifies_with_header_and_secret_of_its_settings() -> None:
    signature = hmac.new(b"s3cret", b"{}", hashlib.sha256).hexdigest().encode()
    headers = [(b"x-hub-signature-256", b"sha256=" + signature)]
    assert built().scheme.verify(headers, b"{}") is Verdict.GENUINE


def test_an_hmac_endpoint_answers_with_the_ids_and_knows_no_handshake() -> None:
    endpoint = built()
    assert (endpoint.respond, endpoint.handshake({"type": 1})) == (None, None)


def test_a_discord_endpoint_verifies_and_answers_as_discord_wants() -> None:
    endpoint = built(DISCORD)
    assert isinstance(endpoint.scheme, Discord)
    assert (endpoint.respond, endpoint.handshake({"type": 1})) == (ACCEPTED, {"type": 1})


def test_name_limit_and_start_are_those_of_the_settings() -> None:
    endpoint = built(event=None, plugin="echo", max_body="2KiB")
    assert (endpoint.name, endpoint.max_body) == ("hook", 2048)
    assert (endpoint.event, endpoint.plugin) == (None, "echo")


@pytest.mark.parametrize("signature", [HMAC, DISCORD])
@pytest.mark.parametrize(
    ("settings", "respond"),
    [
        ({"status": 204}, Respond(204, b"", "text/plain; charset=utf-8")),
        ({"body": "ök"}, Respond(200, "ök".encode(), "text/plain; charset=utf-8")),
        ({"body": {"ok": True}, "status": 201}, Respond(201, b'{"ok":true}', "application/json")),
        ({"body": "<ok/>", "content_type": "text/xml"}, Respond(200, b"<ok/>", "text/xml")),
    ],
)
def test_an_answer_that_is_set_is_given(
    signature: dict[str, Json], settings: Json, respond: Respond
) -> None:
    assert built(signature, respond=settings).respond == respond


def test_a_slack_endpoint_answers_the_challenge_and_drops_the_token() -> None:
    endpoint = built({"scheme": "slack", "secret": "s3cret"})
    challenge = {"type": "url_verification", "challenge": "c", "token": "t"}
    assert endpoint.handshake(challenge) == {"challenge": "c"}
    assert endpoint.trigger([], {"token": "t", "event_id": "e"}).payload == {"event_id": "e"}


@pytest.mark.parametrize(
    "name",
    ["hmac-sha256", "github", "stripe", "slack", "standard-webhooks", "shopify", "gitlab"],
)
def test_an_endpoint_takes_what_any_of_its_secrets_signed(name: str) -> None:
    old, new = "b2xkLXNlY3JldA==", "bmV3LXNlY3JldA=="
    before = built({"scheme": name, "secret": old}).scheme
    headers = before.sign(b"{}", delivery_id="d")
    during = built({"scheme": name, "secret": [new, old]}).scheme
    after = built({"scheme": name, "secret": [new]}).scheme
    verdicts = [scheme.verify(headers, b"{}") for scheme in (during, after)]
    assert (during.name, verdicts) == (name, [Verdict.GENUINE, Verdict.WRONG])
