"""The graph of a pipeline as it is drawn: its parts, their nodes, and labelled edges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ductile.documents.scalars import format_duration
from ductile.dsl.graph import ANY_EVENT, Gate, Join, Node, Pipeline, Step, successors
from ductile.expressions.conditions import Condition
from ductile.model.json import Json, encode
from ductile.model.policy import WorkspaceMode
from ductile.model.run import Phase

#: The id of the vertex that a part begins with; no node of a pipeline has it.
START: Final = ""


class Kind(StrEnum):
    """What a vertex stands for."""

    START = "start"
    """What has to happen for a part to begin."""
    STEP = "step"
    GATE = "gate"
    JOIN = "join"


@dataclass(frozen=True, slots=True)
class Vertex:
    """One node of the drawing."""

    id: str
    kind: Kind
    title: str
    notes: tuple[str, ...] = ()
    """What else is to know of it, a line each."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one vertex to another."""

    source: str
    target: str
    label: str = ""
    """When it is taken; empty where it always is."""


@dataclass(frozen=True, slots=True)
class Part:
    """What belongs to one phase of a run."""

    phase: Phase
    vertices: tuple[Vertex, ...]
    """The start first, then as the file has them."""
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class GraphView:
    """All parts of a pipeline; the main one is the first."""

    name: str
    parts: tuple[Part, ...]


def graph_view(pipeline: Pipeline) -> GraphView:
    """How a pipeline is drawn."""
    starts = (
        (Phase.MAIN, pipeline.entries, _trigger(pipeline)),
        (Phase.ON_FAILURE, pipeline.on_failure, Vertex(START, Kind.START, "on_failure")),
        (Phase.FINALLY, pipeline.finally_, Vertex(START, Kind.START, "finally")),
    )
    of = phases(pipeline)
    return GraphView(
        pipeline.name,
        tuple(
            _part(phase, start, entries, [n for n in pipeline.nodes.values() if of[n.id] is phase])
            for phase, entries, start in starts
            if entries
        ),
    )


def phases(pipeline: Pipeline) -> Mapping[str, Phase]:
    """The phase that each node belongs to."""
    found: dict[str, Phase] = {}
    for phase, entries in (
        (Phase.FINALLY, pipeline.finally_),
        (Phase.ON_FAILURE, pipeline.on_failure),
    ):
        waiting = list(entries)
        while waiting:
            node_id = waiting.pop()
            if node_id not in found:
                found[node_id] = phase
                waiting += successors(pipeline.nodes[node_id])
    return {node_id: found.get(node_id, Phase.MAIN) for node_id in pipeline.nodes}


def condition_text(condition: Condition) -> str:
    """A condition as it reads in a sentence: `payload.length gt 30 and context.muted exists`."""
    return _said(condition.canonical(), inside=False)


def _trigger(pipeline: Pipeline) -> Vertex:
    notes = []
    if pipeline.source is not None:
        notes.append(f"from {pipeline.source}")
    if pipeline.condition is not None:
        notes.append(f"if {condition_text(pipeline.condition)}")
    if pipeline.timeout is not None:
        notes.append(f"timeout {format_duration(pipeline.timeout)}")
    return Vertex(START, Kind.START, f"on {', '.join(pipeline.on)}", tuple(notes))


def _part(phase: Phase, start: Vertex, entries: Iterable[str], nodes: list[Node]) -> Part:
    edges = [Edge(START, entry) for entry in entries]
    for node in nodes:
        edges += _edges(node)
    return Part(phase, (start, *map(_vertex, nodes)), tuple(edges))


def _vertex(node: Node) -> Vertex:
    match node:
        case Step():
            return Vertex(node.id, Kind.STEP, node.id, tuple(_notes(node)))
        case Gate():
            return Vertex(node.id, Kind.GATE, f"if {condition_text(node.condition)}")
        case Join():
            return Vertex(node.id, Kind.JOIN, node.id, ("waits for all",))


def _notes(step: Step) -> Iterator[str]:
    yield f"{step.plugin}.{step.command}"
    if step.condition is not None:
        yield f"if {condition_text(step.condition)}"
    if step.inputs is not None:
        yield f"with {', '.join(step.inputs.canonical())}"
    if step.baggage is not None:
        yield f"baggage {', '.join(key for key, _ in step.baggage) or 'nothing'}"
    if step.timeout is not None:
        yield f"timeout {format_duration(step.timeout)}"
    yield from _retry(step)
    if step.workspace is not WorkspaceMode.CLONE:
        yield f"workspace {step.workspace}"
    for event_type, targets in (step.on_events or {}).items():
        if not targets:
            yield f"{_type(event_type)}: ends"


def _retry(step: Step) -> Iterator[str]:
    if step.max_attempts is not None:
        yield f"max_attempts {step.max_attempts}"
    if step.backoff_base is not None:
        yield f"backoff_base {format_duration(step.backoff_base)}"
    if step.backoff_cap is not None:
        yield f"backoff_cap {format_duration(step.backoff_cap)}"


def _edges(node: Node) -> list[Edge]:
    match node:
        case Gate():
            into = [Edge(node.id, each, "holds") for each in node.next]
            return into + [Edge(node.id, each, "otherwise") for each in node.otherwise]
        case Step(on_events=on_events) if on_events is not None:
            return _by_type(node, on_events)
    return [Edge(node.id, each) for each in node.next]


def _by_type(step: Step, on_events: Mapping[str, tuple[str, ...]]) -> list[Edge]:
    labels: dict[str, list[str]] = {}
    for event_type, targets in on_events.items():
        for target in targets:
            labels.setdefault(target, []).append(_type(event_type))
    return [Edge(step.id, target, ", ".join(types)) for target, types in labels.items()]


def _type(event_type: str) -> str:
    return "any other" if event_type == ANY_EVENT else event_type


def _said(form: Json, *, inside: bool) -> str:
    match form:
        case {"all": parts}:
            text = " and ".join(_said(each, inside=True) for each in parts)
        case {"any": parts}:
            text = " or ".join(_said(each, inside=True) for each in parts)
        case {"not": part}:
            return f"not ({_said(part, inside=False)})"
        case _:
            value = f" {encode(form['value']).decode()}" if "value" in form else ""
            return f"{form['path']} {form['op']}{value}"
    return f"({text})" if inside and len(parts) > 1 else text
