"""From correct syntax to graphs: calls inlined, edges drawn, gates and joins put in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice

from ductile.documents.scalars import parse_duration
from ductile.documents.yaml import Path
from ductile.dsl.definition import pipeline_of
from ductile.dsl.graph import ANY_EVENT, Gate, Join, Node, Pipeline, Step, predecessors
from ductile.dsl.ids import step_ids
from ductile.dsl.syntax import PipelineNode, StepNode
from ductile.expressions.conditions import Condition
from ductile.expressions.paths import Path as ExpressionPath
from ductile.expressions.templates import Template
from ductile.model.json import JsonObject
from ductile.model.policy import WorkspaceMode


@dataclass(frozen=True, slots=True)
class _Part:
    """Where a part of a graph begins and where it ends."""

    entries: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    """The nodes from which what stands behind the part is reached."""
    branched: bool = False
    """Whether it ends in several branches, so that what stands behind it waits for all."""


@dataclass(frozen=True, slots=True)
class _Graph:
    """What a call of a pipeline stands for."""

    part: _Part
    nodes: Mapping[str, Node]


def build(nodes: Iterable[PipelineNode]) -> dict[str, Pipeline]:
    """The pipelines by name. They must be without problems, and callees come first."""
    graphs: dict[str, _Graph] = {}
    pipelines: dict[str, Pipeline] = {}
    for node in nodes:
        builder = _Builder(node, graphs)
        pipeline = builder.pipeline()
        pipelines[pipeline.name] = pipeline
        graphs[pipeline.name] = builder.graph()
    return pipelines


class _Builder:
    """Builds the graph of one pipeline."""

    def __init__(self, node: PipelineNode, callees: Mapping[str, _Graph]) -> None:
        self._callees = callees
        self._raw = node.raw
        self._ids = step_ids(node)
        self._nodes: dict[str, Node] = {}
        #: What leads to a step is put here.
        self._entries: dict[Path, tuple[str, ...]] = {}
        self._main = self._phase(node.steps)
        self._main_size = len(self._nodes)
        self._on_failure = self._phase(node.on_failure)
        self._finally = self._phase(node.finally_)
        self._draw_routes(node)
        self._note_sources()

    def pipeline(self) -> Pipeline:
        """The pipeline by itself."""
        raw = self._raw
        return pipeline_of(
            name=raw["name"],
            on=(raw["on"],) if isinstance(raw["on"], str) else tuple(raw["on"]),
            entries=self._main.entries,
            nodes=self._nodes,
            description=raw.get("description", ""),
            source=raw.get("from"),
            condition=_condition(raw),
            timeout=_duration(raw, "timeout"),
            on_failure=self._on_failure.entries,
            finally_=self._finally.entries,
        )

    def graph(self) -> _Graph:
        """The main part, to be put into callers."""
        return _Graph(self._main, dict(islice(self._nodes.items(), self._main_size)))

    def _phase(self, steps: Sequence[StepNode]) -> _Part:
        return self._sequence(steps, gathered=False) if steps else _Part()

    def _sequence(self, nodes: Sequence[StepNode], *, gathered: bool) -> _Part:
        first = part = self._part(nodes[0], gathered=gathered)
        for node in nodes[1:]:
            following = self._part(node, wait=part.branched)
            self._lead(part.ends, following.entries)
            part = following
        return replace(part, entries=first.entries)

    def _lead(self, ends: tuple[str, ...], entries: tuple[str, ...]) -> None:
        for end in ends:
            node = self._nodes[end]
            self._nodes[end] = (
                replace(node, otherwise=entries)
                if isinstance(node, Gate)
                else replace(node, next=entries)
            )

    def _part(self, node: StepNode, *, wait: bool = False, gathered: bool = False) -> _Part:
        """A step with the join and the gate before it; `gathered`: there is a join before that."""
        joins = not gathered and (wait or "join" in node.raw)
        # Entered before what they lead to, for the order of the file.
        join = self._enter(Join(f"{self._name(node)}:join", ())) if joins else None
        condition = _condition(node.raw) if node.uses is None else None
        gate = None
        if condition is not None:
            gate = self._enter(Gate(f"{self._name(node)}:if", condition, ()))
        part = self._body(node, gathered=gathered or joins)
        if gate is not None:
            self._nodes[gate] = replace(self._nodes[gate], next=part.entries)
            part = _Part((gate,), (*part.ends, gate), part.branched)
        if join is not None:
            self._nodes[join] = replace(self._nodes[join], next=part.entries)
            part = replace(part, entries=(join,))
        self._entries[node.path] = part.entries
        return part

    def _enter(self, node: Gate | Join) -> str:
        node_id = node.id
        while node_id in self._nodes:
            # A group without an id is called like what it begins with.
            node_id += ":if"
        self._nodes[node_id] = replace(node, id=node_id)
        return node_id

    def _name(self, node: StepNode) -> str:
        while node.path not in self._ids:
            node = (node.split or node.steps)[0]
        return self._ids[node.path]

    def _body(self, node: StepNode, *, gathered: bool) -> _Part:
        if node.split:
            branches = [self._part(branch, gathered=gathered) for branch in node.split]
            return _Part(
                tuple(entry for branch in branches for entry in branch.entries),
                tuple(end for branch in branches for end in branch.ends),
                len(branches) > 1 or branches[0].branched,
            )
        if node.steps:
            return self._sequence(node.steps, gathered=gathered)
        step_id = self._ids[node.path]
        if node.call is not None:
            return self._inline(step_id, self._callees[node.call])
        step = self._nodes[step_id] = _step(step_id, node)
        # Where it routes by events, only being skipped leads on to what stands behind it.
        goes_on = "on_events" not in node.raw or step.condition is not None
        return _Part((step_id,), (step_id,) if goes_on else ())

    def _inline(self, caller: str, graph: _Graph) -> _Part:
        for node in graph.nodes.values():
            inner = _within(caller, node)
            self._nodes[inner.id] = inner
        part = graph.part
        return _Part(_under(caller, part.entries), _under(caller, part.ends), part.branched)

    def _draw_routes(self, pipeline: PipelineNode) -> None:
        """Resolve `on_events`, now that it is known what leads to each step."""
        entries = {step_id: self._entries[path] for path, step_id in self._ids.items()}
        for node in pipeline.walk():
            if "on_events" not in node.raw:
                continue
            routes = {
                event_type: tuple(
                    dict.fromkeys(entry for target in targets for entry in entries[target])
                )
                for event_type, targets in sorted(node.raw["on_events"].items())
            }
            step = self._nodes[self._ids[node.path]]
            assert isinstance(step, Step)
            self._nodes[step.id] = replace(step, on_events=_shortest(routes))

    def _note_sources(self) -> None:
        leading = predecessors(self._nodes)
        for node in self._nodes.values():
            if isinstance(node, Join):
                self._nodes[node.id] = replace(node, sources=tuple(leading[node.id]))


def _shortest(routes: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """The routes without those that go where they would go anyway."""
    others = routes.get(ANY_EVENT, ())
    found = {key: to for key, to in routes.items() if key != ANY_EVENT and to != others}
    return {ANY_EVENT: others, **found} if others else found


def _within(caller: str, node: Node) -> Node:
    """The node of a called pipeline as one of its caller's."""
    inner = replace(node, id=f"{caller}/{node.id}", next=_under(caller, node.next))
    match inner:
        case Step(on_events=routes) if routes is not None:
            return replace(inner, on_events={k: _under(caller, to) for k, to in routes.items()})
        case Gate(otherwise=past):
            return replace(inner, otherwise=_under(caller, past))
    return inner


def _under(caller: str, ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{caller}/{node_id}" for node_id in ids)


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
        backoff_cap=_duration(retry, "backoff_cap"),
        condition=_condition(raw),
        inputs=Template.parse(raw["with"])[0] if "with" in raw else None,
        baggage=_baggage(raw["baggage"]) if "baggage" in raw else None,
    )


def _condition(raw: JsonObject) -> Condition | None:
    return Condition.parse(raw["if"])[0] if "if" in raw else None


def _baggage(raw: JsonObject) -> tuple[tuple[str, ExpressionPath], ...]:
    return tuple((key, ExpressionPath.parse(path)) for key, path in sorted(raw.items()))


def _duration(raw: JsonObject, key: str) -> timedelta | None:
    return parse_duration(raw[key]) if key in raw else None
