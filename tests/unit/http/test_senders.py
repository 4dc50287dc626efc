"""What holds for every scheme, and what is particular to some."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ductile.config.signed import SignedContent
from ductile.errors import ConfigurationError, UsageError
from ductile.http.interfaces import Headers
from ductile.http.webhooks.discord import Discord
from ductile.http.webhooks.gitlab import GitLab
from ductile.http.webhooks.keyed_hash import HashForm, KeyedHash, github
from ductile.http.webhooks.shopify import Shopify
from ductile.http.webhooks.signature import WINDOW, Scheme, Verdict
from ductile.http.webhooks.slack import Slack, url_verification
from ductile.http.webhooks.standard import StandardWebhooks
from ductile.http.webhooks.stripe import Stripe
from ductile.model.json import Json

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
BODY = b'{"id": "evt_1"}'
OLD, NEW = "b2xkLXNlY3JldA==", "bmV3LXNlY3JldA=="
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2)]


@dataclass
class StoppedClock:
    """A clock that always shows the same time."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0


EVERYTHING = HashForm(
    "X-Sig",
    "sha512",
    SignedContent.parse("{id}.{timestamp}.{body}"),
    "base64",
    "v1=",
    timestamp_header="X-Time",
    id_header="X-Id",
)


def asymmetric(*names: str) -> Scheme:
    keys = [KEYS[(OLD, NEW).index(name)] for name in names]
    public = [base64.b64encode(key.public_key().public_bytes_raw()).decode() for key in keys]
    clock = StoppedClock()
    return StandardWebhooks(clock=clock, public_keys=public, private_key=keys[0])


def discord(*names: str) -> Scheme:
    keys = [KEYS[(OLD, NEW).index(name)] for name in names]
    public = [key.public_key().public_bytes_raw().hex() for key in keys]
    return Discord(*public, clock=StoppedClock(), private_key=keys[0])


MAKERS: dict[str, Callable[..., Scheme]] = {
    "hmac-sha256": lambda *secrets: KeyedHash(HashForm("X-Sig", id_header="X-Id"), *secrets),
    "hmac-sha512": lambda *secrets: KeyedHash(EVERYTHING, *secrets, clock=StoppedClock()),
    "github": github,
    "stripe": lambda *secrets: Stripe(*secrets, clock=StoppedClock()),
    "slack": lambda *secrets: Slack(*secrets, clock=StoppedClock()),
    "standard-webhooks": lambda *secrets: StandardWebhooks(*secrets, clock=StoppedClock()),
    "standard-webhooks v1a": asymmetric,
    "shopify": Shopify,
    "gitlab": GitLab,
    "discord": discord,
}
TIMED = (
    *("hmac-sha512", "stripe", "slack", "standard-webhooks", "standard-webhooks v1a"),
    "discord",
)
WITH_SECRETS = [name for name in MAKERS if name not in ("discord", "standard-webhooks v1a")]
every = pytest.mark.parametrize("name", MAKERS)
every_timed = pytest.mark.parametrize("name", TIMED)


def signed(scheme: Scheme, now: datetime = NOW) -> Headers:
    return scheme.sign(BODY, delivery_id="d-1", now=now)


# Several signatures


def test_signatures_of_stripe_but_v1_are_ignored() -> None:
    ((name, value),) = signed(MAKERS["stripe"](OLD))
    assert MAKERS["stripe"](OLD).verify([(name, value + b",v0=abc")], BODY) is Verdict.GENUINE
    only_old = [(name, value.replace(b"v1=", b"v0="))]
    assert MAKERS["stripe"](OLD).verify(only_old, BODY) is Verdict.MALFORMED


@pytest.mark.parametrize("first", [True, False])
def test_one_right_signature_of_several_is_enough_for_stripe(first: bool) -> None:
    ((name, value),) = signed(MAKERS["stripe"](OLD))
    time, right = value.split(b",")
    wrong = b"v1=" + b"0" * 64
    both = [time, right, wrong] if first else [time, wrong, right]
    assert MAKERS["stripe"](OLD).verify([(name, b",".join(both))], BODY) is Verdict.GENUINE


