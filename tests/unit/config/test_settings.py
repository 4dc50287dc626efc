"""Plugins and endpoints in `config.yaml`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ductile.config.endpoints import DiscordSignature, HmacSignature

from .loading import PUBLIC_KEY, SECRET, SIGNED, accepted, endpoint, load, refusals

EXPECTED_SCHEME = (
    'expected the signature\'s scheme to be "hmac-sha256", "github", "stripe", "slack", '
    '"standard-webhooks", "shopify", "gitlab" or "discord", found '
)

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
        "    retry: {max_attempts: 2, backoff_base: 5s}\n"
        "    parallelism: 2\n"
        "    max_stdout: 1MiB\n",
    ).plugin("fetch")

    assert not plugin.enabled
    assert plugin.config == {"limit": 3, "deep": {"list": [1, None, 2.5]}}
    assert plugin.env == ("SSL_CERT_FILE",)
    assert plugin.timeout_for("handle") == timedelta(seconds=30)
    assert plugin.timeout_for("sweep") == timedelta(hours=1)
    assert (plugin.retry.max_attempts, plugin.retry.backoff_base) == (2, timedelta(seconds=5))
    assert (plugin.parallelism, plugin.max_stdout) == (2, 1024 * 1024)


@pytest.mark.parametrize("text", ["plugins: {}\n", "plugins: {other: {}}\n", "plugins: {a: {}}\n"])
def test_a_plugin_has_defaults_whether_it_is_named_or_not(tmp_path: Path, text: str) -> None:
    plugin = accepted(tmp_path, text).plugin("a")

    assert (plugin.enabled, plugin.config, plugin.env) == (True, {}, ())
    assert (plugin.parallelism, plugin.max_stdout) == (None, 10 * 1024 * 1024)
    assert (plugin.retry.max_attempts, plugin.retry.backoff_base) == (4, timedelta(seconds=30))


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
    assert found.signature.header == "X-Signature-256"
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
        (
            "name: a, event: e, signature: {scheme: hmac}",
            EXPECTED_SCHEME + '"hmac"',
        ),
        (
            "name: a, event: e, signature: {secret: s}",
            EXPECTED_SCHEME + "nothing",
        ),
        (
            "name: a, event: e, signature: {scheme: hmac-sha256}",
            'missing key "secret" in a signature',
        ),
        (
            "name: a, event: e, signature: {scheme: hmac-sha256, secret: ''}",
            "the secret is empty, so that anybody could sign",
        ),
        (
            "name: a, event: e, signature: {scheme: hmac-sha256, secret: s, header: 'a b'}",
            '"a b" is not the name of an HTTP header',
        ),
        (
            "name: a, event: e, signature: {scheme: discord, public_key: abc}",
            "expected a public key of 64 hex digits, found 3 characters",
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


@pytest.mark.parametrize(
    "scheme",
    ["hmac-sha256", "github", "stripe", "slack", "standard-webhooks", "shopify", "gitlab"],
)
def test_a_scheme_may_have_several_live_secrets_and_all_are_kept_secret(
    tmp_path: Path, scheme: str
) -> None:
    signature = f"signature: {{scheme: {scheme}, secret: [b2xkLXNlY3JldA==, bmV3LXNlY3JldA==]}}"
    settings = accepted(tmp_path, endpoint(f"name: a, event: e, {signature}"))
    live = ("b2xkLXNlY3JldA==", "bmV3LXNlY3JldA==")
    (found,) = settings.webhooks
    assert found.signature.live == live
    assert settings.secrets.issuperset(live)


@pytest.mark.parametrize(
    ("signature", "column", "message", "hint"),
    [
        ("scheme: gihub, secret: x", 55, f'{EXPECTED_SCHEME}"gihub"', 'did you mean "github"?'),
        (
            "scheme: standard-webhooks, secret: no-base64",
            91,
            'expected a secret in base64, with or without "whsec_" before it, found something else',
            "copy it as the sender shows it",
        ),
        ("scheme: slack, secret: []", 79, "expected something, found an empty list", None),
        (
            "scheme: stripe, secret: [good-enough, '']",
            94,
            "the secret is empty, so that anybody could sign",
            "set the one that the sender uses",
        ),
        ("scheme: github", 55, 'missing key "secret" in a signature', 'add "secret: …"'),
    ],
)
def test_what_is_wrong_in_a_signature_is_shown_where_it_is(
    tmp_path: Path, signature: str, column: int, message: str, hint: str | None
) -> None:
    text = endpoint(f"name: a, event: e, signature: {{{signature}}}")
    _, _, [problem] = load(tmp_path, text)
    assert problem.place is not None
    found = (problem.place.line, problem.place.column, problem.message, problem.hint)
    assert found == (1, column, message, hint)
