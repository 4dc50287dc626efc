"""Conditions for the tests of expressions."""

from __future__ import annotations

from typing import Any, Final

from ductile.expressions.conditions import Condition

LONG: Final[dict[str, Any]] = {"path": "payload.length", "op": "gt", "value": 30}
LOUD: Final[dict[str, Any]] = {"path": "payload.muted", "op": "eq", "value": True}


def a_condition(raw: Any) -> Condition:
    condition, errors = Condition.parse(raw)
    assert not errors
    assert condition is not None
    return condition