def test_two_times_in_a_signature_of_stripe_are_malformed() -> None:
    ((name, value),) = signed(MAKERS["stripe"](OLD))
    assert MAKERS["stripe"](OLD).verify([(name, value + b",t=1")], BODY) is Verdict.MALFORMED


def test_the_id_of_a_standard_webhook_is_signed() -> None:
    scheme = MAKERS["standard-webhooks"](OLD)
    (name, _), *others = signed(scheme)
    assert scheme.verify([(name, b"another"), *others], BODY) is Verdict.WRONG


# Every scheme


@every
def test_a_scheme_goes_by_its_name(name: str) -> None:
    assert MAKERS[name](OLD).name == name.removesuffix(" v1a")


@every
def test_what_a_scheme_signs_it_finds_genuine(name: str) -> None:
    scheme = MAKERS[name](OLD)
    assert scheme.verify(signed(scheme), BODY) is Verdict.GENUINE


@every
def test_while_two_keys_are_live_either_may_have_signed(name: str) -> None:
    both = MAKERS[name](NEW, OLD)
    for each in (OLD, NEW):
        assert both.verify(signed(MAKERS[name](each)), BODY) is Verdict.GENUINE


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_every_secret_is_compared_in_constant_time_whichever_is_right(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, others = MAKERS[name](NEW, OLD), "YW5vdGhlci1zZWNyZXQ="
    compared: list[bool] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(compare_digest(one, other))
        return compared[-1]

    compare_digest = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", compare)
    for each, right in ((NEW, [True, False]), (OLD, [False, True]), (others, [False, False])):
        compared.clear()
        genuine = both.verify(signed(MAKERS[name](each)), BODY) is Verdict.GENUINE
        assert (compared, genuine) == (right, any(right))


@every
def test_the_first_key_signs(name: str) -> None:
    headers = signed(MAKERS[name](NEW, OLD))
    assert MAKERS[name](NEW).verify(headers, BODY) is Verdict.GENUINE


@every
def test_a_key_that_is_gone_makes_wrong_signatures(name: str) -> None:
    assert MAKERS[name](NEW).verify(signed(MAKERS[name](OLD)), BODY) is Verdict.WRONG


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "gitlab"])
def test_another_body_has_another_signature(name: str) -> None:
    scheme = MAKERS[name](OLD)
    assert scheme.verify(signed(scheme), BODY + b" ") is Verdict.WRONG


@every
def test_without_headers_the_signature_is_missing(name: str) -> None:
    assert MAKERS[name](OLD).verify([], BODY) is Verdict.MISSING


@every
def test_headers_that_are_there_twice_are_missing(name: str) -> None:
    headers = signed(MAKERS[name](OLD))
    assert MAKERS[name](OLD).verify([*headers, *headers], BODY) is Verdict.MISSING


@every
@given(value=st.binary(max_size=80))
def test_no_guess_is_genuine_and_none_raises(name: str, value: bytes) -> None:
    headers = [(key, value) for key, _ in signed(MAKERS[name](OLD))]
    assert MAKERS[name](OLD).verify(headers, BODY) in {Verdict.MALFORMED, Verdict.WRONG}


@every_timed
@pytest.mark.parametrize("age", [-WINDOW, WINDOW])
def test_five_minutes_off_is_near_enough(name: str, age: int) -> None:
    scheme = MAKERS[name](OLD)
    headers = signed(scheme, NOW - timedelta(seconds=age))
    assert scheme.verify(headers, BODY) is Verdict.GENUINE


@every_timed
@pytest.mark.parametrize("age", [-WINDOW - 1, WINDOW + 1])
def test_more_than_five_minutes_off_is_stale(name: str, age: int) -> None:
    scheme = MAKERS[name](OLD)
    headers = signed(scheme, NOW - timedelta(seconds=age))
    assert scheme.verify(headers, BODY) is Verdict.STALE


@pytest.mark.parametrize("name", WITH_SECRETS)
@pytest.mark.parametrize("secrets", [[], [""], [OLD, ""]])
def test_a_scheme_without_a_secret_or_with_an_empty_one_is_refused(
    name: str, secrets: list[str]
) -> None:
    with pytest.raises(ConfigurationError, match="expected the secret that signs"):
        MAKERS[name](*secrets)


