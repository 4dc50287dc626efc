"""The schemes `hmac-sha256` and `hmac-sha512`: keyed hashes of many forms."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.config.signed import SignedContent
from ductile.errors import ConfigurationError, UsageError
from ductile.http.webhooks.keyed_hash import HashForm, KeyedHash, hmac_sha256
from ductile.http.webhooks.signature import Verdict
from tests.support.clock import FakeClock

BODY = b'{"a": 1}'
SCHEME = hmac_sha256("X-Signature-256", "s3cret")
HEX = hmac.new(b"s3cret", BODY, hashlib.sha256).hexdigest()
NAME = b"x-signature-256"


def verdict(value: bytes, body: bytes = BODY) -> Verdict:
    return SCHEME.verify([(b"host", b"h"), (NAME, value)], body)


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
    assert hmac_sha256("X-Signature-256", "other").verify(headers, BODY) is Verdict.WRONG


def test_a_secret_that_is_not_ascii_signs_as_utf_8() -> None:
    signature = hmac.new("pässwörd".encode(), BODY, hashlib.sha256).hexdigest().encode()
    headers = [(NAME, signature)]
    assert hmac_sha256("X-Signature-256", "pässwörd").verify(headers, BODY) is Verdict.GENUINE


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
        hmac_sha256("X-Signature-256", "")


@pytest.mark.parametrize("name", ["", "X Signature", "X-Sig:", "X-Sïg", "X-Sig\n"])
def test_what_cannot_be_a_header_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="the name of an HTTP header"):
        hmac_sha256(name, "s3cret")


# Other forms

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
TIMED = SignedContent.parse("{timestamp}.{body}")
WITH_ID = SignedContent.parse("{id}.{body}")


def made_of(content: bytes, digest: str = "sha256") -> bytes:
    return hmac.digest(b"s3cret", content, digest)


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (HashForm("X-Sig", "sha512"), made_of(BODY, "sha512").hex()),
        (HashForm("X-Sig", "sha512"), f"sha512={made_of(BODY, 'sha512').hex()}"),
        (HashForm("X-Sig", prefix="v1="), f"v1={HEX}"),
        (HashForm("X-Sig", prefix=""), HEX),
        (HashForm("X-Sig", encoding="base64"), base64.b64encode(made_of(BODY)).decode()),
        (
            HashForm("X-Sig", encoding="base64", prefix="HMAC "),
            f"HMAC {base64.b64encode(made_of(BODY)).decode()}",
        ),
    ],
)
def test_a_hash_in_the_form_that_is_set_is_genuine(form: HashForm, value: str) -> None:
    headers = [(b"x-sig", value.encode())]
    assert KeyedHash(form, "s3cret").verify(headers, BODY) is Verdict.GENUINE


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (HashForm("X-Sig", prefix="v1="), HEX),
        (HashForm("X-Sig", prefix="v1="), f"V1={HEX}"),
        (HashForm("X-Sig", prefix="v1="), f"v1=v1={HEX}"),
        (HashForm("X-Sig", prefix=""), f"sha256={HEX}"),
        (HashForm("X-Sig", "sha512"), HEX),
        (HashForm("X-Sig", encoding="base64"), HEX),
        (HashForm("X-Sig"), base64.b64encode(made_of(BODY)).decode()),
    ],
)
def test_a_hash_in_another_form_is_malformed(form: HashForm, value: str) -> None:
    headers = [(b"x-sig", value.encode())]
    assert KeyedHash(form, "s3cret").verify(headers, BODY) is Verdict.MALFORMED


def timed(timestamp: bytes) -> Verdict:
    form = HashForm("X-Sig", signed=TIMED, timestamp_header="X-Time")
    signature = made_of(timestamp + b"." + BODY).hex().encode()
    headers = [(b"x-sig", signature), (b"x-time", timestamp)]
    return KeyedHash(form, "s3cret", clock=FakeClock(NOW)).verify(headers, BODY)


@pytest.mark.parametrize(
    ("timestamp", "verdict"),
    [
        (b"1772625600", Verdict.GENUINE),
        (b"1772625900", Verdict.GENUINE),
        (b"1772625901", Verdict.STALE),
        (b"1772625300", Verdict.GENUINE),
        (b"1772625299", Verdict.STALE),
        (b"01772625600", Verdict.MALFORMED),
        (b"1772625600.0", Verdict.MALFORMED),
        (b"1772625600000", Verdict.MALFORMED),
        (b"-1772625600", Verdict.MALFORMED),
        (b"", Verdict.MALFORMED),
        (b"now", Verdict.MALFORMED),
    ],
)
def test_a_signed_time_is_in_whole_seconds_and_near(timestamp: bytes, verdict: Verdict) -> None:
    assert timed(timestamp) is verdict


@pytest.mark.parametrize("missing", [b"x-sig", b"x-time"])
def test_a_time_that_is_signed_has_to_be_there(missing: bytes) -> None:
    form = HashForm("X-Sig", signed=TIMED, timestamp_header="X-Time")
    scheme = KeyedHash(form, "s3cret", clock=FakeClock(NOW))
    headers = [each for each in scheme.sign(BODY, delivery_id="d") if each[0] != missing]
    assert scheme.verify(headers, BODY) is Verdict.MISSING


def test_an_id_that_is_signed_cannot_be_changed() -> None:
    scheme = KeyedHash(HashForm("X-Sig", signed=WITH_ID, id_header="X-Id"), "s3cret")
    headers = dict(scheme.sign(BODY, delivery_id="d-1"))
    assert scheme.verify([*headers.items()], BODY) is Verdict.GENUINE
    headers[b"x-id"] = b"d-2"
    assert scheme.verify([*headers.items()], BODY) is Verdict.WRONG


def test_a_piece_of_the_body_cannot_pass_for_a_piece_of_the_id() -> None:
    scheme = KeyedHash(HashForm("X-Sig", signed=WITH_ID, id_header="X-Id"), "s3cret")
    (signature, _) = scheme.sign(b"2.{}", delivery_id="1")
    assert scheme.verify([signature, (b"x-id", b"1.2")], b"{}") is Verdict.MALFORMED
    with pytest.raises(UsageError, match=r'expected an id without any of "\."'):
        scheme.sign(b"{}", delivery_id="1.2")


def test_an_id_that_is_not_signed_may_hold_anything() -> None:
    scheme = KeyedHash(HashForm("X-Sig", id_header="X-Id"), "s3cret")
    headers = scheme.sign(BODY, delivery_id="1.2")
    assert scheme.verify(headers, BODY) is Verdict.GENUINE
    assert scheme.delivery_id(headers, {}) == "1.2"


@pytest.mark.parametrize("signed", [TIMED, WITH_ID])
def test_what_is_signed_needs_a_header_to_come_from(signed: SignedContent) -> None:
    with pytest.raises(ConfigurationError, match="no header for it is set"):
        HashForm("X-Sig", signed=signed)
