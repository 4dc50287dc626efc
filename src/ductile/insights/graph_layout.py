"""Where the vertices of a drawing stand: in layers from top to bottom, edges going down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ductile.insights.graph_view import Edge, Part

_GAP: Final = 30.0
"""Between two boxes of one layer."""
_LEVEL: Final = 56.0
"""Between two layers: room for the labels of edges."""
_LANE: Final = 16.0
"""The width that a passing edge takes in a layer."""
_ROUNDS: Final = 4
"""How often the order within the layers is improved."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Box:
    """Where a vertex stands: its upper left corner, and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Halfway between left and right."""
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Route:
    """The points that an edge goes through, from its source to its target."""

    edge: Edge
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A part with a place for everything; the upper left corner is (0, 0)."""

    boxes: Mapping[str, Box]
    routes: tuple[Route, ...]
    size: Size


def layout(part: Part, sizes: Mapping[str, Size]) -> Layout:
    """A place for every vertex of a part without circles; `sizes` has that of each vertex.

    A vertex is in the layer below the lowest one that leads to it. An edge that passes by
    layers gets a place of its own in each, so that it goes around what stands there.
    """
    grid = _Grid(part, sizes)
    grid.untangle()
    boxes = grid.boxes()
    width = max(box.x + box.width for box in boxes.values())
    height = max(box.y + box.height for box in boxes.values())
    routes = tuple(
        Route(edge, _points([boxes[each] for each in chain]))
        for edge, chain in zip(part.edges, grid.chains, strict=True)
    )
    shown = {each.id: boxes[each.id] for each in part.vertices}
    return Layout(shown, routes, Size(width, height))


def _layers(part: Part) -> dict[str, int]:
    """How many edges the longest way from the start to each vertex has."""
    below: dict[str, list[str]] = {each.id: [] for each in part.vertices}
    missing = dict.fromkeys(below, 0)
    for edge in part.edges:
        below[edge.source].append(edge.target)
        missing[edge.target] += 1
    depth = dict.fromkeys(below, 0)
    waiting = [each for each, count in missing.items() if count == 0]
    while waiting:
        vertex = waiting.pop()
        for target in below[vertex]:
            depth[target] = max(depth[target], depth[vertex] + 1)
            missing[target] -= 1
            if missing[target] == 0:
                waiting.append(target)
    return depth


class _Grid:
    """Vertices, and lanes for passing edges, in layers; each in an order from left to right."""

    def __init__(self, part: Part, sizes: Mapping[str, Size]) -> None:
        depth = _layers(part)
        self._sizes = dict(sizes)
        self._rows: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
        for vertex in part.vertices:
            self._rows[depth[vertex.id]].append(vertex.id)
        self._above: dict[str, list[str]] = {}
        self._below: dict[str, list[str]] = {}
        #: For each edge, what it goes through, its ends included.
        self.chains = [self._chain(number, edge, depth) for number, edge in enumerate(part.edges)]

    def _chain(self, number: int, edge: Edge, depth: Mapping[str, int]) -> list[str]:
        chain = [edge.source]
        for row in range(depth[edge.source] + 1, depth[edge.target]):
            lane = f"\0{number}.{row}"
            self._rows[row].append(lane)
            self._sizes[lane] = Size(_LANE, 0)
            chain.append(lane)
        chain.append(edge.target)
        for upper, lower in pairwise(chain):
            self._below.setdefault(upper, []).append(lower)
            self._above.setdefault(lower, []).append(upper)
        return chain

    def untangle(self) -> None:
        """Order each layer by where the neighbours of its members stand, down and up again."""
        for _ in range(_ROUNDS):
            for upper, row in pairwise(self._rows):
                _sort(row, upper, self._above)
            backwards = self._rows[::-1]
            for lower, row in pairwise(backwards):
                _sort(row, lower, self._below)

    def boxes(self) -> dict[str, Box]:
        """The place of each member; layers are centred, tall boxes make their layer tall."""
        widths = [
            sum(self._sizes[each].width for each in row) + _GAP * (len(row) - 1)
            for row in self._rows
        ]
        boxes: dict[str, Box] = {}
        y = 0.0
        for row, width in zip(self._rows, widths, strict=True):
            x = (max(widths) - width) / 2
            height = max(self._sizes[each].height for each in row)
            for each in row:
                size = self._sizes[each]
                own = size.height or height  # a lane goes straight through its layer
                boxes[each] = Box(x, y + (height - own) / 2, size.width, own)
                x += size.width + _GAP
            y += height + _LEVEL
        return boxes


def _sort(row: list[str], fixed: Sequence[str], neighbours: Mapping[str, Sequence[str]]) -> None:
    places = {each: index for index, each in enumerate(fixed)}
    own = {each: float(index) for index, each in enumerate(row)}

    def centre(each: str) -> float:
        near = [places[other] for other in neighbours.get(each, ())]
        return sum(near) / len(near) if near else own[each]

    row.sort(key=centre)


def _points(boxes: Sequence[Box]) -> tuple[tuple[float, float], ...]:
    first, *lanes, last = boxes
    points = [(first.middle, first.y + first.height)]
    for lane in lanes:
        points += [(lane.middle, lane.y), (lane.middle, lane.y + lane.height)]
    return (*points, (last.middle, last.y))
