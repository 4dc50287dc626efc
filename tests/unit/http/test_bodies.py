"""Payloads of JSON bodies and of forms."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ductile.http.exchange import Rejection
from ductile.http.interfaces import Headers
from ductile.http.webhooks.bodies import json_body, json_or_form, json_or_payload
from ductile.model.json import Json, encode

FORM = [(b"content-type", b"application/x-www-form-urlencoded")]
PLAIN = [(b"content-type", b"application/json")]
Read = Callable[[Headers, bytes], Json]
both = pytest.mark.parametrize("read", [json_or_form, json_or_payload])


def refusal(read: Read, headers: Headers, body: bytes) -> tuple[int, str, str]:
    with pytest.raises(Rejection) as refused:
        read(headers, body)
    return refused.value.status, str(refused.value), refused.value.reason


# Which it is


@both
@pytest.mark.parametrize(
    "content_type",
    [
        b"application/x-www-form-urlencoded",
        b"application/x-www-form-urlencoded; charset=utf-8",
        b"application/x-www-form-urlencoded ;charset=utf-8",
        b"Application/X-WWW-Form-Urlencoded",
    ],
)
def test_a_body_is_a_form_if_content_type_says_so(read: Read, content_type: bytes) -> None:
    assert read([(b"content-type", content_type)], b"payload=%7B%22a%22%3A1%7D") == {"a": 1}


@both
@pytest.mark.parametrize(
    "headers",
    [
        [],
        PLAIN,
        [(b"content-type", b"")],
        [(b"content-type", b"text/plain")],
        [(b"content-type", b"multipart/form-data; boundary=x")],
        [(b"content-type", b"application/x-www-form-urlencodedx")],
        [(b"content-type", b"text/plain; application/x-www-form-urlencoded")],
        [(b"content-type", b"application/json, application/x-www-form-urlencoded")],
    ],
)
def test_a_body_is_json_if_content_type_says_anything_else(read: Read, headers: Headers) -> None:
    assert read(headers, b'{"a": 1}') == {"a": 1}
    assert refusal(read, headers, b"payload=1")[0] == 400


@both
def test_two_content_types_are_none(read: Read) -> None:
    for body in (b"{}", b"payload=1"):
        _, error, reason = refusal(read, [*PLAIN, *FORM], body)
        assert error == "expected one Content-Type; nothing was accepted"
        assert reason == "Content-Type is there 2 times"


def test_senders_that_send_no_forms_are_not_asked_for_their_content_type() -> None:
    assert json_body(FORM, b'{"a": 1}') == {"a": 1}
    assert refusal(json_body, FORM, b"payload=1")[0] == 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('=&%+a"', max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["payload", "&payload=1&", "a=b"]), inner, max_size=3)
    ),
    max_leaves=5,
)
forms = st.dictionaries(st.text(max_size=5), st.text(max_size=9), min_size=1).map(
    lambda fields: urlencode(fields).encode()
)


@both
@given(value=json_values)
@example({"title": "&payload=%7B%7D&"})
def test_no_json_is_taken_for_a_form_whatever_content_type_says(read: Read, value: Json) -> None:
    assert refusal(read, FORM, encode(value))[0] == 400


@both
@given(body=forms)
@example(b"payload=1")
@example(b"1=1")
def test_no_form_is_taken_for_json_whatever_content_type_says(read: Read, body: bytes) -> None:
    assert refusal(read, PLAIN, body)[0] == 400


@both
@given(body=st.text('{}[]"=&%10payload,: ', max_size=30).map(str.encode) | st.binary(max_size=20))
def test_no_body_is_a_form_and_json_too(read: Read, body: bytes) -> None:
    found = []
    for headers in (FORM, PLAIN):
        with suppress(Rejection):
            found.append(read(headers, body))
    assert len(found) < 2


# Forms


def test_a_form_of_slack_is_an_object_of_texts() -> None:
    body = b"command=%2Fgo&text=to+the+%C3%A4rea&trigger_id=1.2&empty="
    assert json_or_form(FORM, body) == {
        "command": "/go",
        "text": "to the ärea",
        "trigger_id": "1.2",
        "empty": "",
    }


@given(fields=st.dictionaries(st.text(max_size=5), st.text(max_size=9), min_size=1))
def test_every_form_comes_out_as_it_went_in(fields: dict[str, str]) -> None:
    if fields.keys() != {"payload"}:
        assert json_or_form(FORM, urlencode(fields).encode()) == fields


def test_payload_is_a_field_like_any_other_where_it_is_not_alone() -> None:
    assert json_or_form(FORM, b"payload=1&a=2") == {"payload": "1", "a": "2"}


@pytest.mark.parametrize("body", [b"payload=1&a=2", b"a=1", b"Payload=1"])
def test_github_sends_no_field_but_payload(body: bytes) -> None:
    _, error, reason = refusal(json_or_payload, FORM, body)
    assert error == 'expected a form with one field, "payload"; nothing was accepted'
    assert reason == "the form has other fields"


@both
@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"a",
            b"a=1&",
            b"&a=1",
            b"a=1&&b=2",
            b"a=1 ",
            b"a=1\n",
            b'a="1"',
            b"a=%FF",
            b"a=\xff",
        ),
        b"&".join(b"a%d=1" % n for n in range(1001)),
    ],
)
def test_what_is_no_form_is_refused_without_being_quoted(read: Read, body: bytes) -> None:
    status, error, reason = refusal(read, FORM, body)
    assert (status, reason) == (400, "the body is not a form")
    assert error == "expected a form, as Content-Type says; nothing was accepted"


@both
def test_a_field_that_is_there_twice_is_refused(read: Read) -> None:
    _, error, _ = refusal(read, FORM, b"payload=1&payload=2")
    assert error == "expected a form with each field once; nothing was accepted"


@both
@pytest.mark.parametrize(
    "body", [b"payload=", b"payload=%7B", b"payload=NaN", b"payload=%EF%BB%BF1"]
)
def test_a_payload_that_is_not_json_is_refused(read: Read, body: bytes) -> None:
    status, error, reason = refusal(read, FORM, body)
    assert (status, error) == (400, 'expected one JSON document in "payload"; nothing was accepted')
    assert reason.startswith("payload is not JSON: ")
