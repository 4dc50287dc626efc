"""Trees with lines of text at each node."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ductile.cli.render.text import Paint, Style, cut

#: Where the text of a detail begins, after its label.
_LABEL = 10
#: No detail is squeezed into less, however deep the tree.
_NARROWEST = 30


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line and how it looks."""

    text: str
    style: Style | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """A line below the headline of a node: a label, and text that is wrapped or cut."""

    label: str
    text: str
    style: Style | None = None
    wrap: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A headline, its details, and what hangs below."""

    headline: Sequence[Span]
    details: Sequence[Detail] = ()
    children: Sequence[Node] = field(default_factory=tuple)


def draw(nodes: Sequence[Node], paint: Paint, *, width: int) -> str:
    """The trees one after the other, of at most `width` columns where that is possible."""
    lines: list[str] = []
    waiting = [(node, "", index == 0) for index, node in enumerate(reversed(nodes))]
    while waiting:
        node, indent, last = waiting.pop()
        fork, bar = ("└─ ", "   ") if last else ("├─ ", "│  ")
        lines.append(paint(indent + fork, Style.DIM) + _headline(node, paint))
        stem = indent + bar + ("│  " if node.children else "   ")
        for text, style in _details(node, max(width - len(stem), _NARROWEST)):
            lines.append(paint(stem, Style.DIM) + paint(text, style))
        waiting += [
            (child, indent + bar, index == 0) for index, child in enumerate(reversed(node.children))
        ]
    return "\n".join(line.rstrip() for line in lines)


def _headline(node: Node, paint: Paint) -> str:
    return "  ".join(paint(span.text, span.style) for span in node.headline if span.text)


def _details(node: Node, width: int) -> Iterator[tuple[str, Style | None]]:
    previous = ""
    for detail in node.details:
        label = detail.label if detail.label != previous else ""
        previous = detail.label
        room = width - _LABEL
        texts = textwrap.wrap(detail.text, room) if detail.wrap else [cut(detail.text, room)]
        for text in texts:
            yield f"{label:{_LABEL}}{text}", detail.style
            label = ""
