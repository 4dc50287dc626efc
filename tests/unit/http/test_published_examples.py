"""What the senders themselves publish as an example of a right signature."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ductile.http.webhooks.gitlab import GitLab
from ductile.http.webhooks.keyed_hash import HashForm, KeyedHash, github
from ductile.http.webhooks.shopify import Shopify
from ductile.http.webhooks.signature import Verdict
from ductile.http.webhooks.slack import Slack
from ductile.http.webhooks.standard import StandardWebhooks
from ductile.http.webhooks.stripe import Stripe
from tests.support.clock import FakeClock


def at(seconds: int) -> FakeClock:
    return FakeClock(datetime.fromtimestamp(seconds, UTC))


def test_the_example_of_github_is_genuine() -> None:
    signature = b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = [(b"x-hub-signature-256", signature)]
    scheme = github("It's a Secret to Everybody")
    assert scheme.verify(headers, b"Hello, World!") is Verdict.GENUINE


def test_the_example_of_stripe_is_genuine() -> None:
    # Of Stripe's library for .NET; its signature `v0` is of the same body, and is ignored.
    body = b"""{
  "id": "evt_123",
  "object": "event",
  "account": "acct_123",
  "api_version": "2017-05-25",
  "created": 1533204620,
  "data": {
    "object": {
      "id": "cus_123",
      "object": "customer",
      "created": 123456789,
      "email": "test@stripe.com",
      "livemode": false,
      "metadata": {}
    }
  },
  "livemode": false,
  "pending_webhooks": 1,
  "request": {
    "id": "req_123",
    "idempotency_key": "idempotency-key-123"
  },
  "type": "customer.created"
}
"""
    value = (
        b"t=1533204620,"
        b"v1=2220f87ef101a04665f11cdf770523143f875572008577fa0f20882ddb9cc3c7,"
        b"v0=63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef"
    )
    scheme = Stripe("webhook_secret", clock=at(1533204720))
    assert scheme.verify([(b"stripe-signature", value)], body) is Verdict.GENUINE


def test_the_example_of_slack_is_genuine() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
        b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = b"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    headers = [(b"x-slack-signature", signature), (b"x-slack-request-timestamp", b"1531420618")]
    scheme = Slack("8f742231b10e8888abcd99yyyzzz85a5", clock=at(1531420618))
    assert scheme.verify(headers, body) is Verdict.GENUINE


STANDARD_BODY = b'{"test": 2432232314}'
STANDARD_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_the_example_of_standard_webhooks_is_genuine() -> None:
    headers = [
        (b"webhook-id", STANDARD_ID.encode()),
        (b"webhook-timestamp", b"1614265330"),
        (b"webhook-signature", b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]
    scheme = StandardWebhooks("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", clock=at(1614265330))
    assert scheme.verify(headers, STANDARD_BODY) is Verdict.GENUINE
    now = datetime.fromtimestamp(1614265330, UTC)
    assert scheme.sign(STANDARD_BODY, delivery_id=STANDARD_ID, now=now) == headers


def test_the_example_of_an_asymmetric_standard_webhook_is_genuine() -> None:
    # Of Svix's server; the private key holds the public one behind it.
    pair = base64.b64decode(
        "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
    )
    headers = [
        (b"webhook-id", STANDARD_ID.encode()),
        (b"webhook-timestamp", b"1614265330"),
        (
            b"webhook-signature",
            b"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM"
            b"+m7TBAg==",
        ),
    ]
    scheme = StandardWebhooks(
        clock=at(1614265330),
        public_keys=["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="],
        private_key=Ed25519PrivateKey.from_private_bytes(pair[:32]),
    )
    assert scheme.verify(headers, STANDARD_BODY) is Verdict.GENUINE
    now = datetime.fromtimestamp(1614265330, UTC)
    assert scheme.sign(STANDARD_BODY, delivery_id=STANDARD_ID, now=now) == headers


def test_a_hash_as_shopify_makes_it_is_genuine() -> None:
    # Shopify publishes none; this one is of SQLPage's tests.
    headers = [(b"x-shopify-hmac-sha256", b"QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw=")]
    body = b'{"id":1234567890,"email":"customer@example.com","total_price":"123.45"}'
    assert Shopify("test-webhook-secret").verify(headers, body) is Verdict.GENUINE


def test_the_token_of_gitlab_is_sent_as_it_is() -> None:
    assert GitLab("a token").verify([(b"x-gitlab-token", b"a token")], b"{}") is Verdict.GENUINE


RFC_4231 = {
    "sha256": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    "sha512": "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
}


@pytest.mark.parametrize("name", RFC_4231)
def test_a_known_answer_of_rfc_4231_is_genuine(name: str) -> None:
    # Test case 2: key "Jefe".
    form = HashForm("X-Sig", "sha512" if name == "sha512" else "sha256")
    headers = [(b"x-sig", RFC_4231[name].encode())]
    body = b"what do ya want for nothing?"
    assert KeyedHash(form, "Jefe").verify(headers, body) is Verdict.GENUINE
