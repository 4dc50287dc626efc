"""The operators of conditions: what each compares, with what values, and how it is put in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from ductile.expressions.errors import ExpressionError
from ductile.expressions.patterns import matcher
from ductile.expressions.values import is_number
from ductile.expressions.words import kind, several, shown
from ductile.model.json import Json, equal

#: Whether the value at a path passes. Total: a value of the wrong kind does not.
Test: TypeAlias = Callable[[Json], bool]


@dataclass(frozen=True, slots=True)
class Operator:
    """One way to test the value at a path."""

    name: str
    test: Callable[[Json], Test]
    """The test against a written value; raises ExpressionError if the value makes no sense."""
    expects: str
    """What is expected, with `{}` for the written value."""
    expects_not: str
    """The opposite, for a test under `not`."""
    takes_value: bool = True
    if_missing: bool = False
    """What it comes to where the path leads nowhere."""


def written(operator: Operator, value: Json, *, wanted: bool) -> str:
    """What the operator expects, or does not expect, in words."""
    words = operator.expects if wanted else operator.expects_not
    if operator.name == "in":
        return words.format(several([shown(each) for each in value], "no values"))
    return words.format(shown(value))


def predicate(operator: Operator, value: Json, *, wanted: bool) -> str:
    """The operator and its value, much as they stand in the file: `gt 30`, `not eq true`."""
    words = operator.name if wanted else f"not {operator.name}"
    if not operator.takes_value:
        return words
    if operator.name == "in":
        return f"{words} {several([shown(each) for each in value], 'no values')}"
    return f"{words} {shown(value)}"


def _exists(_value: Json) -> Test:
    return lambda _found: True


def _eq(value: Json) -> Test:
    return lambda found: equal(found, value)


def _neq(value: Json) -> Test:
    return lambda found: not equal(found, value)


def _in(value: Json) -> Test:
    if not isinstance(value, list):
        raise ExpressionError(f"expected a list for in, found {kind(value)}", "write [a, b]")
    return lambda found: any(equal(found, each) for each in value)


def _ordering(name: str, holds: Callable[[Json, Json], bool]) -> Callable[[Json], Test]:
    def test(value: Json) -> Test:
        if is_number(value):
            return lambda found: is_number(found) and holds(found, value)
        _expect_text(name, value, "a number or text")
        return lambda found: isinstance(found, str) and holds(found, value)

    return test


def _contains(value: Json) -> Test:
    def test(found: Json) -> bool:
        match found:
            case list():
                return any(equal(each, value) for each in found)
            case str() | Mapping():
                return isinstance(value, str) and value in found
        return False

    return test


def _startswith(value: Json) -> Test:
    _expect_text("startswith", value)
    return lambda found: isinstance(found, str) and found.startswith(value)


def _endswith(value: Json) -> Test:
    _expect_text("endswith", value)
    return lambda found: isinstance(found, str) and found.endswith(value)


def _regex(value: Json) -> Test:
    _expect_text("regex", value)
    return matcher(value)


def _expect_text(name: str, value: Json, expected: str = "text") -> None:
    if not isinstance(value, str):
        hint = f'put it in quotes: "{shown(value)}"' if is_number(value) else None
        raise ExpressionError(f"expected {expected} for {name}, found {kind(value)}", hint)


_ALL: Final = (
    Operator("exists", _exists, "it to be there", "it to be missing", takes_value=False),
    Operator("eq", _eq, "{}", "anything but {}"),
    Operator("neq", _neq, "anything but {}", "{}", if_missing=True),
    Operator("in", _in, "one of {}", "none of {}"),
    Operator("gt", _ordering("gt", lambda a, b: a > b), "more than {}", "not more than {}"),
    Operator("gte", _ordering("gte", lambda a, b: a >= b), "{} or more", "not {} or more"),
    Operator("lt", _ordering("lt", lambda a, b: a < b), "less than {}", "not less than {}"),
    Operator("lte", _ordering("lte", lambda a, b: a <= b), "{} or less", "not {} or less"),
    Operator("contains", _contains, "it to contain {}", "it not to contain {}"),
    Operator("startswith", _startswith, "it to start with {}", "it not to start with {}"),
    Operator("endswith", _endswith, "it to end with {}", "it not to end with {}"),
    Operator("regex", _regex, "it to match {}", "it not to match {}"),
)
OPERATORS: Final[Mapping[str, Operator]] = {each.name: each for each in _ALL}
