from __future__ import annotations

from typing import Any

import pytest

from ductile.expressions.conditions import Decision
from ductile.expressions.operators import OPERATORS
from ductile.expressions.paths import Path
from ductile.model.json import canonical
from tests.unit.expressions.builders import LONG, LOUD, a_condition


def decided(raw: Any, **payload: Any) -> Decision:
    return a_condition(raw).decide({"payload": payload})


def holds(op: str, found: Any, value: Any) -> bool:
    return decided({"path": "payload.x", "op": op, "value": value}, x=found).holds


EQUAL: list[tuple[Any, Any]] = [
    (1, 1.0),
    ("a", "a"),
    (None, None),
    ([1, {"a": 2}], [1.0, {"a": 2.0}]),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
]
UNEQUAL: list[tuple[Any, Any]] = [
    (1, True),
    (0, False),
    ("1", 1),
    ("A", "a"),
    (None, False),
    ([1], [True]),
    ([1], [1, 1]),
    ({"a": 1}, {"a": 1, "b": 2}),
    ([], {}),
]


@pytest.mark.parametrize(("found", "value"), EQUAL)
def test_equal_values_are_eq(found: Any, value: Any) -> None:
    assert holds("eq", found, value)


@pytest.mark.parametrize(("found", "value"), UNEQUAL)
def test_values_of_different_type_or_content_are_not_eq(found: Any, value: Any) -> None:
    assert not holds("eq", found, value)


@pytest.mark.parametrize(("found", "value"), EQUAL + UNEQUAL)
def test_in_compares_like_eq(found: Any, value: Any) -> None:
    assert holds("in", found, ["other", value]) is holds("eq", found, value)


@pytest.mark.parametrize(("found", "value"), EQUAL + UNEQUAL)
def test_neq_is_the_opposite_of_eq(found: Any, value: Any) -> None:
    assert holds("neq", found, value) is not holds("eq", found, value)


@pytest.mark.parametrize(
    ("op", "found", "value", "expected"),
    [
        ("gt", 31, 30, True),
        ("gt", 30, 30, False),
        ("gte", 30, 30.0, True),
        ("lt", 29.5, 30, True),
        ("lte", 30, 30, True),
        ("lte", 31, 30, False),
        ("gt", "b", "a", True),
        ("lt", "2026-01-02", "2026-01-10", True),
        ("gt", "31", 30, False),
        ("lt", 29, "30", False),
        ("gt", True, 0, False),
        ("gte", None, 0, False),
        ("lt", [1], 2, False),
        ("contains", "a speech", "speech", True),
        ("contains", "a speech", "Speech", False),
        ("contains", "15", 5, False),
        ("contains", [1, None], None, True),
        ("contains", [1], True, False),
        ("contains", [[1]], [1.0], True),
        ("contains", {"a": 1}, "a", True),
        ("contains", {"a": 1}, 1, False),
        ("contains", 5, 5, False),
        ("startswith", "https://a", "https:", True),
        ("startswith", "HTTPS://a", "https:", False),
        ("startswith", 12, "1", False),
        ("endswith", "a.vtt", ".vtt", True),
        ("endswith", ["a"], "a", False),
        ("regex", "v123", "v[0-9]+", True),
        ("regex", "v123x", "v[0-9]+", False),
        ("regex", "xv1", "v1|x", False),
        ("regex", "a\n", "a", False),
        ("regex", 5, "5", False),
        ("regex", "V1", "(?i)v1", True),
        ("in", 1, [], False),
    ],
)
def test_an_operator_compares_only_what_it_is_for(
    op: str, found: Any, value: Any, *, expected: bool
) -> None:
    assert holds(op, found, value) is expected


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_where_a_path_is_missing_only_neq_holds(name: str) -> None:
    values = {"exists": {}, "in": {"value": [None]}}.get(name, {"value": "a"})
    assert decided({"path": "payload.x", "op": name, **values}).holds is (name == "neq")


def test_what_is_missing_is_not_null() -> None:
    assert not decided({"path": "payload.x", "op": "eq", "value": None}).holds


def test_null_exists() -> None:
    assert decided({"path": "payload.x", "op": "exists"}, x=None).holds


