"""The discord scheme."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ductile.errors import ConfigurationError
from ductile.http.webhooks.discord import ACCEPTED, Discord, pong
from ductile.http.webhooks.signature import WINDOW, Verdict
from ductile.model.json import Json, decode

SECONDS = 1_750_000_000
PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = PRIVATE_KEY.public_key().public_bytes_raw().hex()
BODY = b'{"type":2}'


class StoppedClock:
    """A clock that always shows the same time."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._seconds, UTC)

    def monotonic(self) -> float:
        return self._seconds


SCHEME = Discord(PUBLIC_KEY, clock=StoppedClock())


def signed(timestamp: str = str(SECONDS), body: bytes = BODY) -> list[tuple[bytes, bytes]]:
    signature = PRIVATE_KEY.sign(timestamp.encode() + body).hex()
    return [
        (b"x-signature-ed25519", signature.encode()),
        (b"x-signature-timestamp", timestamp.encode()),
    ]


def test_the_key_pair_of_rfc_8032_signs_and_verifies() -> None:
    # Test 2 of section 7.1. It signs the letter "r", which begins no timestamp; so its answer
    # proves the key pair, and the pair signs a request in Discord's form.
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public_key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    key = Ed25519PrivateKey.from_private_bytes(seed)
    assert key.sign(b"r").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    headers = [
        (b"x-signature-ed25519", key.sign(str(SECONDS).encode() + BODY).hex().encode()),
        (b"x-signature-timestamp", str(SECONDS).encode()),
    ]
    assert Discord(public_key, clock=StoppedClock()).verify(headers, BODY) is Verdict.GENUINE


def test_a_signature_over_timestamp_and_body_is_genuine() -> None:
    assert SCHEME.verify(signed(), BODY) is Verdict.GENUINE


def test_upper_case_hex_is_genuine() -> None:
    (name, signature), timestamp = signed()
    assert SCHEME.verify([(name, signature.upper()), timestamp], BODY) is Verdict.GENUINE


def test_another_body_has_another_signature() -> None:
    assert SCHEME.verify(signed(), b'{"type":1}') is Verdict.WRONG


def test_another_timestamp_has_another_signature() -> None:
    signature, (name, _) = signed()
    changed = (name, str(SECONDS + 1).encode())
    assert SCHEME.verify([signature, changed], BODY) is Verdict.WRONG


@pytest.mark.parametrize("age", [-WINDOW, 0, WINDOW])
def test_a_signature_within_the_window_is_genuine(age: int) -> None:
    assert SCHEME.verify(signed(str(SECONDS - age)), BODY) is Verdict.GENUINE


@pytest.mark.parametrize("age", [-WINDOW - 1, WINDOW + 1, SECONDS])
def test_a_signature_from_too_long_ago_or_from_the_future_is_stale(age: int) -> None:
    assert SCHEME.verify(signed(str(SECONDS - age)), BODY) is Verdict.STALE


def test_a_forged_old_timestamp_is_wrong_rather_than_stale() -> None:
    signature, (name, _) = signed()
    assert SCHEME.verify([signature, (name, b"1")], BODY) is Verdict.WRONG


@pytest.mark.parametrize("kept", [0, 1])
def test_both_headers_are_needed(kept: int) -> None:
    assert SCHEME.verify([signed()[kept]], BODY) is Verdict.MISSING


@pytest.mark.parametrize("doubled", [0, 1])
def test_a_header_that_is_there_twice_is_refused(doubled: int) -> None:
    headers = signed()
    assert SCHEME.verify([*headers, headers[doubled]], BODY) is Verdict.MISSING


@pytest.mark.parametrize("value", [b"", b"00", b"z" * 128, b"0" * 126, b"0" * 130, b"\xff" * 128])
def test_what_is_no_signature_is_malformed(value: bytes) -> None:
    headers = [(b"x-signature-ed25519", value), signed()[1]]
    assert SCHEME.verify(headers, BODY) is Verdict.MALFORMED


@pytest.mark.parametrize("timestamp", ["", "-1", "1.5", "1e9", "9" * 13, "\u0661", "0x10", " 1"])
def test_what_is_no_timestamp_is_malformed_even_if_signed(timestamp: str) -> None:
    assert SCHEME.verify(signed(timestamp), BODY) is Verdict.MALFORMED


@given(signature=st.binary(min_size=64, max_size=64), body=st.binary(max_size=50))
def test_no_guess_is_genuine_and_none_raises(signature: bytes, body: bytes) -> None:
    headers = [(b"x-signature-ed25519", signature.hex().encode()), signed()[1]]
    assert SCHEME.verify(headers, body) is Verdict.WRONG


@pytest.mark.parametrize("key", ["", "00", "z" * 64, PUBLIC_KEY + "00", PUBLIC_KEY[:-1] + "\n"])
def test_a_key_that_is_not_64_hex_digits_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match="64 hex digits"):
        Discord(key, clock=StoppedClock())


def test_a_ping_is_answered_with_a_pong() -> None:
    assert pong({"type": 1, "id": "7"}) == {"type": 1}


@pytest.mark.parametrize("payload", [{"type": 2}, {"type": True}, {"type": "1"}, {}, [1], 1, None])
def test_nothing_but_a_ping_is_answered_with_a_pong(payload: Json) -> None:
    assert pong(payload) is None


def test_the_default_answer_is_a_message_that_only_the_sender_sees() -> None:
    assert decode(ACCEPTED.body) == {"type": 4, "data": {"content": "Accepted.", "flags": 64}}
