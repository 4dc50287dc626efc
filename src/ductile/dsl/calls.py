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
    ends: int
    """Steps that nothing follows."""
    depth: int
    """How many calls are nested in it."""


_ONE_STEP: Final = _Shape(1, 1, 0)


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
        shape = self._sequence(node, node.steps)
        if shape.steps > _MOST_STEPS:
            message = (
                f"pipeline {quoted(node.name or '')} comes to {shape.steps} steps with all that "
                f"it calls; the limit is {_MOST_STEPS}"
            )
            remedy = "let a step emit an event that starts the rest as a pipeline of its own"
            self.problems.append(Problem(message, node.place((*node.path, "name")), remedy))
            # Its callers are not to blame.
            shape = _Shape(1, shape.ends, shape.depth)
        self._shapes[id(node)] = shape

    def _sequence(self, node: PipelineNode, steps: Sequence[StepNode]) -> _Shape:
        total, depth, ends = 0, 0, 1
        for index, step in enumerate(steps):
            if ends > 1:
                self._join(node, step, after=steps[index - 1], ends=ends)
            shape = self._step(node, step)
            total, depth, ends = total + shape.steps, max(depth, shape.depth), shape.ends
        return _Shape(total, ends, depth)

    def _step(self, node: PipelineNode, step: StepNode) -> _Shape:
        if step.split:
            branches = [self._step(node, branch) for branch in step.split]
            return _Shape(
                sum(branch.steps for branch in branches),
                sum(branch.ends for branch in branches),
                max(branch.depth for branch in branches),
            )
        if step.steps:
            return self._sequence(node, step.steps)
        if step.call is None:
            return _ONE_STEP
        callee = self._shapes.get(id(self._names.get(step.call)), _ONE_STEP)
        if callee.depth >= _DEEPEST_CALLS:
            place = node.place((*step.path, "call"))
            message = f"more than {_DEEPEST_CALLS} calls are nested here"
            self.problems.append(Problem(message, place, "call fewer pipelines in a row"))
            return _ONE_STEP
        return _Shape(callee.steps, callee.ends, callee.depth + 1)

    def _join(self, node: PipelineNode, step: StepNode, *, after: StepNode, ends: int) -> None:
        what = "the nested steps, which end"
        if after.split:
            what = "a split, which ends"
        elif after.call is not None:
            what = f"the call of {quoted(after.call)}, which ends"
        self.problems.append(
            Problem(
                f"a step cannot follow {what} in {ends} branches: this version has no joins",
                node.place(step.path),
                "put the step into each branch, or into a pipeline that an event starts",
            )
        )
