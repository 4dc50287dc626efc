"""Signatures of endpoints in `config.yaml`."""

from __future__ import annotations

from pathlib import Path

import pytest

from ductile.config.signatures import HmacSignature, NoSignature, SharedSecret, StandardSignature
from ductile.documents.problems import Problem

from .loading import accepted, endpoint, load

EXPECTED_SCHEME = (
    'expected the signature\'s scheme to be "hmac-sha256", "hmac-sha512", "github", "stripe", '
    '"slack", "standard-webhooks", "shopify", "gitlab", "discord" or "none", found '
)
KEY = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="


def signed(signature: str) -> str:
    return endpoint(f"name: a, event: e, signature: {{{signature}}}")


def marked(problem: Problem) -> str:
    """What the carets stand under."""
    assert problem.place is not None
    start = problem.place.column - 1
    return problem.place.text[start : start + problem.place.length]


def test_a_keyed_hash_is_read_in_all_its_parts(tmp_path: Path) -> None:
    text = signed(
        'scheme: hmac-sha512, secret: correct-horse, header: X-Sig, signed: "{id}.{timestamp}.'
        '{body}", encoding: base64, prefix: "v1=", timestamp_header: X-Time, id_header: X-Id'
    )
    (found,) = accepted(tmp_path, text).webhooks
    signature = found.signature
    assert isinstance(signature, HmacSignature)
    assert (signature.scheme, signature.header) == ("hmac-sha512", "X-Sig")
    assert signature.signed == "{id}.{timestamp}.{body}"
    assert (signature.encoding, signature.prefix) == ("base64", "v1=")
    assert (signature.timestamp_header, signature.id_header) == ("X-Time", "X-Id")


def test_an_id_need_not_be_signed(tmp_path: Path) -> None:
    accepted(tmp_path, signed("scheme: hmac-sha256, secret: correct-horse, id_header: X-Id"))


@pytest.mark.parametrize(
    "scheme",
    [
        *("hmac-sha256", "hmac-sha512", "github", "stripe", "slack", "standard-webhooks"),
        *("shopify", "gitlab"),
    ],
)
def test_a_scheme_may_have_several_live_secrets_and_all_are_kept_secret(
    tmp_path: Path, scheme: str
) -> None:
    text = signed(f"scheme: {scheme}, secret: [b2xkLXNlY3JldA==, bmV3LXNlY3JldA==]")
    settings = accepted(tmp_path, text)
    live = ("b2xkLXNlY3JldA==", "bmV3LXNlY3JldA==")
    (found,) = settings.webhooks
    assert isinstance(found.signature, SharedSecret)
    assert found.signature.live == live
    assert settings.secrets.issuperset(live)


@pytest.mark.parametrize("secret", ["", ", secret: whsec_b2xkLXNlY3JldA=="])
def test_standard_webhooks_take_public_keys_with_and_without_a_secret(
    tmp_path: Path, secret: str
) -> None:
    text = signed(f"scheme: standard-webhooks, public_key: {KEY}{secret}")
    (found,) = accepted(tmp_path, text).webhooks
    assert isinstance(found.signature, StandardSignature)
    assert found.signature.public_key == (KEY,)
    assert len(found.signature.live) == (1 if secret else 0)


# Nothing signed


def test_no_signature_at_all_is_accepted_with_a_warning_if_it_is_said_aloud(
    tmp_path: Path,
) -> None:
    settings, _, [problem] = load(tmp_path, signed("scheme: none, accept_unsigned: true"))
    assert settings is not None
    assert isinstance(settings.webhooks[0].signature, NoSignature)
    message = "every program on this machine can send to this endpoint, for nothing is signed"
    assert (problem.warning, problem.message) == (True, message)


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", '"[::]:8080"', "192.0.2.1:80", "example.org:1"])
def test_no_signature_at_all_is_refused_where_the_network_reaches_the_gateway(
    tmp_path: Path, listen: str
) -> None:
    http = f"http: {{listen: {listen}, tokens: [a-token-that-is-long-enough]}}\n"
    settings, _, [problem] = load(tmp_path, http + signed("scheme: none, accept_unsigned: true"))
    assert settings is None
    written = listen.strip('"')
    assert problem.message == (
        f'"{written}" is open to the network, and the scheme "none" lets anybody in'
    )


