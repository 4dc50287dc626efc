"""How pipelines call each other: who comes first, which calls go in circles, what they end in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ductile.documents.problems import Problem, in_order, quoted
from ductile.documents.suggest import hint
from ductile.dsl.syntax import PipelineNode, StepNode

#: Steps of one pipeline with all calls inlined; calls of calls can double them at every level.
_MOST_STEPS: Final = 1_000
_DEEPEST_CALLS: Final = 32


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is to know of a pipeline, or a part of one, before it is built."""

    steps: int
    depth: int
    """How many calls are nested in it."""


_ONE_STEP: Final = _Shape(1, 0)


def callees_first(
    nodes: Sequence[PipelineNode], *, complete: bool = True
) -> tuple[list[PipelineNode], list[Problem]]:
    """The pipelines, each after those that it calls, and what is wrong between them.

    Unless the pipelines are complete, calls of unknown ones are passed over.
    """
    names: dict[str, PipelineNode] = {}
    problems: list[Problem] = []
    for node in nodes:
        if node.name is not None and names.setdefault(node.name, node) is not node:
            problems.append(_duplicate(node, names[node.name]))
    order = _Order(names, complete=complete)
    for node in nodes:
        order.visit(node)
    shapes = _Shapes(names)
    for node in order.finished:
        shapes.measure(node)
    return order.finished, problems + order.problems + in_order(shapes.problems)


def _duplicate(node: PipelineNode, first: PipelineNode) -> Problem:
    place = first.place((*first.path, "name"))
    return Problem(
        f"pipeline {quoted(node.name or '')} exists already",
        node.place((*node.path, "name")),
        f"rename one; the first is at {place.file}:{place.line}:{place.column}",
    )


class _Order:
    """A walk along the calls, in depth; without recursion, since chains can be long."""

    def __init__(self, names: Mapping[str, PipelineNode], *, complete: bool) -> None:
        self.finished: list[PipelineNode] = []
        self.problems: list[Problem] = []
        self._names = names
        self._complete = complete
        self._seen: set[int] = set()
        #: The pipelines between the first one and the current, each calling the next.
        self._path: dict[int, PipelineNode] = {}

    def visit(self, root: PipelineNode) -> None:
        """Finish a pipeline and all that it calls."""
        if id(root) in self._seen:
            return
        walks = [self._enter(root)]
        while walks:
            callee = next(walks[-1], None)
            if callee is not None:
                walks.append(self._enter(callee))
                continue
            walks.pop()
            self.finished.append(self._path.popitem()[1])

    def _enter(self, node: PipelineNode) -> Iterator[PipelineNode]:
        self._seen.add(id(node))
        self._path[id(node)] = node
        return self._new_callees(node)

    def _new_callees(self, node: PipelineNode) -> Iterator[PipelineNode]:
        for step in node.walk():
            if step.call is None:
                continue
            callee = self._names.get(step.call)
            if callee is None:
                self._unknown(node, step, step.call)
            elif id(callee) in self._path:
                self._circle(node, step, callee)
            elif id(callee) not in self._seen:
                yield callee

    def _unknown(self, node: PipelineNode, step: StepNode, name: str) -> None:
        if self._complete:
            place = node.place((*step.path, "call"))
            remedy = hint(name, self._names)
            self.problems.append(Problem(f"no pipeline named {quoted(name)}", place, remedy))

    def _circle(self, node: PipelineNode, step: StepNode, callee: PipelineNode) -> None:
        path = list(self._path)
        circle = [*path[path.index(id(callee)) :], id(callee)]
        names = [self._path[key].name or "" for key in circle]
        self.problems.append(
            Problem(
                f"pipeline {quoted(names[0])} calls itself: {' -> '.join(names)}",
                node.place((*step.path, "call")),
                "remove the call, or put the repeated steps in a pipeline of their own",
            )
        )


class _Shapes:
    """Measures pipelines, the called ones before their callers."""

    def __init__(self, names: Mapping[str, PipelineNode]) -> None:
        self.problems: list[Problem] = []
        self._names = names
        self._shapes: dict[int, _Shape] = {}

    def measure(self, node: PipelineNode) -> None:
        """Note the shape of a pipeline and report what it cannot be."""
        shapes = [self._together(node, steps) for steps in node.phases]
        total = sum(shape.steps for shape in shapes)
        # What is called is the main part alone.
        called = _Shape(shapes[0].steps, max(shape.depth for shape in shapes))
        if total > _MOST_STEPS:
            message = (
                f"pipeline {quoted(node.name or '')} comes to {total} steps with all that "
                f"it calls; the limit is {_MOST_STEPS}"
            )
            remedy = "let a step emit an event that starts the rest as a pipeline of its own"
            self.problems.append(Problem(message, node.place((*node.path, "name")), remedy))
            # Its callers are not to blame.
            called = _Shape(1, called.depth)
        self._shapes[id(node)] = called

    def _together(self, node: PipelineNode, steps: Sequence[StepNode]) -> _Shape:
        shapes = [self._step(node, step) for step in steps]
        return _Shape(
            sum(shape.steps for shape in shapes), max((s.depth for s in shapes), default=0)
        )

    def _step(self, node: PipelineNode, step: StepNode) -> _Shape:
        if step.split or step.steps:
            return self._together(node, step.split or step.steps)
        if step.call is None:
            return _ONE_STEP
        callee = self._shapes.get(id(self._names.get(step.call)), _ONE_STEP)
        if callee.depth >= _DEEPEST_CALLS:
            place = node.place((*step.path, "call"))
            message = f"more than {_DEEPEST_CALLS} calls are nested here"
            self.problems.append(Problem(message, place, "call fewer pipelines in a row"))
            return _ONE_STEP
        return _Shape(callee.steps, callee.depth + 1)
