"""Plugins and endpoints in `config.yaml`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ductile.config.signatures import DiscordSignature, HmacSignature
from ductile.model.policy import RetryPolicy

from .loading import PUBLIC_KEY, SECRET, SIGNED, accepted, endpoint, load, refusals

# Plugins


def test_the_settings_of_a_plugin_are_read(tmp_path: Path) -> None:
    plugin = accepted(
        tmp_path,
        "plugins:\n"
        "  fetch:\n"
        "    enabled: false\n"
        "    config: {limit: 3, deep: {list: [1, null, 2.5]}}\n"
        "    env: [SSL_CERT_FILE]\n"
        "    timeouts: {handle: 30s, sweep: 1h}\n"
        "    retry: {max_attempts: 2, backoff_base: 5s, backoff_cap: 10m}\n"
        "    parallelism: 2\n"
        "    max_stdout: 1MiB\n",
    ).plugin("fetch")

    assert not plugin.enabled
    assert plugin.config == {"limit": 3, "deep": {"list": [1, None, 2.5]}}
    assert plugin.env == ("SSL_CERT_FILE",)
    assert plugin.timeout_for("handle") == timedelta(seconds=30)
    assert plugin.timeout_for("sweep") == timedelta(hours=1)
    assert plugin.retry == RetryPolicy(2, timedelta(seconds=5), timedelta(minutes=10))
    assert (plugin.parallelism, plugin.max_stdout) == (2, 1024 * 1024)


@pytest.mark.parametrize("text", ["plugins: {}\n", "plugins: {other: {}}\n", "plugins: {a: {}}\n"])
def test_a_plugin_has_defaults_whether_it_is_named_or_not(tmp_path: Path, text: str) -> None:
    plugin = accepted(tmp_path, text).plugin("a")

    assert (plugin.enabled, plugin.config, plugin.env) == (True, {}, ())
    assert (plugin.parallelism, plugin.max_stdout) == (None, 10 * 1024 * 1024)
    assert plugin.retry == RetryPolicy(4, timedelta(seconds=30), timedelta(hours=24))


@pytest.mark.parametrize(
    ("command", "seconds"), [("poll", 60), ("handle", 120), ("health", 10), ("sweep", 60)]
)
def test_timeouts_have_defaults_by_command(tmp_path: Path, command: str, seconds: int) -> None:
    plugin = accepted(tmp_path, "plugins: {}\n").plugin("a")

    assert plugin.timeout_for(command) == timedelta(seconds=seconds)


# Endpoints


def test_an_endpoint_for_an_event_is_read(tmp_path: Path) -> None:
    text = endpoint(f"name: shop, event: order.placed, {SIGNED}, max_body: 64KiB")

    (found,) = accepted(tmp_path, text).webhooks

    assert (found.name, found.event, found.plugin) == ("shop", "order.placed", None)
    assert isinstance(found.signature, HmacSignature)
    assert found.signature.live == (SECRET,)
    assert (found.max_body, found.respond) == (64 * 1024, None)


def test_an_endpoint_for_a_plugin_is_read(tmp_path: Path) -> None:
    text = endpoint(
        f"name: d, plugin: receiver, signature: {{scheme: discord, public_key: {PUBLIC_KEY}}}, "
        "respond: {status: 201, body: {ok: true}, content_type: text/json}"
    )

    (found,) = accepted(tmp_path, text).webhooks

    assert (found.event, found.plugin, found.max_body) == (None, "receiver", 1024 * 1024)
    assert isinstance(found.signature, DiscordSignature)
    assert found.signature.live == (PUBLIC_KEY,)
    assert found.respond is not None
    assert (found.respond.status, found.respond.body) == (201, {"ok": True})
    assert found.respond.content_type == "text/json"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"name: a/b, event: e, {SIGNED}", '"a/b" cannot stand in /webhooks/<name>'),
        (
            f"name: a, event: e, plugin: p, {SIGNED}",
            "expected either event or plugin in an endpoint, found both",
        ),
        (
            f"name: a, {SIGNED}",
            "expected either event or plugin in an endpoint, found neither",
        ),
        (f"name: a, event: '', {SIGNED}", '"" is not an event type'),
        (
            f"name: a, event: ductile.x, {SIGNED}",
            'event types that begin with "ductile." are the core\'s, found "ductile.x"',
        ),
        (f"name: a, event: 'a.{{x}}', {SIGNED}", 'there is no placeholder "{x}" in an event type'),
        (
            f"name: a, event: 'a.{{event}}', {SIGNED}",
            'the scheme "hmac-sha256" has no header that says what "{event}" is',
        ),
        (
            f"name: a, event: e, event_header: X-Kind, {SIGNED}",
            'event_header is set, but "{event}" is not part of event',
        ),
        (
            f"name: a, plugin: p, event_header: X-Kind, {SIGNED}",
            'event_header is set, but "{event}" is not part of event',
        ),
        (
            f"name: a, event: 'a.{{event}}', event_header: 'X Kind', {SIGNED}",
            '"X Kind" is not the name of an HTTP header',
        ),
        (
            f"name: a, event: e, {SIGNED}, respond: {{status: 301}}",
            "expected 299 or less, found the number 301",
        ),
        (
            f"name: a, event: e, {SIGNED}, respond: {{status: 204, body: x}}",
            "an answer with status 204 cannot have a body",
        ),
        (
            f"name: a, event: e, {SIGNED}, respond: {{content_type: ''}}",
            '"" is not a content type',
        ),
    ],
)
def test_an_endpoint_that_cannot_be_is_explained(tmp_path: Path, text: str, message: str) -> None:
    assert refusals(tmp_path, endpoint(text)) == [message]


def test_two_endpoints_of_one_name_are_a_problem_at_the_second(tmp_path: Path) -> None:
    text = (
        "webhooks:\n"
        "  endpoints:\n"
        f"    - {{name: a, event: e, {SIGNED}}}\n"
        f"    - {{name: a, event: e, {SIGNED}}}\n"
    )

    _, _, (problem,) = load(tmp_path, text)

    assert problem.message == 'two endpoints are named "a"'
    assert problem.place is not None
    assert problem.place.line == 4
