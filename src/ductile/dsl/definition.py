"""The canonical form of a compiled pipeline: what its hash is taken of, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

from blake3 import blake3
from pydantic import Field, PlainValidator, ValidationError

from ductile.documents.scalars import Duration, format_duration
from ductile.documents.validation import Schema
from ductile.dsl.graph import Gate, Join, Node, Pipeline, Step, predecessors, successors
from ductile.errors import ConfigurationError
from ductile.expressions.conditions import Condition
from ductile.expressions.errors import ExpressionError
from ductile.expressions.paths import Path
from ductile.expressions.templates import Template
from ductile.model.ids import PipelineHash
from ductile.model.json import Json, JsonObject, canonical
from ductile.model.policy import WorkspaceMode

T = TypeVar("T")

#: What the first format knows. A pipeline that needs no more keeps it, and so its hash.
_FIRST_KEYS: Final = frozenset(("name", "on", "entries", "steps"))
_FIRST_STEP_KEYS: Final = frozenset(
    ("plugin", "command", "next", "workspace", "timeout", "max_attempts", "backoff_base")
)


def _whole(parsed: tuple[T | None, list[ExpressionError]]) -> T:
    value, errors = parsed
    if value is None:
        raise errors[0]
    return value


_Condition: TypeAlias = Annotated[
    Condition, PlainValidator(lambda raw: _whole(Condition.parse(raw)))
]
_Template: TypeAlias = Annotated[Template, PlainValidator(lambda raw: _whole(Template.parse(raw)))]
_Path: TypeAlias = Annotated[Path, PlainValidator(Path.parse)]


class _StepForm(Schema):
    """A step. What a step does not say is not there, so that new keys keep old hashes."""

    plugin: str
    command: str
    next: tuple[str, ...] = ()
    workspace: WorkspaceMode = WorkspaceMode.CLONE
    timeout: Duration | None = None
    max_attempts: int | None = None
    backoff_base: Duration | None = None
    backoff_cap: Duration | None = None
    condition: Annotated[_Condition | None, Field(alias="if")] = None
    inputs: Annotated[_Template | None, Field(alias="with")] = None
    baggage: dict[str, _Path] | None = None
    on_events: dict[str, tuple[str, ...]] | None = None


class _GateForm(Schema):
    condition: Annotated[_Condition, Field(alias="if")]
    next: tuple[str, ...]
    otherwise: tuple[str, ...] = ()


class _JoinForm(Schema):
    next: tuple[str, ...]
    sources: tuple[str, ...]


class _Form(Schema):
    """A pipeline, and the version of this form."""

    format: Literal[1, 2]
    name: str
    on: str | tuple[str, ...]
    entries: Annotated[tuple[str, ...], Field(min_length=1)]
    steps: dict[str, _StepForm]
    gates: Annotated[dict[str, _GateForm], Field(default_factory=dict)]
    joins: Annotated[dict[str, _JoinForm], Field(default_factory=dict)]
    source: Annotated[str | None, Field(alias="from")] = None
    condition: Annotated[_Condition | None, Field(alias="if")] = None
    timeout: Duration | None = None
    on_failure: tuple[str, ...] = ()
    finally_: Annotated[tuple[str, ...], Field(alias="finally")] = ()


def pipeline_of(
    *,
    name: str,
    on: tuple[str, ...],
    entries: tuple[str, ...],
    nodes: Mapping[str, Node],
    description: str = "",
    source: str | None = None,
    condition: Condition | None = None,
    timeout: timedelta | None = None,
    on_failure: tuple[str, ...] = (),
    finally_: tuple[str, ...] = (),
) -> Pipeline:
    """The pipeline of that graph, with its definition and hash.

    Raises ValueError for nodes that are not all reached from the entries, or go in a circle.
    """
    ordered = _in_order((*entries, *on_failure, *finally_), nodes)
    if ordered is None:
        raise ValueError(f"the nodes of pipeline {name} form no graph")
    pipeline = Pipeline(
        name=name,
        hash=PipelineHash(""),
        on=tuple(sorted(on)),
        entries=entries,
        nodes=MappingProxyType(ordered),
        definition="",
        description=description,
        source=source,
        condition=condition,
        timeout=timeout,
        on_failure=on_failure,
        finally_=finally_,
    )
    definition = canonical(_form(pipeline)).decode()
    return replace(pipeline, hash=_fingerprint(definition), definition=definition)


def restore(definition: str) -> Pipeline:
    """The pipeline that a definition was made of, but for its description.

    Raises ConfigurationError for a text that is no definition of this or an earlier version.
    """
    try:
        form = _Form.model_validate_json(definition)
    except ValidationError as error:
        raise ConfigurationError(
            f"the stored pipeline version {_fingerprint(definition)} cannot be read "
            f"({error.error_count()} errors); was it written by a later version of ductile?"
        ) from None
    nodes = _in_order((*form.entries, *form.on_failure, *form.finally_), _nodes(form))
    if nodes is None:
        raise ConfigurationError(
            f"the stored pipeline version {_fingerprint(definition)} is damaged: its steps do "
            "not form a graph; restore the database from a backup"
        )
    return Pipeline(
        name=form.name,
        hash=_fingerprint(definition),
        on=(form.on,) if isinstance(form.on, str) else form.on,
        entries=form.entries,
        nodes=MappingProxyType(nodes),
        definition=definition,
        source=form.source,
        condition=form.condition,
        timeout=form.timeout,
        on_failure=form.on_failure,
        finally_=form.finally_,
    )


def _fingerprint(definition: str) -> PipelineHash:
    return PipelineHash(f"blake3:{blake3(definition.encode()).hexdigest()}")


def _said(form: Mapping[str, Json]) -> JsonObject:
    """The form without what is not said."""
    return {key: value for key, value in form.items() if value is not None and value != ()}


def _form(pipeline: Pipeline) -> JsonObject:
    kinds: dict[type[Node], dict[str, JsonObject]] = {Step: {}, Gate: {}, Join: {}}
    for node in pipeline.nodes.values():
        kinds[type(node)][node.id] = _node_form(node)
    steps = kinds[Step]
    form = _said(
        {
            "name": pipeline.name,
            "on": pipeline.on[0] if len(pipeline.on) == 1 else pipeline.on,
            "entries": pipeline.entries,
            "steps": steps,
            "gates": kinds[Gate] or None,
            "joins": kinds[Join] or None,
            "from": pipeline.source,
            "if": pipeline.condition and pipeline.condition.canonical(),
            "timeout": pipeline.timeout and format_duration(pipeline.timeout),
            "on_failure": pipeline.on_failure,
            "finally": pipeline.finally_,
        }
    )
    first = (
        len(pipeline.on) == 1
        and form.keys() <= _FIRST_KEYS
        and all(step.keys() <= _FIRST_STEP_KEYS for step in steps.values())
    )
    return {**form, "format": 1 if first else 2}


def _node_form(node: Node) -> JsonObject:
    match node:
        case Gate():
            gate = {"if": node.condition.canonical(), "otherwise": node.otherwise}
            return {**_said(gate), "next": node.next}
        case Join():
            return {"next": node.next, "sources": node.sources}
        case Step():
            return _step_form(node)


def _step_form(step: Step) -> JsonObject:
    form = {
        "plugin": step.plugin,
        "command": step.command,
        "next": step.next,
        "workspace": None if step.workspace is WorkspaceMode.CLONE else step.workspace,
        "timeout": step.timeout and format_duration(step.timeout),
        "max_attempts": step.max_attempts,
        "backoff_base": step.backoff_base and format_duration(step.backoff_base),
        "backoff_cap": step.backoff_cap and format_duration(step.backoff_cap),
        "if": step.condition and step.condition.canonical(),
        "with": step.inputs and step.inputs.canonical(),
        "on_events": step.on_events,
    }
    if step.baggage is not None:
        form["baggage"] = {key: str(path) for key, path in step.baggage}
    return _said(form)


def _nodes(form: _Form) -> dict[str, Node]:
    nodes: dict[str, Node] = {key: _step(key, step) for key, step in form.steps.items()}
    for key, gate in form.gates.items():
        nodes[key] = Gate(key, gate.condition, gate.next, gate.otherwise)
    for key, join in form.joins.items():
        nodes[key] = Join(key, join.next, join.sources)
    return nodes


def _step(step_id: str, form: _StepForm) -> Step:
    return Step(
        id=step_id,
        plugin=form.plugin,
        command=form.command,
        next=form.next,
        workspace=form.workspace,
        timeout=form.timeout,
        max_attempts=form.max_attempts,
        backoff_base=form.backoff_base,
        backoff_cap=form.backoff_cap,
        condition=form.condition,
        inputs=form.inputs,
        baggage=None if form.baggage is None else tuple(sorted(form.baggage.items())),
        on_events=form.on_events,
    )


def _in_order(starts: Sequence[str], nodes: Mapping[str, Node]) -> dict[str, Node] | None:
    """The nodes in the order of the file, each behind all that lead to it; None for no graph.

    They must all be there, be reached from `starts`, and not go in circles; and a join's sources
    must be the nodes that lead to it.
    """
    before = predecessors(nodes)
    missing = {key: len(before.get(key, ())) for key in nodes}
    if not nodes.keys() >= {*starts, *before} or any(missing[key] for key in starts):
        return None
    ordered: dict[str, Node] = {}
    pending = list(reversed(starts))
    while pending:
        node = nodes[pending.pop()]
        if node.id in ordered:
            return None
        if isinstance(node, Join) and set(node.sources) != set(before.get(node.id, ())):
            return None
        ordered[node.id] = node
        for each in reversed(successors(node)):
            missing[each] -= 1
            if not missing[each]:
                pending.append(each)
    return ordered if len(ordered) == len(nodes) else None
