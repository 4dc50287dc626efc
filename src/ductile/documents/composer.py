"""From the events of the C parser to nodes, with a problem for all that is not plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from ductile.documents.core_schema import resolve
from ductile.documents.nodes import Collection, Node, Source, Span
from ductile.documents.problems import BadValue, Problem, described, quoted
from ductile.model.json import Json

_DEEPEST: Final = 64
#: Values that aliases may repeat in all, so that a small file stays a small value.
_MOST_REPEATED: Final = 10_000

#: What to do about a message of the parser.
YAML_REMEDIES: Final = {
    "mapping values are not allowed in this context": (
        'check the indentation, or put a text that contains ": " in quotes'
    ),
    "did not find expected key": "check the indentation: keys of one mapping start in one column",
    "could not find expected ':'": 'write ": " after the key, or check the indentation',
    "did not find expected ',' or ']'": 'close the list with "]", or put commas between its items',
    "did not find expected ',' or '}'": 'close it with "}", or put commas between its keys',
    "did not find expected '-' indicator": (
        "check the indentation: items of one list start in one column"
    ),
    "block sequence entries are not allowed in this context": "start the list on its own line",
}


@dataclass(frozen=True, slots=True)
class _Key:
    """A key whose value comes next; one without text is thrown away with its value."""

    text: str | None
    span: Span


class _Unreadable(Exception):
    """Nothing that follows can be understood."""


class Composer:
    """Builds the nodes of one document from the events of the C parser.

    `yaml.compose` recurses in C and takes the whole process down on deep nesting; and its nodes
    no longer tell a tag that was written from one that was not.
    """

    def __init__(self, source: Source) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._root: Node | None = None
        self._open: list[Collection] = []
        self._keys: list[_Key | None] = []
        """For each open node the key whose value comes next."""
        self._anchors: dict[str, Node] = {}
        self._repeated = 0

    def compose(self) -> Node | None:
        """The root, or None with a problem that says why."""
        try:
            for event in self._events():
                self._take(event)
        except _Unreadable:
            return None
        return self._root or Node(None, Span(0, 0, 0, 0))

    def _events(self) -> Iterator[Any]:
        try:
            yield from yaml.parse(self._source.text, Loader=yaml.CBaseLoader)
        except yaml.MarkedYAMLError as error:
            self.problems.append(_syntax_problem(error, self._source))
            raise _Unreadable from None
        except yaml.YAMLError as error:
            self.problems.append(Problem(f"this is not YAML: {error}", self._source.place_at(0)))
            raise _Unreadable from None

    def _take(self, event: Any) -> None:
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._begin({}, event)
            case yaml.SequenceStartEvent():
                self._begin([], event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end(event)
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent() if self._root is not None:
                hint = 'remove the "---", or make it a file of its own'
                self._stop("a second document starts here", _span(event), hint)

    def _scalar(self, event: Any) -> None:
        span = _span(event)
        self._refuse_tag(event)
        plain = event.implicit[0] and event.tag is None
        value = self._resolve(event.value, span) if plain else event.value
        node = Node(value, span)
        self._remember(event, node)
        self._place(node, event.value, merge=plain and event.value == "<<")

    def _begin(self, empty: Json, event: Any) -> None:
        self._refuse_tag(event)
        node = Collection(empty, _span(event))
        if len(self._open) >= _DEEPEST:
            self._stop(f"more than {_DEEPEST} levels are nested here", node.span, "nest less")
        self._remember(event, node)
        self._open.append(node)
        self._keys.append(None)

    def _end(self, event: Any) -> None:
        node = self._open.pop()
        self._keys.pop()
        node.complete = True
        end = event.end_mark
        node.span = Span(node.span.line, node.span.column, end.line, end.column)
        self._place(node, None)

    def _alias(self, event: Any) -> None:
        span = _span(event)
        target = self._anchors.get(event.anchor)
        if target is None:
            self._report(f'no anchor "&{event.anchor}" stands before this alias', span)
            target = Node(None, span)
        elif not target.complete:
            message = f'alias "*{event.anchor}" stands inside of what it repeats'
            self._stop(message, span, "write the value out")
        self._repeated += target.weight
        if self._repeated > _MOST_REPEATED:
            message = f"aliases repeat more than {_MOST_REPEATED} values"
            self._stop(message, span, "write the values out, or use fewer aliases")
        node = Node(target.value, span)
        node.keys, node.children, node.weight = target.keys, target.children, target.weight
        self._place(node, target.value if isinstance(target.value, str) else None)

    def _place(self, node: Node, text: str | None, *, merge: bool = False) -> None:
        """Put a whole node where it belongs; `text` is what a scalar was written as."""
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if isinstance(parent.value, list):
            parent.add(None, node)
            return
        key = self._keys[-1]
        if key is None:
            self._keys[-1] = self._key(node, text, merge=merge)
            return
        self._keys[-1] = None
        if key.text is not None and not self._stands_twice(parent, key):
            parent.keys[key.text] = key.span
            parent.add(key.text, node)

    def _key(self, node: Node, text: str | None, *, merge: bool) -> _Key:
        if merge:
            self._report('merge keys ("<<") are not supported', node.span, "write the keys out")
            return _Key(None, node.span)
        if isinstance(node.value, str):
            return _Key(node.value, node.span)
        hint = f'put it in quotes: "{text}"' if text else "write a text as the key"
        self._report(f"expected a text as key, found {described(node.value)}", node.span, hint)
        return _Key(text or None, node.span)

    def _stands_twice(self, parent: Collection, key: _Key) -> bool:
        first = parent.keys.get(key.text or "")
        if first is None:
            return False
        message = f"key {quoted(key.text or '')} stands twice in one mapping"
        self._report(message, key.span, f"remove one; the first is in line {first.line + 1}")
        return True

    def _resolve(self, text: str, span: Span) -> Json:
        try:
            return resolve(text)
        except BadValue as error:
            self._report(str(error), span, error.hint)
            return text

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._report(f"tag {quoted(tag)} is not supported", _span(event), "remove the tag")

    def _remember(self, event: Any, node: Node) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = node

    def _report(self, message: str, span: Span, hint: str | None = None) -> None:
        self.problems.append(Problem(message, self._source.place(span), hint))

    def _stop(self, message: str, span: Span, hint: str) -> None:
        self._report(message, span, hint)
        raise _Unreadable


def _span(event: Any) -> Span:
    start, end = event.start_mark, event.end_mark
    return Span(start.line, start.column, end.line, end.column)


def _syntax_problem(error: yaml.MarkedYAMLError, source: Source) -> Problem:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Problem(f"this is not YAML: {error.problem}", source.place_at(0))
    if error.problem == "found unexpected end of stream" and error.context_mark is not None:
        # The end of the file is far from the mistake.
        mark = error.context_mark
        place = source.place(Span(mark.line, mark.column, mark.line, mark.column + 1))
        return Problem("the quotes that open here are never closed", place, "close them")
    place = source.place(Span(mark.line, mark.column, mark.line, mark.column + 1))
    if error.problem == "found character that cannot start any token":
        character = place.text[mark.column : mark.column + 1]
        if character == "\t":
            return Problem("a tab cannot indent", place, "indent with spaces")
        return Problem(f'a value cannot start with "{character}"', place, "put it in quotes")
    context = ""
    if error.context_mark is not None and error.context_mark.line != mark.line:
        context = f", {error.context} that starts in line {error.context_mark.line + 1}"
    message = f"this is not YAML: {error.problem}{context}"
    return Problem(message, place, YAML_REMEDIES.get(error.problem or ""))
