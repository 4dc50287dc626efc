"""Templates in one text: what stands there as it is, and placeholders for what a path leads to."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from ductile.expressions.errors import ExpressionError, MissingPath
from ductile.expressions.paths import ROOTS, Path
from ductile.expressions.values import check_json
from ductile.expressions.words import quoted
from ductile.model.json import Json, canonical, decode

_PLAIN = re.compile(r"[^{}]+")
_SPACES = re.compile(r" *")
#: Of a default that may hold braces: a JSON string, a bracket, or what lies between.
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|[^"\[\]{}]+', re.DOTALL)
_TEXT_HINT: Final = 'write "{{" and "}}" for braces that are meant as text'
_DEFAULT_HINT: Final = "put plain text with such characters in double quotes"


@dataclass(frozen=True, slots=True)
class Filling:
    """What goes into the place of a placeholder; wrapped, since null is a value too."""

    value: Json


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`{path}`, `{path?}` or `{path|default}`; spaces around path and default do not count.

    A default is JSON if it can be read as that, else plain text up to the next `}`.
    """

    path: Path
    optional: bool = False
    """Whether the value may be missing without anything in its place."""
    default: Filling | None = None

    def resolve(self, scope: Mapping[str, Json]) -> Filling | None:
        """What goes here; None if it is optional and missing. Raises MissingPath.

        Null is a value: no default takes its place.
        """
        try:
            return Filling(self.path.resolve(scope))
        except MissingPath:
            if self.optional or self.default is not None:
                return self.default
            raise

    def __str__(self) -> str:
        default = "" if self.default is None else f"|{canonical(self.default.value).decode()}"
        return f"{{{self.path}{'?' if self.optional else ''}{default}}}"


#: Text as it is and placeholders, in turn as they are written.
Parts: TypeAlias = tuple[str | Placeholder, ...]


def parse_text(text: str, roots: Collection[str] = ROOTS) -> tuple[Parts, list[ExpressionError]]:
    """The parts of a text, and everything that is wrong with it.

    `{{` and `}}` stand for braces that are text.
    """
    parts: list[str | Placeholder] = []
    errors: list[ExpressionError] = []
    end = 0
    while end < len(text):
        start = end
        if plain := _PLAIN.match(text, start):
            parts.append(plain.group())
            end = plain.end()
        elif text.startswith(("{{", "}}"), start):
            parts.append(text[start])
            end = start + 2
        elif text[start] == "{":
            try:
                placeholder, end = _placeholder(text, start, roots)
                parts.append(placeholder)
            except ExpressionError as error:
                errors.append(error)
                end = len(text) if isinstance(error, _NeverClosed) else _behind(text, start)
        else:
            end = start + 1
            # After a mistake in a placeholder nobody knows whose brace this is.
            if not errors:
                message = f'"}}" without "{{" in {quoted(text)}'
                errors.append(ExpressionError(message, _TEXT_HINT))
    return tuple(_joined(parts)), errors


def escape(text: str) -> str:
    """What renders to `text` as it is."""
    return text.replace("{", "{{").replace("}", "}}")


def write_text(parts: Parts) -> str:
    """The one way to write these parts."""
    return "".join(escape(each) if isinstance(each, str) else str(each) for each in parts)


def render_text(parts: Parts, scope: Mapping[str, Json]) -> str:
    """The parts with all placeholders filled in; raises MissingPath.

    Text goes in as it is, other values as compact JSON with sorted keys, so that equal values
    give equal texts; what is optional and missing leaves nothing.
    """
    return "".join(each if isinstance(each, str) else _filled(each, scope) for each in parts)


def _filled(placeholder: Placeholder, scope: Mapping[str, Json]) -> str:
    found = placeholder.resolve(scope)
    if found is None:
        return ""
    return found.value if isinstance(found.value, str) else canonical(found.value).decode()


def _joined(parts: list[str | Placeholder]) -> list[str | Placeholder]:
    joined: list[str | Placeholder] = []
    pending: list[str] = []
    for part in parts:
        if isinstance(part, str):
            pending.append(part)
            continue
        if pending:
            joined.append("".join(pending))
            pending = []
        joined.append(part)
    return [*joined, "".join(pending)] if pending else joined


def _placeholder(text: str, start: int, roots: Collection[str]) -> tuple[Placeholder, int]:
    """The placeholder whose brace is at `start`, and where it ends."""
    try:
        path, end = Path.scan(text, _skip(text, start + 1), roots)
    except ExpressionError as error:
        remedy = f"{error.hint}; {_TEXT_HINT}" if error.hint else _TEXT_HINT
        raise ExpressionError(error.message, remedy) from None
    optional = text.startswith("?", end)
    end = _skip(text, end + optional)
    default = None
    if not optional and text.startswith("|", end):
        default, end = _default(text, _skip(text, end + 1), start)
    if text.startswith("}", end):
        return Placeholder(path, optional, default), end + 1
    if end == len(text):
        raise _never_closed(text, start)
    expected = '"}"' if optional or default else '"}", "?" or "|"'
    raise ExpressionError(
        f"expected {expected} behind {quoted(text[start:end])}, found {quoted(text[end:])}",
        'there are no other operators; a key with odd characters is quoted: payload."a b"',
    )


def _default(text: str, start: int, brace: int) -> tuple[Filling, int]:
    """The default that begins at `start`, and where the closing brace is."""
    if text.startswith(('"', "[", "{"), start):
        end = _json_end(text, start)
        if end is None:
            raise _never_closed(text, brace)
        written = text[start:end].rstrip(" ")
        try:
            value = decode(written)
        except ValueError:
            raise ExpressionError(f"default {quoted(written)} is not JSON", _DEFAULT_HINT) from None
        return _checked(value), end
    end = text.find("}", start)
    if end < 0:
        raise _never_closed(text, brace)
    written = text[start:end].rstrip(" ")
    if "{" in written:
        raise ExpressionError(f'"{{" in the default {quoted(written)}', _DEFAULT_HINT)
    try:
        value = decode(written)
    except ValueError:
        value = written
    return _checked(value), end


def _checked(value: Json) -> Filling:
    errors = check_json(value)
    if errors:
        raise ExpressionError(f"the default cannot be used: {errors[0].message}", errors[0].hint)
    return Filling(value)


def _json_end(text: str, start: int) -> int | None:
    """Where the first closing brace is that belongs to nothing from `start` on."""
    depth, end = 0, start
    while token := _JSON_TOKEN.match(text, end):
        match token.group():
            case "}" if depth == 0:
                return end
            case "{" | "[":
                depth += 1
            case "}" | "]":
                depth -= 1
        end = token.end()
    return None


class _NeverClosed(ExpressionError):
    """Where a placeholder ends cannot be told, so neither can what comes after it."""


def _never_closed(text: str, brace: int) -> ExpressionError:
    return _NeverClosed(f'"{{" is never closed in {quoted(text[brace:])}', _TEXT_HINT)


def _behind(text: str, start: int) -> int:
    """Where to go on reading after a mistake: behind the next closing brace."""
    end = text.find("}", start)
    return len(text) if end < 0 else end + 1


def _skip(text: str, start: int) -> int:
    match = _SPACES.match(text, start)
    return match.end() if match else start