@pytest.mark.parametrize(
    ("raw", "payload", "reason"),
    [
        (LONG, {"length": 12}, "payload.length is 12, expected more than 30"),
        (LONG, {"length": 42}, "payload.length is 42, as expected (gt 30)"),
        (LONG, {}, "payload.length is missing, expected more than 30"),
        (LONG, {"length": "12"}, 'payload.length is "12", expected more than 30'),
        (LONG, {"length": [1, 2]}, "payload.length is a list of 2, expected more than 30"),
        (LONG, {"length": {"s": 1}}, "payload.length is an object of 1 key, expected more than 30"),
        ({"not": LOUD}, {"muted": True}, "payload.muted is true, expected anything but true"),
        ({"not": LOUD}, {}, "payload.muted is missing, as expected (not eq true)"),
        (
            {"all": [LOUD, LONG]},
            {"muted": True},
            "payload.length is missing, expected more than 30",
        ),
        ({"any": [LOUD, LONG]}, {"muted": True}, "payload.muted is true, as expected (eq true)"),
        (
            {"path": "payload.kind", "op": "in", "value": ["a", "b"]},
            {"kind": "b"},
            'payload.kind is "b", as expected (in "a", "b")',
        ),
        (
            {"path": "payload.url", "op": "exists"},
            {"url": None},
            "payload.url is null, as expected (exists)",
        ),
        (
            {"all": [LOUD, LONG]},
            {"muted": True, "length": 31},
            "all of 2 conditions hold: payload.muted is true, as expected (eq true); "
            "payload.length is 31, as expected (gt 30)",
        ),
        (
            {"any": [LOUD, LONG]},
            {"length": 3},
            "none of 2 conditions hold: payload.muted is missing, expected true; "
            "payload.length is 3, expected more than 30",
        ),
        ({"any": [LONG]}, {"length": 3}, "payload.length is 3, expected more than 30"),
        (
            {"any": [LONG] * 5},
            {"length": 3},
            "none of 5 conditions hold: "
            + "payload.length is 3, expected more than 30; " * 3
            + "and 2 more",
        ),
        (
            {"path": "payload.kind", "op": "in", "value": ["a", "b", "c", "d"]},
            {"kind": "z"},
            'payload.kind is "z", expected one of "a", "b", "c" and 1 more',
        ),
        (
            {"path": "payload.url", "op": "exists"},
            {},
            "payload.url is missing, expected it to be there",
        ),
        (
            {"path": "payload.x", "op": "eq", "value": "a\nb"},
            {"x": "\x1b[0m"},
            'payload.x is "\\x1b[0m", expected "a\\nb"',
        ),
    ],
)
def test_the_reason_says_what_decided(raw: Any, payload: Any, reason: str) -> None:
    assert a_condition(raw).decide({"payload": payload}).reason == reason


def test_a_long_text_is_cut_in_the_reason() -> None:
    reason = decided(LONG, length="x" * 5000).reason
    assert reason == f'payload.length is "{"x" * 39}…" (5000 characters), expected more than 30'


def test_the_reason_as_a_whole_is_short() -> None:
    raw = {"any": [{"path": f"payload.{'k' * 200}", "op": "eq", "value": "v" * 99}] * 20}
    assert len(decided(raw).reason) <= 300


def test_values_of_the_config_are_not_in_the_reason() -> None:
    condition = a_condition({"path": "config.token", "op": "eq", "value": "none"})
    reason = condition.decide({"config": {"token": "s3cret"}}).reason
    assert reason == 'config.token is text, expected "none"'


def test_the_paths_are_listed_once_in_the_order_of_writing() -> None:
    raw = {"all": [LONG, {"not": LOUD}, LONG, {"path": 'config."a"', "op": "exists"}]}
    expected = ("payload.length", "payload.muted", "config.a")
    assert a_condition(raw).paths() == tuple(map(Path.parse, expected))


# --- the canonical form ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"op": "exists", "path": 'payload."a"'}, {"path": "payload.a", "op": "exists"}),
        (
            {"path": "payload.a", "op": "eq", "value": [1, {"a": 2.0, "b": 1}]},
            {"path": "payload.a", "op": "eq", "value": [1.0, {"b": 1, "a": 2}]},
        ),
    ],
)
def test_conditions_that_mean_the_same_are_equal(one: Any, other: Any) -> None:
    assert a_condition(one) == a_condition(other)
    assert hash(a_condition(one)) == hash(a_condition(other))
    assert canonical(a_condition(one).canonical()) == canonical(a_condition(other).canonical())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LOUD, LOUD | {"value": 1}),
        (LONG, LONG | {"value": "30"}),
        (LONG, LONG | {"op": "gte"}),
        ({"all": [LONG, LOUD]}, {"any": [LONG, LOUD]}),
        ({"all": [LONG, LOUD]}, {"all": [LOUD, LONG]}),
        (LONG, {"not": LONG}),
    ],
)
def test_conditions_that_mean_something_else_differ(one: Any, other: Any) -> None:
    assert a_condition(one) != a_condition(other)
    assert canonical(a_condition(one).canonical()) != canonical(a_condition(other).canonical())
