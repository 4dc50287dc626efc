"""The JSON shapes of pipelines and of what is told about them."""

from __future__ import annotations

from datetime import timedelta

from ductile.documents.scalars import format_duration
from ductile.dsl.graph import Gate, Join, Node, Pipeline, Step
from ductile.expressions.conditions import Condition
from ductile.insights.explain import Explanation
from ductile.insights.graph_view import phases
from ductile.insights.pipeline_diff import Difference
from ductile.model.json import Json


def pipeline_json(pipeline: Pipeline) -> dict[str, Json]:
    """One version of a pipeline, calls inlined.

    `{name, hash, description, on: […], from, if, timeout, entries: […], on_failure: […],
    finally: […], nodes: […]}`. `entries`, `on_failure` and `finally` are the ids of the nodes
    that each part begins with; null stands for what the file does not say. Each node is `{id,
    kind, phase, next: […]}` with more, by its kind:

    * `step`: `plugin, command, if, with, baggage, on_events, workspace, timeout, max_attempts,
      backoff_base, backoff_cap`; null stands for the plugin's own setting.
    * `gate`: `if` and `otherwise`, the nodes past what it guards.
    * `join`: `sources`, the nodes that lead to it.
    """
    of = phases(pipeline)
    return {
        "name": pipeline.name,
        "hash": pipeline.hash,
        "description": pipeline.description,
        "on": list(pipeline.on),
        "from": pipeline.source,
        "if": _condition(pipeline.condition),
        "timeout": _duration(pipeline.timeout),
        "entries": list(pipeline.entries),
        "on_failure": list(pipeline.on_failure),
        "finally": list(pipeline.finally_),
        "nodes": [
            {"id": node.id, "kind": _kind(node), "phase": of[node.id].value, **node_json(node)}
            for node in pipeline.nodes.values()
        ],
    }


def node_json(node: Node) -> dict[str, Json]:
    """What a node says, without its id."""
    match node:
        case Step():
            return _step(node)
        case Gate():
            return {
                "next": list(node.next),
                "otherwise": list(node.otherwise),
                "if": _condition(node.condition),
            }
        case Join():
            return {"next": list(node.next), "sources": list(node.sources)}


def difference_json(difference: Difference) -> dict[str, Json]:
    """`{change, kind, id, key, before, after}`.

    `change` is `added`, `removed` or `changed`; `kind` is `pipeline`, `step`, `gate` or `join`;
    `key`, a dotted path, is null where the whole node came or went.
    """
    return {
        "change": difference.change.value,
        "kind": difference.kind,
        "id": difference.id,
        "key": difference.key,
        "before": difference.before,
        "after": difference.after,
    }


def explanation_json(explanation: Explanation) -> dict[str, Json]:
    """`{pipeline, event_type, starts, reason, also: […], reached: […]}`.

    Each of `reached` is `{node, phase, fate, after, on, runs, reason, sources: […], starts:
    […]}`; `fate` is `runs`, `skipped`, `entered` or `joins`, and `after` is null at the start
    of a phase.
    """
    return {
        "pipeline": explanation.pipeline,
        "event_type": explanation.event_type,
        "starts": explanation.starts,
        "reason": explanation.reason,
        "also": list(explanation.also),
        "reached": [
            {
                "node": each.node,
                "phase": each.phase.value,
                "fate": each.fate.value,
                "after": each.after,
                "on": each.on,
                "runs": each.runs,
                "reason": each.reason,
                "sources": list(each.sources),
                "starts": list(each.starts),
            }
            for each in explanation.reached
        ],
    }


def _step(step: Step) -> dict[str, Json]:
    on_events, baggage = step.on_events, step.baggage
    return {
        "plugin": step.plugin,
        "command": step.command,
        "next": list(step.next),
        "if": _condition(step.condition),
        "with": None if step.inputs is None else step.inputs.canonical(),
        "baggage": None if baggage is None else {key: str(path) for key, path in baggage},
        "on_events": on_events and {each: list(targets) for each, targets in on_events.items()},
        "workspace": step.workspace.value,
        "timeout": _duration(step.timeout),
        "max_attempts": step.max_attempts,
        "backoff_base": _duration(step.backoff_base),
        "backoff_cap": _duration(step.backoff_cap),
    }


def _kind(node: Node) -> str:
    return type(node).__name__.lower()


def _condition(condition: Condition | None) -> Json:
    return None if condition is None else condition.canonical()


def _duration(length: timedelta | None) -> str | None:
    return None if length is None else format_duration(length)
