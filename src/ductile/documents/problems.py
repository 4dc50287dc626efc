"""Problems: what is wrong, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ductile.model.json import Json


@dataclass(frozen=True, slots=True)
class Place:
    """A span of text in a file; line and column count from 1."""

    file: str
    line: int
    column: int
    length: int = 1
    text: str = ""
    """The whole line, for showing it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or that looks wrong."""

    message: str
    """Expected and found, lower-case start, no full stop."""
    place: Place | None = None
    hint: str | None = None
    """What to do."""
    warning: bool = False
    """Worth a look, but no reason to refuse the file."""


class BadValue(ValueError):
    """A value is not what it should be.

    A validator that raises it says both what is wrong and what to write instead.
    """

    def __init__(
        self, message: str, hint: str | None = None, *, at: tuple[str | int, ...] = ()
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.at = at
        """The part of the value that is meant, if not the whole."""


def refuses(problems: Iterable[Problem]) -> bool:
    """Whether one of them is more than a warning."""
    return any(not problem.warning for problem in problems)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """By file, line and column; those without a place come first."""
    return sorted(problems, key=_position)


def quoted(text: str, limit: int = 60) -> str:
    """`text` in double quotes, for a message; cut when it is longer than `limit` characters."""
    return f'"{text if len(text) <= limit else text[: limit - 1] + "…"}"'


def described(value: Json) -> str:
    """What was found, for a message: `a list`, `the number 5`, `"text"`."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return quoted(value)
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return f"the number {value}"


def _position(problem: Problem) -> tuple[str, int, int]:
    place = problem.place
    return (place.file, place.line, place.column) if place else ("", 0, 0)
