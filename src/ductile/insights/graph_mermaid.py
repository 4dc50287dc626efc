"""The drawing of a pipeline as a Mermaid flow chart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ductile.insights.graph_view import GraphView, Kind, Part, Vertex
from ductile.model.run import Phase

#: The brackets that give a vertex its shape.
_SHAPES: Final = {
    Kind.START: ("([", "])"),
    Kind.STEP: ("[", "]"),
    Kind.GATE: ("{{", "}}"),
    Kind.JOIN: ("[/", "\\]"),
}


def mermaid(view: GraphView) -> str:
    """The whole chart; each part but the main one is a subgraph. Ends without a line break."""
    lines = ["flowchart TD"]
    for number, part in enumerate(view.parts):
        indent = "    "
        if part.phase is not Phase.MAIN:
            lines.append(f'    subgraph p{number}["{part.phase}"]')
            indent *= 2
        lines += [indent + line for line in _part(part, number)]
        if part.phase is not Phase.MAIN:
            lines.append("    end")
    return "\n".join(lines)


def _part(part: Part, number: int) -> Iterator[str]:
    names = {each.id: f"p{number}n{index}" for index, each in enumerate(part.vertices)}
    for vertex in part.vertices:
        before, after = _SHAPES[vertex.kind]
        yield f'{names[vertex.id]}{before}"{_text(vertex)}"{after}'
    for edge in part.edges:
        label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
        yield f"{names[edge.source]} -->{label} {names[edge.target]}"


def _text(vertex: Vertex) -> str:
    return "<br/>".join(_escaped(each) for each in (vertex.title, *vertex.notes))


def _escaped(text: str) -> str:
    """With entities for all that means something to Mermaid or to HTML."""
    return "".join(c if c.isalnum() or c in " _-./:,()=" else f"#{ord(c)};" for c in text)
