"""Patterns: regular expressions whose cost is bounded, whatever the pattern and the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import prod
from typing import Final

from pydantic_core import SchemaError, SchemaValidator, core_schema

from ductile.expressions.errors import ExpressionError
from ductile.model.json import Json

MAX_PATTERN: Final = 200
"""Characters of a pattern."""
MAX_SUBJECT: Final = 4096
"""Characters of a text that is compared with one; a longer text never matches."""
MAX_WORK: Final = 5000
"""A pattern's characters times all its counts, such as 9 for `{3,9}`."""

_ESCAPE = re.compile(r"\\.", re.DOTALL)
_COUNT = re.compile(r"\{\s*([0-9]+)\s*(?:,\s*([0-9]*)\s*)?\}")
_VERBOSE = re.compile(r"\(\?[A-Za-z-]*x")
#: The engine's own limit on what a pattern compiles to is met first by large Unicode classes.
_TOO_LARGE: Final = "exceeds size limit"


def matcher(pattern: str) -> Callable[[Json], bool]:
    """A test whether a text matches as a whole; other values never do.

    The engine is that of Rust: it takes time in proportion to the text, and so has neither
    look-around nor back-references. Raises ExpressionError for a pattern that is wrong or large.
    """
    _check_size(pattern)
    # By itself first: `a)|(b` must not become right by what is put around it.
    _compiled(pattern)
    whole = _compiled(rf"\A(?:{pattern})\z")

    def matches(subject: Json) -> bool:
        fits = isinstance(subject, str) and len(subject) <= MAX_SUBJECT
        return fits and whole.isinstance_python(subject)

    return matches


def _check_size(pattern: str) -> None:
    if len(pattern) > MAX_PATTERN:
        raise ExpressionError(
            f"expected a pattern of at most {MAX_PATTERN} characters, found {len(pattern)}",
            "split it into several conditions under any",
        )
    plain = _ESCAPE.sub("", pattern)
    if _VERBOSE.search(plain):
        raise ExpressionError(
            "expected a pattern without the flag x, found one with it",
            "write the pattern without the spaces and comments",
        )
    counts = [max(int(least), int(most or 0)) for least, most in _COUNT.findall(plain)]
    work = len(pattern) * prod(max(each, 1) for each in counts)
    if work > MAX_WORK:
        raise _too_much("its counts multiply to more than its length allows")


def _compiled(pattern: str) -> SchemaValidator:
    schema = core_schema.str_schema(pattern=pattern, strict=True, regex_engine="rust-regex")
    try:
        return SchemaValidator(schema)
    except SchemaError as error:
        problem = str(error).strip().rpartition("error: ")[2]
        if _TOO_LARGE in problem:
            raise _too_much("it is too large when compiled") from None
        raise ExpressionError(
            f"the pattern is no regular expression: {problem}",
            "the dialect is that of Rust's regex: no look-around, no back-references",
        ) from None


def _too_much(found: str) -> ExpressionError:
    return ExpressionError(
        f"expected a pattern that is cheap to match, but {found}",
        "use + or * instead of large counts in braces",
    )
