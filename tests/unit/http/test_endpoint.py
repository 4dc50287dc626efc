"""Endpoints and the answers that senders insist on."""

from __future__ import annotations

import pytest

from ductile.dispatch.interfaces import Trigger
from ductile.errors import ConfigurationError
from ductile.http.webhooks.endpoint import Endpoint, Respond
from ductile.http.webhooks.keyed_hash import hmac_sha256

SCHEME = hmac_sha256("X-Sig", "s3cret")


def an_endpoint(
    name: str = "hook", event: str | None = "a.b", plugin: str | None = None
) -> Endpoint:
    return Endpoint(name=name, scheme=SCHEME, max_body=10, event=event, plugin=plugin)


def test_an_endpoint_with_an_event_type_triggers_that_event() -> None:
    trigger = an_endpoint(event="a.b").trigger([], [1])
    assert trigger == Trigger(type="a.b", payload=[1], source="hook")


def test_an_endpoint_with_a_plugin_triggers_its_handle() -> None:
    trigger = an_endpoint(event=None, plugin="echo").trigger([], {"k": 1})
    assert trigger == Trigger(
        type="webhook.hook", payload={"k": 1}, source="hook", plugin="echo", command="handle"
    )


@pytest.mark.parametrize(("event", "plugin"), [(None, None), ("a.b", "echo")])
def test_an_endpoint_needs_either_an_event_type_or_a_plugin(
    event: str | None, plugin: str | None
) -> None:
    with pytest.raises(ConfigurationError, match="either event or plugin"):
        an_endpoint(event=event, plugin=plugin)


@pytest.mark.parametrize("name", ["a", "GitHub", "a.b-c_d~e", "9"])
def test_a_name_that_needs_no_encoding_is_taken(name: str) -> None:
    assert an_endpoint(name).name == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "ä", "a%20b", "a?", "a\n"])
def test_a_name_that_would_have_several_spellings_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="expected a name"):
        an_endpoint(name)


@pytest.mark.parametrize("status", [100, 199, 300, 404, 500])
def test_an_answer_to_what_was_accepted_cannot_say_otherwise(status: int) -> None:
    with pytest.raises(ConfigurationError, match="status from 200 to 299"):
        Respond(status)


def test_a_204_with_a_body_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot have a body"):
        Respond(204, b"x")


@pytest.mark.parametrize("content_type", ["", "text/plain\r\nX: y", "täxt", " text/plain"])
def test_a_content_type_that_cannot_be_sent_is_refused(content_type: str) -> None:
    with pytest.raises(ConfigurationError, match="content type"):
        Respond(200, b"x", content_type)
