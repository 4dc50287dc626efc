"""From correct syntax to graphs: ids given, calls inlined, edges drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

from ductile.documents.scalars import parse_duration
from ductile.dsl.definition import pipeline_of
from ductile.dsl.graph import Pipeline, Step
from ductile.dsl.syntax import DEFAULT_COMMAND, PipelineNode, StepNode
from ductile.model.json import JsonObject
from ductile.model.policy import WorkspaceMode


@dataclass(frozen=True, slots=True)
class _Part:
    """Where a part of a graph begins and where it ends."""

    entries: tuple[str, ...]
    ends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Graph:
    """A whole graph that can be put into others."""

    part: _Part
    steps: Mapping[str, Step]


def build(nodes: Iterable[PipelineNode]) -> dict[str, Pipeline]:
    """The pipelines by name. They must be without problems, and callees come first."""
    graphs: dict[str, _Graph] = {}
    pipelines: dict[str, Pipeline] = {}
    for node in nodes:
        raw = node.raw
        name = raw["name"]
        graph = graphs[name] = _Builder(node, graphs).graph()
        pipelines[name] = pipeline_of(
            name=name,
            on=raw["on"],
            entries=graph.part.entries,
            steps=graph.steps,
            description=raw.get("description", ""),
        )
    return pipelines


class _Builder:
    """Builds the graph of one pipeline."""

    def __init__(self, node: PipelineNode, callees: Mapping[str, _Graph]) -> None:
        self._node = node
        self._callees = callees
        self._ids = _ids(node)
        self._steps: dict[str, Step] = {}

    def graph(self) -> _Graph:
        part = self._sequence(self._node.steps)
        return _Graph(part, self._steps)

    def _sequence(self, nodes: Sequence[StepNode]) -> _Part:
        first, *rest = [self._part(node) for node in nodes]
        ends = first.ends
        for part in rest:
            for end in ends:
                self._steps[end] = replace(self._steps[end], next=part.entries)
            ends = part.ends
        return _Part(first.entries, ends)

    def _part(self, node: StepNode) -> _Part:
        if node.split:
            branches = [self._part(branch) for branch in node.split]
            return _Part(
                tuple(entry for branch in branches for entry in branch.entries),
                tuple(end for branch in branches for end in branch.ends),
            )
        if node.steps:
            return self._sequence(node.steps)
        step_id = self._ids[node.path]
        if node.call is not None:
            return self._inline(step_id, self._callees[node.call])
        self._steps[step_id] = _step(step_id, node)
        return _Part((step_id,), (step_id,))

    def _inline(self, caller: str, graph: _Graph) -> _Part:
        def within(ids: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(f"{caller}/{step_id}" for step_id in ids)

        for step in graph.steps.values():
            step_id = f"{caller}/{step.id}"
            self._steps[step_id] = replace(step, id=step_id, next=within(step.next))
        return _Part(within(graph.part.entries), within(graph.part.ends))


def _step(step_id: str, node: StepNode) -> Step:
    assert node.uses is not None
    plugin, command = node.uses
    raw = node.raw
    retry = raw.get("retry", {})
    return Step(
        id=step_id,
        plugin=plugin,
        command=command,
        workspace=WorkspaceMode(raw.get("workspace", WorkspaceMode.CLONE)),
        timeout=_duration(raw, "timeout"),
        max_attempts=retry.get("max_attempts"),
        backoff_base=_duration(retry, "backoff_base"),
    )


def _duration(raw: JsonObject, key: str) -> timedelta | None:
    return parse_duration(raw[key]) if key in raw else None


def _ids(pipeline: PipelineNode) -> dict[tuple[str | int, ...], str]:
    """The id of each step that uses or calls: the given one, or a free one like its name."""
    nodes = list(pipeline.walk())
    taken = {node.id for node in nodes if node.id is not None}
    numbers: dict[str, count[int]] = {}
    ids = {}
    for node in nodes:
        name = node.id
        if name is None:
            base = _default_id(node)
            if base is None:
                continue
            name = base
            while name in taken:
                name = f"{base}-{next(numbers.setdefault(base, count(2)))}"
            taken.add(name)
        ids[node.path] = name
    return ids


def _default_id(node: StepNode) -> str | None:
    if node.uses is None:
        return node.call
    plugin, command = node.uses
    return plugin if command == DEFAULT_COMMAND else f"{plugin}-{command}"
