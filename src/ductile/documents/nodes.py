"""Where things stand: the nodes of one document and the text that they were read from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final, NamedTuple

from ductile.documents.problems import Place
from ductile.model.json import Json

# What libyaml, which counts the lines, takes for the end of one.
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


class Span(NamedTuple):
    """From one position to another, both counted from 0; the end is not part of it."""

    line: int
    column: int
    end_line: int
    end_column: int


class Node:
    """One value and where it stands, its parts included."""

    __slots__ = ("children", "complete", "keys", "span", "value", "weight")

    def __init__(self, value: Json, span: Span) -> None:
        self.value = value
        self.span = span
        self.keys: Mapping[str, Span] = _NO_KEYS
        self.children: Mapping[str | int, Node] = _NO_CHILDREN
        self.weight = 1
        """How many values it comes to with all aliases written out."""
        self.complete = True


_NO_KEYS: Final[Mapping[str, Span]] = MappingProxyType({})
_NO_CHILDREN: Final[Mapping[str | int, Node]] = MappingProxyType({})


class Collection(Node):
    """A mapping or a list that is being filled."""

    __slots__ = ()
    keys: dict[str, Span]
    children: dict[str | int, Node]

    def __init__(self, value: Json, span: Span) -> None:
        super().__init__(value, span)
        self.keys = {}
        self.children = {}
        self.complete = False

    def add(self, key: str | None, child: Node) -> None:
        """Put a child under `key`, or at the end of a list."""
        self.weight += child.weight
        if key is None:
            self.children[len(self.value)] = child
            self.value.append(child.value)
        else:
            self.children[key] = child
            self.value[key] = child.value


@dataclass(frozen=True)
class Source:
    """A text and its lines."""

    file: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        return _BREAK.split(self.text)

    def place(self, span: Span) -> Place:
        text = self.lines[span.line] if span.line < len(self.lines) else ""
        one_line = span.end_line == span.line
        end = span.end_column if one_line else len(text.rstrip())
        length = max(1, end - span.column)
        return Place(self.file, span.line + 1, span.column + 1, length, text)

    def place_at(self, index: int) -> Place:
        before = _BREAK.split(self.text[:index])
        line, column = len(before) - 1, len(before[-1])
        return self.place(Span(line, column, line, column + 1))
