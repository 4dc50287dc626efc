"""Problems as people read them, and as programs do."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from typing import Final

from ductile.documents.problems import Place, Problem, refuses
from ductile.model.json import JsonObject

#: Of a longer line, the part around the place is shown.
_WIDEST: Final = 100
_BEFORE: Final = 40
_GUTTER: Final = 5
_TAB: Final = 4


def render(
    problems: Sequence[Problem],
    *,
    files: int | None = None,
    consequence: str = "Nothing was loaded.",
) -> str:
    """Each problem with its line and a remedy, then how many there are.

    `files` is how many files were looked at; if left out, how many have a problem. The
    `consequence` is left out when all problems are warnings. Safe for a terminal, whatever the
    files contain. Empty without problems.
    """
    if not problems:
        return ""
    blocks = [_block(problem) for problem in problems]
    return "\n\n".join([*blocks, _summary(problems, files, consequence)]) + "\n"


def to_json(problems: Sequence[Problem]) -> list[JsonObject]:
    """One object per problem: file, line, column, message, hint, severity."""
    return [
        {
            "file": problem.place.file if problem.place else None,
            "line": problem.place.line if problem.place else None,
            "column": problem.place.column if problem.place else None,
            "message": problem.message,
            "hint": problem.hint,
            "severity": _severity(problem),
        }
        for problem in problems
    ]


def _block(problem: Problem) -> str:
    place = problem.place
    warning = "warning: " if problem.warning else ""
    if place is None:
        lines = [f"{warning}{_safe(problem.message)}"]
    else:
        at = f"{place.file}:{place.line}:{place.column}"
        lines = [f"{_safe(at)}: {warning}{_safe(problem.message)}"]
        if place.text:
            lines += _excerpt(place)
    if problem.hint:
        lines.append(f"{'':{_GUTTER}} = {_safe(problem.hint)}")
    return "\n".join(lines)


def _excerpt(place: Place) -> list[str]:
    start = place.column - 1
    first = 0 if len(place.text) <= _WIDEST else max(0, start - _BEFORE)
    last = first + _WIDEST
    before, marked, after = (
        _safe(place.text[begin:end])
        for begin, end in (
            (first, start),
            (start, min(start + place.length, last)),
            (start + place.length, last),
        )
    )
    left = "…" if first else ""
    right = "…" if last < len(place.text) else ""
    carets = "^" * max(1, _width(marked))
    return [
        f"{place.line:{_GUTTER}} | {left}{before}{marked}{after}{right}".rstrip(),
        f"{'':{max(_GUTTER, len(str(place.line)))}} | {'':{_width(left + before)}}{carets}",
    ]


def _summary(problems: Sequence[Problem], files: int | None, consequence: str) -> str:
    if files is None:
        files = len({problem.place.file for problem in problems if problem.place})
    warnings = sum(problem.warning for problem in problems)
    counts = [
        _counted(count, noun)
        for count, noun in ((len(problems) - warnings, "problem"), (warnings, "warning"))
        if count
    ]
    where = f" in {_counted(files, 'file')}" if files else ""
    end = f" {consequence}" if refuses(problems) and consequence else ""
    return f"{' and '.join(counts)}{where}.{end}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _severity(problem: Problem) -> str:
    return "warning" if problem.warning else "error"


def _safe(text: str) -> str:
    """The text with nothing in it that moves the cursor or hides other text."""
    return "".join(_safe_character(character) for character in text)


def _safe_character(character: str) -> str:
    if character == "\t":
        return " " * _TAB
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in _UNSAFE else character


#: Control and format characters, lone surrogates, and what ends a line.
_UNSAFE: Final[Collection[str]] = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def _width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(_character_width(character) for character in text)


def _character_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