def test_a_secret_of_standard_webhooks_is_base64() -> None:
    with pytest.raises(ConfigurationError, match="in base64"):
        MAKERS["standard-webhooks"]("no base64!")


def test_a_public_key_alone_cannot_sign_as_discord() -> None:
    public = KEYS[0].public_key().public_bytes_raw().hex()
    with pytest.raises(UsageError, match="expected a private key"):
        signed(Discord(public, clock=StoppedClock()))


def test_a_public_key_alone_cannot_sign_a_standard_webhook() -> None:
    public = base64.b64encode(KEYS[0].public_key().public_bytes_raw()).decode()
    with pytest.raises(UsageError, match="expected a secret or a private key"):
        signed(StandardWebhooks(clock=StoppedClock(), public_keys=[public]))


@pytest.mark.parametrize("key", ["no base64!", OLD, ""])
def test_a_public_key_of_standard_webhooks_is_32_bytes_in_base64(key: str) -> None:
    with pytest.raises(ConfigurationError, match="expected a public key of 32 bytes in base64"):
        StandardWebhooks(clock=StoppedClock(), public_keys=[key])


def test_with_secret_and_public_key_either_signature_is_enough() -> None:
    public = base64.b64encode(KEYS[0].public_key().public_bytes_raw()).decode()
    both = StandardWebhooks(OLD, clock=StoppedClock(), public_keys=[public])
    for name in ("standard-webhooks", "standard-webhooks v1a"):
        assert both.verify(signed(MAKERS[name](OLD)), BODY) is Verdict.GENUINE
        assert both.verify(signed(MAKERS[name](NEW)), BODY) is Verdict.WRONG


def test_a_version_that_no_key_is_held_for_proves_nothing() -> None:
    for held, sent in [("", " v1a"), (" v1a", "")]:
        headers = signed(MAKERS[f"standard-webhooks{sent}"](OLD))
        verdict = MAKERS[f"standard-webhooks{held}"](OLD).verify(headers, BODY)
        assert verdict is Verdict.MALFORMED


# Ids of deliveries


@pytest.mark.parametrize(
    "name", ["hmac-sha256", "hmac-sha512", "github", "standard-webhooks", "shopify", "gitlab"]
)
def test_the_id_in_the_header_is_that_which_was_signed_for(name: str) -> None:
    scheme = MAKERS[name](OLD)
    assert scheme.delivery_id(signed(scheme), {"id": "x", "event_id": "x"}) == "d-1"


@pytest.mark.parametrize(
    ("name", "payload"),
    [("stripe", {"id": "e"}), ("slack", {"event_id": "e"}), ("discord", {"id": "e"})],
)
def test_the_id_in_the_payload_is_that_of_the_delivery(name: str, payload: Json) -> None:
    assert MAKERS[name](OLD).delivery_id([], payload) == "e"


@every
@pytest.mark.parametrize("payload", [None, [1], {}, {"id": 7, "event_id": ""}])
def test_what_has_no_id_has_none(name: str, payload: Json) -> None:
    assert MAKERS[name](OLD).delivery_id([], payload) is None


def test_an_id_that_no_log_could_show_is_none() -> None:
    for value in (b"a\nb", b"\xff", b"x" * 256):
        assert github(OLD).delivery_id([(b"x-github-delivery", value)], {}) is None


# Handshakes


def test_slack_gets_its_challenge_back() -> None:
    assert url_verification({"type": "url_verification", "challenge": "c"}) == {"challenge": "c"}


def test_slack_gets_an_answer_when_it_looks_at_the_certificate() -> None:
    assert url_verification({"ssl_check": "1", "token": "t"}) == {}


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "event_callback", "challenge": "c"},
        {"type": "url_verification"},
        {"command": "/go", "ssl_check": "0"},
        *([], 1),
    ],
)
def test_nothing_else_is_taken_for_a_challenge(payload: Json) -> None:
    assert url_verification(payload) is None
