"""What a keyed hash is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.config.signed import BODY, ID, TIMESTAMP, SignedContent
from ductile.documents.problems import BadValue

VALUES = {BODY: b"{}", TIMESTAMP: b"1700000000", ID: b"msg_1"}


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("{body}", b"{}"),
        ("{timestamp}.{body}", b"1700000000.{}"),
        ("v0:{timestamp}:{body}", b"v0:1700000000:{}"),
        ("{id}.{timestamp}.{body}", b"msg_1.1700000000.{}"),
        ("{body}{timestamp}", b"{}1700000000"),
        ("POST\n/ä\n{body}\n{id}", b"POST\n/\xc3\xa4\n{}\nmsg_1"),
    ],
)
def test_placeholders_are_filled_and_the_text_between_them_stays(text: str, content: bytes) -> None:
    assert SignedContent.parse(text).filled(VALUES) == content


def test_what_a_value_holds_is_not_filled_again() -> None:
    values = {BODY: b"{timestamp}", TIMESTAMP: b"7"}
    assert SignedContent.parse("{timestamp}.{body}").filled(values) == b"7.{timestamp}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", '"" leaves out "{body}"'),
        ("{timestamp}", '"{timestamp}" leaves out "{body}"'),
        ("{body}{body}", '"{body}" is there twice'),
        ("{body}.{url}", 'there is no placeholder "{url}" in a signature'),
        ("{body}.{}", 'there is no placeholder "{}" in a signature'),
        ("{Body}", 'there is no placeholder "{Body}" in a signature'),
        ("{body}}", '"}" has a brace that is part of no placeholder'),
        ("{{body}", '"{" has a brace that is part of no placeholder'),
    ],
)
def test_a_text_that_says_nothing_clear_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadValue) as refused:
        SignedContent.parse(text)
    assert str(refused.value) == message


@pytest.mark.parametrize("text", ["{id}{body}", "{body}{id}", "{id}{timestamp}.{body}"])
def test_an_id_that_touches_another_value_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="nothing stands between"):
        SignedContent.parse(text)


@pytest.mark.parametrize(
    ("text", "outside"),
    [
        ("{body}", b""),
        ("{id}.{body}", b"."),
        ("{body}--{id}", b"-"),
        ("a{id}b{timestamp}{body}", b"ab"),
    ],
)
def test_what_stands_next_to_an_id_cannot_be_in_it(text: str, outside: bytes) -> None:
    assert SignedContent.parse(text).outside_id() == outside


short = st.text("1.a", max_size=4).map(str.encode)
times = st.sampled_from([b"17", b"18"])


@given(
    text=st.sampled_from(
        ["{id}.{timestamp}.{body}", "{timestamp}{body}", "{body}.{id}.{timestamp}"]
    ),
    one=st.tuples(short, times, short),
    other=st.tuples(short, times, short),
)
def test_one_content_can_be_taken_apart_in_one_way_only(
    text: str, one: tuple[bytes, bytes, bytes], other: tuple[bytes, bytes, bytes]
) -> None:
    content = SignedContent.parse(text)
    outside = set(content.outside_id())
    parts = [dict(zip((ID, TIMESTAMP, BODY), each, strict=True)) for each in (one, other)]
    if any(outside & set(each[ID]) for each in parts):
        return
    kept = [{key: each[key] for key in each if key in content} for each in parts]
    same = content.filled(parts[0]) == content.filled(parts[1])
    assert same == (kept[0] == kept[1])
