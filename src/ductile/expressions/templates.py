"""Templates: JSON values whose texts have placeholders for what a path leads to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from ductile.expressions.errors import ExpressionError
from ductile.expressions.paths import ROOTS, Path
from ductile.expressions.texts import Parts, Placeholder, parse_text, render_text, write_text
from ductile.expressions.values import check_member
from ductile.expressions.words import quoted
from ductile.model.json import Json, canonical, decode


class _Absent(Enum):
    """Nothing, not even null: the value of what is optional and missing."""

    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Template:
    """A JSON value that is filled in from a scope.

    Its texts are templates, its keys are taken as they are. A text that is nothing but one
    placeholder becomes the value itself, of whatever type; any other becomes text. What is
    optional and missing is left out of an object, and is null in a list or by itself.
    Equal templates are those written alike, the order of keys and the spelling of placeholders
    aside; they render to the same.
    """

    _form: bytes
    _node: _Node = field(compare=False, repr=False)

    @classmethod
    def parse(
        cls, raw: Json, roots: Collection[str] = ROOTS
    ) -> tuple[Template | None, list[ExpressionError]]:
        """The template that a value states, or everything that is wrong with it."""
        reader = _Reader(roots)
        node = reader.read(raw, ())
        if reader.errors:
            return None, reader.errors
        return cls(canonical(_canonical(node)), node), []

    def render(self, scope: Mapping[str, Json]) -> Json:
        """The value, filled in; raises MissingPath for what is neither there nor optional.

        It may share parts with the scope and with this template: change none of them.
        """
        value = _render(self._node, scope)
        return None if value is _Absent.ABSENT else value

    def canonical(self) -> Json:
        """What `parse` makes an equal template of; the same for all equal templates."""
        return decode(self._form)

    def paths(self) -> tuple[Path, ...]:
        """Every path that it looks at, once each, in the order of writing."""
        return tuple(dict.fromkeys(_paths(self._node)))


@dataclass(frozen=True, slots=True)
class _Literal:
    value: Json


@dataclass(frozen=True, slots=True)
class _Text:
    parts: Parts


@dataclass(frozen=True, slots=True)
class _List:
    items: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Object:
    members: tuple[tuple[str, _Node], ...]


_Node: TypeAlias = _Literal | _Text | _List | _Object
_NOTHING: Final = _Literal(None)


def _render(node: _Node, scope: Mapping[str, Json]) -> Json:
    match node:
        case _Literal(value):
            return value
        case _Text(parts=(Placeholder() as alone,)):
            found = alone.resolve(scope)
            return _Absent.ABSENT if found is None else found.value
        case _Text(parts):
            return render_text(parts, scope)
        case _List(items):
            values = [_render(each, scope) for each in items]
            return [None if each is _Absent.ABSENT else each for each in values]
        case _Object(members):
            rendered = {key: _render(each, scope) for key, each in members}
            return {key: each for key, each in rendered.items() if each is not _Absent.ABSENT}


def _canonical(node: _Node) -> Json:
    match node:
        case _Literal(value):
            return value
        case _Text(parts):
            return write_text(parts)
        case _List(items):
            return [_canonical(each) for each in items]
        case _Object(members):
            return {key: _canonical(each) for key, each in members}


def _paths(node: _Node) -> list[Path]:
    match node:
        case _Literal():
            return []
        case _Text(parts):
            return [each.path for each in parts if isinstance(each, Placeholder)]
        case _List(items):
            return [path for each in items for path in _paths(each)]
        case _Object(members):
            return [path for _, each in members for path in _paths(each)]


class _Reader:
    """Makes nodes of written values and collects everything that is wrong with them."""

    def __init__(self, roots: Collection[str]) -> None:
        self.errors: list[ExpressionError] = []
        self._roots = roots

    def read(self, raw: Json, at: tuple[str | int, ...]) -> _Node:
        """The node that `raw` states; what it is does not matter if there were errors."""
        if problem := check_member(raw, len(at)):
            self.errors.append(problem.under(at))
            return _NOTHING
        match raw:
            case str():
                parts, errors = parse_text(raw, self._roots)
                self.errors += [error.under(at) for error in errors]
                return _Text(parts)
            case list():
                return _List(tuple(self.read(e, (*at, index)) for index, e in enumerate(raw)))
            case Mapping():
                self._check_quotes(raw, at)
                return _Object(tuple((key, self.read(e, (*at, key))) for key, e in raw.items()))
        return _Literal(raw)

    def _check_quotes(self, raw: Mapping[str, Json], at: tuple[str | int, ...]) -> None:
        """Find `{payload.url}` without quotes, which YAML takes for an object with one key."""
        if len(raw) != 1 or None not in raw.values():
            return
        key = next(iter(raw))
        parts, errors = parse_text(f"{{{key}}}", self._roots)
        match parts:
            case (Placeholder(path=Path(keys=(_, *_))),) if not errors:
                message = f"expected a placeholder in quotes, found an object with {quoted(key)}"
                self.errors.append(ExpressionError(message, f'write "{{{key}}}" in quotes', at))
