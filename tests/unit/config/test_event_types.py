"""Types of events that their senders have a part in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.config.event_types import TypePattern
from ductile.documents.problems import BadValue

GITHUB = TypePattern.parse("github.{event}")


@pytest.mark.parametrize(
    ("text", "said", "expected"),
    [
        ("github.{event}", b"push", "github.push"),
        ("github.{event}", b"pull_request", "github.pull_request"),
        ("shop.{event}", b"orders/create", "shop.orders.create"),
        ("gitlab.{event}", b"Merge Request Hook", "gitlab.merge_request_hook"),
        ("hook.{event}.came", b"a.b-c", "hook.a.b-c.came"),
        ("on-{event}", b"X" * 100, "on-" + "x" * 100),
    ],
)
def test_what_the_sender_says_becomes_part_of_the_type(
    text: str, said: bytes, expected: str
) -> None:
    pattern = TypePattern.parse(text)
    assert pattern.filled(said) == expected
    assert pattern.matches(expected)


@pytest.mark.parametrize(
    "said",
    [
        *(b"", b" ", b"a  b", b" a", b"a ", b"a//b", b"/a", b"a.", b"..", b"a\nb", b"a\0"),
        *(b"{event}", b"\xc3\xa4", b"a;b", b"a" * 101, b"*"),
    ],
)
def test_what_is_no_name_becomes_no_type(said: bytes) -> None:
    assert GITHUB.filled(said) is None


@given(st.binary(max_size=120) | st.text("aZ0_-./ ", max_size=120).map(str.encode))
def test_whatever_is_said_becomes_a_type_of_the_endpoints_own_or_none(said: bytes) -> None:
    made = GITHUB.filled(said)
    if made is not None:
        assert re.fullmatch(r"github(\.[a-z0-9_-]+)+", made)
        assert GITHUB.matches(made)


@pytest.mark.parametrize(
    "event_type", ["github", "github.", "gitlab.push", "github.Push", "github.a..b", "x.github.a"]
)
def test_no_sender_can_make_it_another_type(event_type: str) -> None:
    assert not GITHUB.matches(event_type)


@pytest.mark.parametrize("text", ["d{event}", "ductile{event}", "ductil{event}.x"])
def test_no_sender_can_make_it_one_of_the_cores(text: str) -> None:
    pattern = TypePattern.parse(text)
    rest = "ductile.run".removeprefix(text.partition("{")[0])
    assert pattern.filled(rest.encode()) is None
    assert not pattern.matches("ductile.run")


def test_a_text_on_both_sides_counts_twice() -> None:
    assert not TypePattern.parse("aa{event}aa").matches("aaa")


def test_a_pattern_without_a_placeholder_is_one_type() -> None:
    pattern = TypePattern.parse("order.placed")
    assert not pattern.open
    assert pattern.matches("order.placed")
    assert not pattern.matches("order.paid")


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("{event}", "lets its sender name any type", '"shop.{event}"'),
        ("a.{evnet}", 'no placeholder "{evnet}"', 'did you mean "{event}"?'),
        ("a.{x}", 'no placeholder "{x}"', "{event}"),
        ("a.{event}.{event}", '"{event}" is there twice', "once"),
        ("a.{event", "a brace that is part of no placeholder", '"github.{event}"'),
        ("ductile.{event}", "are the core's", "another"),
        ("a {event}", "is not an event type", "order.placed"),
    ],
)
def test_a_name_that_cannot_be_is_explained(text: str, message: str, remedy: str) -> None:
    with pytest.raises(BadValue) as caught:
        TypePattern.parse(text)
    assert message in str(caught.value)
    assert remedy in str(caught.value.hint)