@pytest.mark.parametrize(
    ("said", "place"), [("", "{scheme: none}"), (", accept_unsigned: false", "false")]
)
def test_no_signature_at_all_is_refused_unless_it_is_said_aloud(
    tmp_path: Path, said: str, place: str
) -> None:
    settings, _, found = load(tmp_path, signed(f"scheme: none{said}"))
    (problem,) = (each for each in found if not each.warning)
    assert settings is None
    assert problem.message == (
        'with the scheme "none" whoever reaches the port can start what it starts'
    )
    assert marked(problem) == place


# What is wrong

HMAC = "scheme: hmac-sha256, secret: correct-horse"


@pytest.mark.parametrize(
    ("signature", "place", "message", "hint"),
    [
        (
            "scheme: gihub, secret: x",
            "{scheme: gihub, secret: x}",
            f'{EXPECTED_SCHEME}"gihub"',
            'did you mean "github"?',
        ),
        ("secret: x", "{secret: x}", f"{EXPECTED_SCHEME}nothing", None),
        (
            "scheme: github",
            "{scheme: github}",
            'missing key "secret" in a signature',
            'add "secret: …"',
        ),
        (
            "scheme: hmac-sha256, secret: ''",
            "''",
            "the secret is empty, so that anybody could sign",
            "set the one that the sender uses",
        ),
        (
            "scheme: stripe, secret: [good-enough, '']",
            "''",
            "the secret is empty, so that anybody could sign",
            "set the one that the sender uses",
        ),
        ("scheme: slack, secret: []", "[]", "expected something, found an empty list", None),
        (
            "scheme: standard-webhooks, secret: no-base64",
            "no-base64",
            'expected a secret in base64, with or without "whsec_" before it, found something else',
            "copy it as the sender shows it",
        ),
        (
            "scheme: standard-webhooks",
            "{scheme: standard-webhooks}",
            'missing key "secret" or "public_key" in a signature',
            'add "secret: …" for signatures that begin with v1, "public_key: …" for v1a',
        ),
        (
            "scheme: standard-webhooks, public_key: whsec_b2xkLXNlY3JldA==",
            "whsec_b2xkLXNlY3JldA==",
            'expected a public key of 32 bytes in base64, with or without "whpk_" before it, '
            "found something else",
            "copy it as the sender shows it; a text that begins with whsec_ is a secret",
        ),
        (
            "scheme: discord, public_key: abc",
            "abc",
            "expected a public key of 64 hex digits, found 3 characters",
            "copy it from the application's page in Discord's developer portal",
        ),
        (
            "scheme: github, secret: correct-horse, header: X-Sig",
            "header",
            'unknown key "header" in a signature',
            'known are "scheme", "secret"',
        ),
        (
            f"{HMAC}, header: 'a b'",
            "'a b'",
            '"a b" is not the name of an HTTP header',
            "write what the sender documents, X-Hub-Signature-256 for instance",
        ),
        (
            f"{HMAC}, timestmp_header: X-Time",
            "timestmp_header",
            'unknown key "timestmp_header" in a signature',
            'did you mean "timestamp_header"?',
        ),
        (
            f"{HMAC}, encoding: bas64",
            "bas64",
            'expected "hex" or "base64", found "bas64"',
            'did you mean "base64"?',
        ),
        (
            f'{HMAC}, prefix: "v1 =\\t"',
            '"v1 =\\t"',
            '"v1 =\t" cannot begin the value of an HTTP header',
            'write what the sender puts before the hash, "v1=" for instance',
        ),
        (
            f'{HMAC}, signed: "{{bdy}}"',
            '"{bdy}"',
            'there is no placeholder "{bdy}" in a signature',
            'did you mean "{body}"?',
        ),
        (
            f'{HMAC}, signed: "{{timestamp}}.{{body}}"',
            '"{timestamp}.{body}"',
            '"{timestamp}" is signed, but no timestamp_header says where it is',
            'add "timestamp_header: …" with the name of the header',
        ),
        (
            f'{HMAC}, signed: "{{id}}.{{body}}"',
            '"{id}.{body}"',
            '"{id}" is signed, but no id_header says where it is',
            'add "id_header: …" with the name of the header',
        ),
        (
            f"{HMAC}, timestamp_header: X-Time",
            "timestamp_header",
            'timestamp_header is set, but "{timestamp}" is not part of what is signed',
            'anybody can change a time that is not signed: add "{timestamp}" to signed, as the '
            "sender has it, or leave timestamp_header out",
        ),
    ],
)
def test_what_is_wrong_in_a_signature_is_shown_where_it_is(
    tmp_path: Path, signature: str, place: str, message: str, hint: str | None
) -> None:
    settings, _, [problem] = load(tmp_path, signed(signature))
    assert settings is None
    assert (marked(problem), problem.message, problem.hint) == (place, message, hint)
