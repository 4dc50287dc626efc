from __future__ import annotations

from typing import Any

import pytest

from ductile.expressions.conditions import Condition
from tests.unit.expressions.builders import LONG, LOUD, a_condition


def mistakes(raw: Any) -> list[tuple[str, tuple[str | int, ...]]]:
    condition, errors = Condition.parse(raw)
    assert condition is None
    return [(error.message, error.at) for error in errors]


PATH = {"path": "payload.x"}


@pytest.mark.parametrize(
    ("raw", "message", "at"),
    [
        (None, "expected a condition, found null", ()),
        ([LONG], "expected a condition, found a list of 1", ()),
        ({}, "expected a condition, found an empty object", ()),
        ({"op": "exists"}, 'missing key "path" in a condition', ()),
        (PATH, 'missing key "op" in a condition', ()),
        ({"path": 5, "op": "exists"}, "expected a path, found 5", ("path",)),
        (PATH | {"op": "exist"}, 'expected an operator, found "exist"', ("op",)),
        (PATH | {"op": None}, "expected an operator, found null", ("op",)),
        (PATH | {"op": "exists", "value": True}, "exists takes no value", ("value",)),
        (PATH | {"op": "eq"}, 'eq needs a "value"', ()),
        (PATH | {"op": "in", "value": "a"}, "expected a list for in, found text", ("value",)),
        (
            PATH | {"op": "gt", "value": True},
            "expected a number or text for gt, found a boolean",
            ("value",),
        ),
        (
            PATH | {"op": "startswith", "value": 1},
            "expected text for startswith, found a number",
            ("value",),
        ),
        (
            PATH | {"op": "eq", "value": [1, float("nan")]},
            "the number is too large for JSON",
            ("value", 1),
        ),
        (PATH | {"op": "exists", "vaule": 1}, 'unknown key "vaule" in a condition', ("vaule",)),
        ({"all": []}, "expected a list of conditions under all, found an empty list", ("all",)),
        (
            {"any": LONG},
            "expected a list of conditions under any, found an object of 3 keys",
            ("any",),
        ),
        ({"not": [LONG]}, "expected a condition, found a list of 1", ("not",)),
        ({"all": [LONG], "not": LOUD}, 'expected "all" alone, found "not" beside it', ("not",)),
        (
            {"not": {"not": {"not": {"not": LONG}}}},
            "expected all, any and not at most 3 deep in each other, found more",
            ("not", "not", "not"),
        ),
        (
            {"all": [LONG] * 21},
            "expected at most 20 predicates in one condition, found more",
            ("all", 20),
        ),
    ],
)
def test_a_wrong_condition_is_refused_at_its_place(
    raw: Any, message: str, at: tuple[str | int, ...]
) -> None:
    assert mistakes(raw) == [(message, at)]


def test_all_mistakes_are_found_at_once() -> None:
    raw = {
        "all": [
            {"path": "paylod.x", "op": "eqq", "value": 1},
            {"not": {"path": "payload..x", "op": "in", "value": 1, "extra": 0}},
        ]
    }
    assert [at for _, at in mistakes(raw)] == [
        ("all", 0, "path"),
        ("all", 0, "op"),
        ("all", 1, "not", "extra"),
        ("all", 1, "not", "path"),
        ("all", 1, "not", "value"),
    ]


def test_a_misspelt_operator_is_recognised() -> None:
    _, errors = Condition.parse(PATH | {"op": "startwith", "value": "a"})
    assert [error.hint for error in errors] == ['did you mean "startswith"?']


def test_twenty_predicates_three_deep_are_allowed() -> None:
    a_condition({"all": [{"any": [{"not": LONG}] * 10}] * 2})
