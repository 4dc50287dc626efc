"""The graph of a pipeline as a tree: branches indented, what gathers them below."""

from __future__ import annotations

from collections.abc import Mapping

from ductile.cli.render.text import Paint, Style, one_line
from ductile.cli.render.tree import Detail, Node, Span, draw
from ductile.insights.graph_view import START, Edge, GraphView, Kind, Part, Vertex

_STYLES: Mapping[Kind, Style] = {
    Kind.START: Style.BOLD,
    Kind.STEP: Style.BOLD,
    Kind.GATE: Style.BUSY,
    Kind.JOIN: Style.GOOD,
}


def graph_tree(view: GraphView, paint: Paint, *, width: int) -> str:
    """All parts of a pipeline, one below the other.

    What stands below something on the same level follows it; what is indented is one of
    several ways. A node with several ways to it stands behind the last fork that all of them
    have in common, and each way that ends there says so.
    """
    return draw([_Tree(part).root() for part in view.parts], paint, width=width)


class _Tree:
    """Hangs each vertex below the last one that every way to it goes through."""

    def __init__(self, part: Part) -> None:
        self._vertices = {each.id: each for each in part.vertices}
        self._in: dict[str, list[Edge]] = {each: [] for each in self._vertices}
        self._out: dict[str, list[Edge]] = {each: [] for each in self._vertices}
        for edge in part.edges:
            self._in[edge.target].append(edge)
            self._out[edge.source].append(edge)
        order = self._order()
        below: dict[str, list[str]] = {each: [] for each in order}
        parents: dict[str, str] = {}
        depth = {START: 0}
        for each in order[1:]:
            parent = _common([edge.source for edge in self._in[each]], parents, depth)
            parents[each], depth[each] = parent, depth[parent] + 1
            below[parent].append(each)
        self._levels: dict[str, list[Node]] = {}
        for each in reversed(order):  # each after all that hangs below it
            self._levels[each] = self._level(each, below[each])

    def root(self) -> Node:
        """The start of the part with all that follows below it."""
        first, *rest = self._levels[START]
        return Node(first.headline, first.details, [*first.children, *rest])

    def _order(self) -> list[str]:
        """The vertices, each after all that lead to it, otherwise as edges have them."""
        missing = {each: len(edges) for each, edges in self._in.items()}
        order, waiting = [], [START]
        while waiting:
            each = waiting.pop()
            order.append(each)
            for edge in reversed(self._out[each]):
                missing[edge.target] -= 1
                if missing[edge.target] == 0:
                    waiting.append(edge.target)
        return order

    def _level(self, vertex_id: str, below: list[str]) -> list[Node]:
        """A vertex, and what follows it on the same level."""
        vertex, out = self._vertices[vertex_id], self._out[vertex_id]
        if len(out) == 1 and below == [out[0].target]:
            return [self._node(vertex, []), *self._levels[below[0]]]
        gathering = [each for each in below if len(self._in[each]) > 1]
        if len(gathering) > 1:
            # Several that are no joins are several ways, too.
            gathering = [each for each in gathering if self._vertices[each].kind is Kind.JOIN]
        branches = [each for each in below if each not in gathering]
        children = [_branch(self._levels[each]) for each in branches]
        after = [node for each in gathering for node in self._levels[each]]
        return [self._node(vertex, children), *after]

    def _node(self, vertex: Vertex, children: list[Node]) -> Node:
        into = self._in[vertex.id]
        label = into[0].label if len(into) == 1 else ""
        headline = [
            Span(f"{one_line(label)}:" if label else "", Style.DIM),
            Span(one_line(vertex.title), _STYLES[vertex.kind]),
            *(Span(one_line(note), Style.DIM) for note in vertex.notes),
        ]
        return Node(headline, self._onward(vertex), children)

    def _onward(self, vertex: Vertex) -> list[Detail]:
        """The ways from here that end at a node with several ways to it."""
        return [
            Detail(
                "then",
                f"{one_line(edge.label)}: {self._named(edge)}" if edge.label else self._named(edge),
                Style.DIM,
            )
            for edge in self._out[vertex.id]
            if len(self._in[edge.target]) > 1
        ]

    def _named(self, edge: Edge) -> str:
        return one_line(self._vertices[edge.target].title)


def _common(ids: list[str], parents: Mapping[str, str], depth: Mapping[str, int]) -> str:
    """The lowest place that all of these hang below, or are."""
    first, *rest = ids
    for other in rest:
        while first != other:
            if depth[first] >= depth[other]:
                first = parents[first]
            else:
                other = parents[other]
    return first


def _branch(level: list[Node]) -> Node:
    first, *rest = level
    return Node(first.headline, first.details, [*first.children, *rest])
