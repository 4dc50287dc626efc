"""YAML that remembers where everything stands: 1.2 scalars, no tags, no surprises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from ductile.documents.composer import Composer
from ductile.documents.nodes import Node, Source
from ductile.documents.problems import Place, Problem
from ductile.model.json import Json

#: The way to a value: keys of mappings and positions in lists.
Path: TypeAlias = tuple[str | int, ...]

_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


@dataclass(frozen=True)
class Document:
    """One parsed file: plain values, and the place of each."""

    source: Source
    root: Node

    @property
    def file(self) -> str:
        """The name of the file, as it was given."""
        return self.source.file

    @property
    def value(self) -> Json:
        """Mappings, lists, text, numbers, booleans and None; None for an empty file."""
        return self.root.value

    def get(self, path: Path) -> Json:
        """The value that the path leads to; None if there is none."""
        nodes = self._walk(path)
        return nodes[-1].value if len(nodes) > len(path) else None

    def place(self, path: Path) -> Place:
        """Where the value stands; if there is none, its nearest ancestor that exists."""
        return self.source.place(self._walk(path)[-1].span)

    def key_place(self, path: Path) -> Place:
        """Where the key stands that leads to the value; without a key, `place`."""
        nodes = self._walk(path)
        if len(nodes) > len(path) > 0:
            span = nodes[-2].keys.get(str(path[-1]))
            if span is not None:
                return self.source.place(span)
        return self.place(path)

    def _walk(self, path: Path) -> list[Node]:
        nodes = [self.root]
        for part in path:
            child = nodes[-1].children.get(part)
            if child is None:
                break
            nodes.append(child)
        return nodes


def parse(text: str | bytes, file: str) -> tuple[Document | None, list[Problem]]:
    """Read the one document of a file; never raises.

    Scalars are those of the YAML 1.2 core schema, so `on`, `yes` and `no` are text. There is no
    document if the text cannot be read as YAML at all. One that comes with problems (a key that
    stands twice, say) is there to look for more of them, not to be used.
    """
    source, problem = _decode(text, file)
    if problem is not None:
        return None, [problem]
    composer = Composer(source)
    root = composer.compose()
    return (None if root is None else Document(source, root)), composer.problems


def _decode(text: str | bytes, file: str) -> tuple[Source, Problem | None]:
    if isinstance(text, bytes):
        try:
            source = Source(file, text.decode())
        except UnicodeDecodeError as error:
            source = Source(file, text.decode(errors="replace"))
            place = source.place_at(len(text[: error.start].decode()))
            message = f"byte 0x{text[error.start]:02x} is not UTF-8"
            return source, Problem(message, place, "save the file as UTF-8")
    else:
        source = Source(file, text)
    match = _FORBIDDEN.search(source.text)
    if match is None:
        return source, None
    place = source.place_at(match.start())
    if match[0] == "\ufeff":
        hint = "save the file as UTF-8 without a byte order mark, or write \\ufeff in double quotes"
        return source, Problem("a byte order mark is not allowed", place, hint)
    message = f"control character U+{ord(match[0]):04X} is not allowed in YAML"
    hint = "remove it, or write it as an escape in double quotes"
    return source, Problem(message, place, hint)
