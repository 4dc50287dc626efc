"""Where the vertices of a drawing stand: in layers from top to bottom, edges going down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ductile.insights.graph_view import Edge, Part

_GAP: Final = 30.0
"""Between two boxes of one layer."""
_LEVEL: Final = 52.0
"""Between two layers of vertices: room for edges to turn in."""
_TO_LABEL: Final = 28.0
"""Between a layer and the labels above or below it."""
_LANE: Final = 16.0
"""The width that a passing edge takes in a layer."""
_ROUNDS: Final = 4
"""How often the order within the layers is improved."""
_SETTLING: Final = 12
"""How often the places within the layers are improved."""
_STRAIGHT: Final = 8.0
"""How much more a straight passing edge counts than a vertex amid its neighbours."""


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
    label: Box | None = None
    """Where its label stands, if it has one."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A part with a place for everything; the upper left corner is (0, 0)."""

    boxes: Mapping[str, Box]
    routes: tuple[Route, ...]
    size: Size


def layout(
    part: Part, sizes: Mapping[str, Size], labels: Mapping[str, Size] | None = None
) -> Layout:
    """A place for every vertex and label of a part without circles.

    `sizes` has the size of each vertex by its id, and `labels` that of each label by its text.
    A vertex is in the layer below the lowest one that leads to it; the labels of what leaves a
    layer have a layer of their own. An edge that passes by layers gets a place in each, so that
    it goes around what stands there.
    """
    grid = _Grid(part, sizes, labels or {})
    grid.untangle()
    boxes = grid.boxes()
    width = max(box.x + box.width for box in boxes.values())
    height = max(box.y + box.height for box in boxes.values())
    routes = tuple(
        Route(edge, grid.points(chain, boxes), boxes[chain[1]] if chain[1] in grid.labels else None)
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
    """Vertices, labels and lanes of passing edges in layers; each in order from left to right."""

    def __init__(self, part: Part, sizes: Mapping[str, Size], labels: Mapping[str, Size]) -> None:
        depth = _layers(part)
        self._sizes = dict(sizes)
        self._label_sizes = labels
        ranks, self._rows = _ranks(part, depth, labels)
        for vertex in part.vertices:
            self._rows[ranks[depth[vertex.id]]].append(vertex.id)
        self._above: dict[str, list[str]] = {}
        self._below: dict[str, list[str]] = {}
        self.labels: set[str] = set()
        #: Top and bottom of the layer of each member.
        self._extents: dict[str, tuple[float, float]] = {}
        #: For each edge, what it goes through, its ends included.
        self.chains = [
            self._chain(number, edge, ranks[depth[edge.source]], ranks[depth[edge.target]])
            for number, edge in enumerate(part.edges)
        ]

    def _chain(self, number: int, edge: Edge, first: int, last: int) -> list[str]:
        chain = [edge.source]
        label = self._label_sizes.get(edge.label)
        for row in range(first + 1, last):
            lane = f"\0{number}.{row}"
            self._rows[row].append(lane)
            self._sizes[lane] = Size(_LANE, 0)
            if label is not None and row == first + 1:
                self._sizes[lane] = label
                self.labels.add(lane)
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
        """The place of each member; tall boxes make their layer tall."""
        middles = self._middles()
        left = min(middles[each] - self._sizes[each].width / 2 for each in middles)
        boxes: dict[str, Box] = {}
        y = 0.0
        for row, next_row in pairwise([*self._rows, []]):
            height = max(self._sizes[each].height for each in row)
            for each in row:
                size = self._sizes[each]
                own = size.height or height  # a lane goes straight through its layer
                x = middles[each] - size.width / 2 - left
                boxes[each] = Box(x, y + (height - own) / 2, size.width, own)
                self._extents[each] = (y, y + height)
            beside_labels = not self.labels.isdisjoint((*row, *next_row))
            y += height + (_TO_LABEL if beside_labels else _LEVEL)
        return boxes

    def points(
        self, chain: Sequence[str], boxes: Mapping[str, Box]
    ) -> tuple[tuple[float, float], ...]:
        """Where an edge goes: beside boxes of its layers straight up and down."""
        points: list[tuple[float, float]] = []
        for each in chain:
            box, (top, bottom) = boxes[each], self._extents[each]
            if each == chain[0]:
                heights = (box.y + box.height, bottom)
            elif each == chain[-1]:
                heights = (top, box.y)
            else:
                heights = (top, bottom)
            points += [(box.middle, y) for y in heights if (box.middle, y) not in points[-1:]]
        return tuple(points)

    def _middles(self) -> dict[str, float]:
        """Each member as near to its neighbours as its layer allows, passing edges straight."""
        middles: dict[str, float] = {}
        for row in self._rows:
            x = 0.0
            for each in row:
                middles[each] = x + self._sizes[each].width / 2
                x += self._sizes[each].width + _GAP
        for _ in range(_SETTLING):
            for row in (*self._rows, *self._rows[::-1]):
                self._settle(row, middles)
        return middles

    def _settle(self, row: Sequence[str], middles: dict[str, float]) -> None:
        """Move a layer towards its neighbours; no two members of it come too close.

        Members that would come too close form a group, which goes where they want on average.
        """
        offsets = [0.0]
        for left, right in pairwise(row):
            apart = (self._sizes[left].width + self._sizes[right].width) / 2 + _GAP
            offsets.append(offsets[-1] + apart)
        groups: list[tuple[float, float, int]] = []
        for each, offset in zip(row, offsets, strict=True):
            wish, weight = self._wish(each, middles)
            group = (wish - offset, weight, 1)
            while groups and groups[-1][0] > group[0]:
                place, weight, count = groups.pop()
                total = weight + group[1]
                mean = (place * weight + group[0] * group[1]) / total
                group = (mean, total, count + group[2])
            groups.append(group)
        places = [place for place, _, count in groups for _ in range(count)]
        for each, place, offset in zip(row, places, offsets, strict=True):
            middles[each] = place + offset

    def _wish(self, each: str, middles: Mapping[str, float]) -> tuple[float, float]:
        """Where a member wants to be, amid its neighbours, and how much."""
        near = [*self._above.get(each, ()), *self._below.get(each, ())]
        weight = 1.0
        if _is_lane(each) and any(map(_is_lane, near)):
            # An edge that passes several layers is straight first of all.
            near, weight = [other for other in near if _is_lane(other)], _STRAIGHT
        if not near:
            return middles[each], weight
        return sum(middles[other] for other in near) / len(near), weight


def _is_lane(member: str) -> bool:
    return member.startswith("\0")


def _ranks(
    part: Part, depth: Mapping[str, int], labels: Mapping[str, Size]
) -> tuple[list[int], list[list[str]]]:
    """The layer of the vertices of each depth, and all layers, those for labels among them."""
    labelled = {depth[edge.source] for edge in part.edges if edge.label in labels}
    ranks: list[int] = []
    count = 0
    for each in range(max(depth.values()) + 1):
        ranks.append(count)
        count += 2 if each in labelled else 1
    return ranks, [[] for _ in range(count)]


def _sort(row: list[str], fixed: Sequence[str], neighbours: Mapping[str, Sequence[str]]) -> None:
    places = {each: index for index, each in enumerate(fixed)}
    own = {each: float(index) for index, each in enumerate(row)}

    def centre(each: str) -> float:
        near = [places[other] for other in neighbours.get(each, ())]
        return sum(near) / len(near) if near else own[each]

    row.sort(key=centre)
