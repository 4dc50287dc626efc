"""The hmac-sha256 scheme."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.errors import ConfigurationError
from ductile.http.webhooks.hmac_sha256 import HmacSha256
from ductile.http.webhooks.signature import Verdict

BODY = b'{"a": 1}'
SCHEME = HmacSha256("X-Signature-256", "s3cret")
HEX = hmac.new(b"s3cret", BODY, hashlib.sha256).hexdigest()
NAME = b"x-signature-256"


def verdict(value: bytes, body: bytes = BODY) -> Verdict:
    return SCHEME.verify([(b"host", b"h"), (NAME, value)], body)


def test_a_known_answer_of_rfc_4231_is_genuine() -> None:
    # Test case 2: key "Jefe".
    signature = b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    headers = [(b"x-sig", signature)]
    body = b"what do ya want for nothing?"
    assert HmacSha256("X-Sig", "Jefe").verify(headers, body) is Verdict.GENUINE


@pytest.mark.parametrize(
    "value",
    [HEX, HEX.upper(), f"sha256={HEX}", f"sha256={HEX.upper()}"],
    ids=["bare", "upper case", "prefix", "prefix and upper case"],
)
def test_every_spelling_of_the_right_signature_is_genuine(value: str) -> None:
    assert verdict(value.encode()) is Verdict.GENUINE


def test_another_body_has_another_signature() -> None:
    assert verdict(HEX.encode(), BODY + b" ") is Verdict.WRONG


def test_another_secret_makes_another_signature() -> None:
    headers = [(NAME, HEX.encode())]
    assert HmacSha256("X-Signature-256", "other").verify(headers, BODY) is Verdict.WRONG


def test_a_secret_that_is_not_ascii_signs_as_utf_8() -> None:
    signature = hmac.new("pässwörd".encode(), BODY, hashlib.sha256).hexdigest().encode()
    headers = [(NAME, signature)]
    assert HmacSha256("X-Signature-256", "pässwörd").verify(headers, BODY) is Verdict.GENUINE


def test_a_missing_header_is_refused() -> None:
    assert SCHEME.verify([(b"x-signature", HEX.encode())], BODY) is Verdict.MISSING


def test_a_header_that_is_there_twice_is_refused() -> None:
    headers = [(NAME, HEX.encode()), (NAME, HEX.encode())]
    assert SCHEME.verify(headers, BODY) is Verdict.MISSING


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"sha256=",
        HEX[:-1].encode(),
        HEX.encode() + b"0",
        b"sha512=" + HEX.encode(),
        b"sha256=sha256=" + HEX.encode(),
        b" ".join(HEX[i : i + 2].encode() for i in range(0, 64, 2)),
        b"g" * 64,
        b"\xff\xfe" * 32,
        HEX.encode() + b"\n",
    ],
)
def test_what_is_no_hex_digest_is_malformed(value: bytes) -> None:
    assert verdict(value) is Verdict.MALFORMED


@given(value=st.binary(max_size=100), body=st.binary(max_size=50))
def test_no_guess_is_genuine_and_none_raises(value: bytes, body: bytes) -> None:
    assert verdict(value, body) in {Verdict.MALFORMED, Verdict.WRONG}


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="found an empty one"):
        HmacSha256("X-Signature-256", "")


@pytest.mark.parametrize("name", ["", "X Signature", "X-Sig:", "X-Sïg", "X-Sig\n"])
def test_what_cannot_be_a_header_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="the name of an HTTP header"):
        HmacSha256(name, "s3cret")
