"""How baggage grows from hop to hop."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.errors import Refused
from ductile.ledger import baggage
from ductile.ledger.baggage import CORE, ORIGIN, SYSTEM_KEYS, Questioned
from ductile.model.json import decode, encode
from tests.support.builders import an_event

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
plain_keys = st.text(max_size=6).filter(lambda key: not key.startswith((ORIGIN, CORE)))
plain = st.dictionaries(plain_keys, values, max_size=5)
anchors = st.dictionaries(st.text(max_size=4).map(lambda key: ORIGIN + key), values, max_size=3)


def test_a_chain_starts_with_the_payload_and_the_stamps_of_the_core() -> None:
    event = an_event(payload={"url": "u"})
    assert baggage.root(event) == {
        "url": "u",
        "origin_event_id": event.id,
        "origin_event_type": "video.posted",
        "origin_source": "webhook",
        "origin_received_at": "2026-02-14T12:00:00.000000Z",
    }


def test_the_stamps_win_over_the_payload() -> None:
    event = an_event(payload={"origin_event_id": "forged", "origin_source": "forged"})
    assert baggage.root(event)["origin_event_id"] == event.id


def test_other_origin_keys_of_the_payload_are_part_of_the_anchor() -> None:
    root = baggage.root(an_event(payload={"origin_user_id": "u1"}))
    with pytest.raises(Refused, match='changes "origin_user_id"'):
        baggage.merge(root, {"origin_user_id": "u2"})


@pytest.mark.parametrize("payload", [[1, 2], "text", 7, None, True])
def test_a_payload_that_is_no_object_becomes_a_value(payload: Any) -> None:
    assert baggage.as_object(payload) == {"value": payload}


def test_updates_replace_whole_top_level_keys() -> None:
    merged = baggage.merge({"a": {"x": 1}, "b": 2}, {"a": {"y": 3}})
    assert merged.baggage == {"a": {"y": 3}, "b": 2}


@pytest.mark.parametrize(
    ("held", "repeated"),
    [
        ("u1", "u1"),
        (1, 1.0),
        ([1, {"a": None}], [1, {"a": None}]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_an_origin_key_may_be_repeated(held: Any, repeated: Any) -> None:
    merged = baggage.merge({"origin_x": held}, {"origin_x": repeated, "new": 1})
    assert encode(merged.baggage) == encode({"origin_x": held, "new": 1})


@pytest.mark.parametrize(
    ("held", "other"),
    [
        ("u1", "u2"),
        (1, True),
        (0, False),
        (1, "1"),
        (None, False),
        ([], {}),
        ([1], [1, 2]),
        ([1, 2], [2, 1]),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": 1, "b": None}),
    ],
)
def test_an_origin_key_must_not_change(held: Any, other: Any) -> None:
    with pytest.raises(Refused, match='changes "origin_x"'):
        baggage.merge({"origin_x": held}, {"origin_x": other})


def test_an_origin_key_must_not_be_added_later() -> None:
    with pytest.raises(Refused, match='adds "origin_new"'):
        baggage.merge({"origin_x": 1}, {"origin_new": 1})


def test_an_origin_key_that_is_nested_too_deep_for_recursion_is_compared_all_the_same() -> None:
    deep = decode("[" * 1000 + "]" * 1000)
    merged = baggage.merge({"origin_x": deep}, {"origin_x": decode("[" * 1000 + "]" * 1000)})
    assert merged.baggage["origin_x"] is deep


@pytest.mark.parametrize("key", ["ductile", "ductile_run", "ductile.step"])
def test_keys_of_the_core_are_dropped_with_a_warning(key: str) -> None:
    merged = baggage.merge({"a": 1}, {key: 2})
    assert (merged.baggage, merged.questioned) == ({"a": 1}, (Questioned(key, dropped=True),))


@pytest.mark.parametrize("key", sorted(SYSTEM_KEYS))
def test_other_system_keys_are_merged_with_a_warning(key: str) -> None:
    merged = baggage.merge({}, {key: 2})
    assert (merged.baggage, merged.questioned) == ({key: 2}, (Questioned(key, dropped=False),))


def test_an_ordinary_key_raises_no_question() -> None:
    assert baggage.merge({}, {"summary": "s"}).questioned == ()


def test_a_plugin_sees_the_payload_over_the_baggage() -> None:
    view = baggage.view({"text": "new"}, {"text": "old", "channel_id": "C1"})
    assert view == {"text": "new", "channel_id": "C1"}


def test_baggage_of_exactly_the_limit_is_allowed() -> None:
    baggage.check_size({"a": "x" * 92}, 100)


def test_baggage_over_the_limit_names_its_largest_keys() -> None:
    with pytest.raises(Refused, match=r'100 bytes .* take 145; .* "big" \(82 bytes\), "mid" \(42'):
        baggage.check_size({"mid": "x" * 40, "big": "y" * 80, "s": 1}, 100)


def test_baggage_that_is_nested_too_deep_to_write_is_refused() -> None:
    with pytest.raises(Refused, match="nested 200 levels deep"):
        baggage.check_size({"deep": decode("[" * 500 + "]" * 500)})


@given(plain, plain)
def test_merging_keeps_all_keys_and_lets_the_updates_win(parent: Any, updates: Any) -> None:
    assert baggage.merge(parent, updates).baggage == {**parent, **updates}


@given(plain, plain, plain)
def test_merging_is_associative(first: Any, second: Any, third: Any) -> None:
    left = baggage.merge(baggage.merge(first, second).baggage, third).baggage
    right = baggage.merge(first, baggage.merge(second, third).baggage).baggage
    assert left == right


@given(anchors, plain, plain)
def test_merging_changes_neither_argument(anchor: Any, parent: Any, updates: Any) -> None:
    parent = {**anchor, **parent}
    before = copy.deepcopy((parent, updates))
    baggage.merge(parent, updates)
    assert (parent, updates) == before


@given(anchors, st.lists(st.dictionaries(plain_keys | st.just("origin_a"), values), max_size=6))
def test_the_anchor_outlives_any_sequence_of_updates(anchor: Any, sequence: Any) -> None:
    held: Any = anchor
    for updates in sequence:
        try:
            held = baggage.merge(held, updates).baggage
        except Refused:
            continue
    assert {key: each for key, each in held.items() if key.startswith(ORIGIN)} == anchor


@given(plain, plain, plain)
def test_siblings_never_see_each_other(parent: Any, one: Any, other: Any) -> None:
    alone = baggage.merge(parent, other).baggage
    baggage.merge(parent, one)
    assert baggage.merge(parent, other).baggage == alone
