"""The slash command that starts the demo, and its signature."""

from __future__ import annotations

import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ductile.demo.interaction import InteractionSigner, SignedRequest, ping, slash_command
from tests.plugins_bundled.conftest import CHANNEL, NOW

URL = "https://youtu.be/Lincoln1865"


def verify(signed: SignedRequest, public_key_hex: str, body: bytes | None = None) -> None:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key_hex))
    timestamp = signed.headers["X-Signature-Timestamp"].encode()
    signature = bytes.fromhex(signed.headers["X-Signature-Ed25519"])
    key.verify(signature, timestamp + (signed.body if body is None else body))


def test_a_signature_covers_timestamp_and_body() -> None:
    signer = InteractionSigner()
    signed = signer.sign(slash_command(URL, at=NOW), at=NOW)
    verify(signed, signer.public_key_hex)
    assert signed.headers["X-Signature-Timestamp"] == str(int(NOW.timestamp()))
    with pytest.raises(InvalidSignature):
        verify(signed, signer.public_key_hex, signed.body + b" ")
    signed.headers["X-Signature-Timestamp"] += "0"
    with pytest.raises(InvalidSignature):
        verify(signed, signer.public_key_hex)


def test_every_signer_has_a_key_of_its_own() -> None:
    assert InteractionSigner().public_key_hex != InteractionSigner().public_key_hex


def test_a_slash_command_has_the_form_of_an_interaction() -> None:
    signed = InteractionSigner().sign(slash_command(URL, at=NOW, channel_id=CHANNEL), at=NOW)
    interaction = json.loads(signed.body)
    assert interaction["type"] == 2
    assert interaction["version"] == 1
    assert interaction["channel_id"] == interaction["channel"]["id"] == CHANNEL
    assert interaction["guild_id"] == interaction["guild"]["id"]
    assert interaction["member"]["user"]["username"]
    assert interaction["data"]["name"] == "wisdom"
    assert interaction["data"]["options"] == [{"name": "url", "type": 3, "value": URL}]
    # The time is in the upper bits of an id.
    made = (int(interaction["id"]) >> 22) + 1_420_070_400_000
    assert made == int(NOW.timestamp() * 1000)


def test_no_two_interactions_share_an_id_or_a_token() -> None:
    first, second = slash_command(URL, at=NOW), slash_command(URL, at=NOW)
    assert first["id"] != second["id"]
    assert first["token"] != second["token"]
    assert ping(at=NOW)["type"] == 1
