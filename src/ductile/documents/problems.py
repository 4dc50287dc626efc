"""Problems: what is wrong, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


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
