"""JSON values: when two are equal, and what is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from ductile.expressions.errors import ExpressionError
from ductile.model.json import Json

#: Lists and objects inside each other in what a file may state.
MAX_DEPTH: Final = 32
_SMALLEST: Final = -(2**63)
_LARGEST: Final = 2**64 - 1


def is_number(value: Json) -> bool:
    """Whether it is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def whole_numbers(value: Json) -> Json:
    """The value with 1.0 written as 1 throughout: equal values become the same JSON."""
    match value:
        case float() if value.is_integer() and _SMALLEST <= value <= _LARGEST:
            return int(value)
        case list():
            return [whole_numbers(each) for each in value]
        case Mapping():
            return {key: whole_numbers(each) for key, each in value.items()}
    return value


def check_json(value: Json) -> list[ExpressionError]:
    """Everything in the value that JSON cannot hold, or that is nested too deep."""
    errors: list[ExpressionError] = []
    pending: list[tuple[tuple[str | int, ...], Json]] = [((), value)]
    while pending:
        at, each = pending.pop()
        if problem := check_member(each, len(at)):
            errors.append(problem.under(at))
        elif isinstance(each, Mapping):
            pending += [((*at, key), inner) for key, inner in reversed(list(each.items()))]
        elif isinstance(each, list):
            pending += reversed([((*at, index), inner) for index, inner in enumerate(each)])
    return errors


def check_member(value: Json, depth: int) -> ExpressionError | None:
    """Why the value, inside `depth` lists and objects, is no JSON; its members left aside."""
    match value:
        case None | bool():
            return None
        case str():
            return None if is_unicode(value) else ExpressionError("the text is not valid Unicode")
        case float():
            fits = math.isfinite(value)
        case int():
            fits = _SMALLEST <= value <= _LARGEST
        case list() | Mapping():
            return _check_holder(value, depth)
        case _:
            found = type(value).__name__
            return ExpressionError(f"expected a JSON value, found {found}", "write it as text")
    return None if fits else ExpressionError("the number is too large for JSON", "write it as text")


def is_unicode(text: str) -> bool:
    """Whether it can be written as UTF-8; half a surrogate pair cannot."""
    return not any("\ud800" <= each <= "\udfff" for each in text)


def _check_holder(value: Json, depth: int) -> ExpressionError | None:
    if depth >= MAX_DEPTH:
        return ExpressionError(
            f"expected lists and objects at most {MAX_DEPTH} deep in each other, found more",
            "keep such data in a file of the workspace",
        )
    if isinstance(value, Mapping):
        wrong = [key for key in value if not (isinstance(key, str) and is_unicode(key))]
        if wrong:
            return ExpressionError(
                f"expected text for a key, found {wrong[0]!r}", "put the key in quotes"
            )
    return None
