"""Compiled pipelines, built node by node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ductile.dsl.definition import pipeline_of
from ductile.dsl.graph import Gate, Join, Node, Pipeline, Step
from tests.unit.expressions.builders import LONG, a_condition


def a_step(step_id: str, *following: str, **fields: Any) -> Step:
    return Step(step_id, fields.pop("plugin", "echo"), "handle", following, **fields)


def a_graph(name: str, *nodes: Node, entries: Iterable[str] = (), **fields: Any) -> Pipeline:
    """A pipeline of these nodes; the first is its entry unless told otherwise."""
    return pipeline_of(
        name=name,
        on=fields.pop("on", ("video.posted",)),
        entries=tuple(entries) or (nodes[0].id,),
        nodes={node.id: node for node in nodes},
        **fields,
    )


def a_pipeline(name: str, *on: str, **edges: tuple[str, ...]) -> Pipeline:
    """A pipeline with these steps; the first is its entry."""
    steps = [a_step(step_id, *following) for step_id, following in edges.items()]
    return a_graph(name, *steps, on=on or ("video.posted",))


WISDOM = a_pipeline(
    "wisdom", fetch=("summary", "archive"), summary=("notify",), archive=(), notify=()
)
OTHER = a_pipeline("another", "summary.written", echo=())
IF_LONG = a_condition(LONG)
GUARDED = a_graph(
    "guarded", a_step("fetch", "cut"), a_step("cut", "send", condition=IF_LONG), a_step("send")
)
GATED = a_graph(
    "gated",
    a_step("fetch", "edit:if"),
    Gate("edit:if", IF_LONG, ("edit/cut", "edit/mix"), ("send",)),
    a_step("edit/cut", "send:join"),
    a_step("edit/mix", "send:join"),
    Join("send:join", ("send",), ("edit/cut", "edit/mix")),
    a_step("send"),
)
FORKED = a_graph(
    "forked",
    a_step("left", "end:join"),
    a_step("right", "end:join", condition=IF_LONG),
    Join("end:join", ("end", "log"), ("left", "right")),
    a_step("end"),
    a_step("log", condition=IF_LONG),
    entries=("left", "right"),
)
PHASES = a_graph(
    "phases",
    a_step("work"),
    a_step("alarm", condition=a_condition({"path": "failure.step", "op": "eq", "value": "work"})),
    a_step("clean"),
    a_step("report"),
    on_failure=("alarm",),
    finally_=("clean", "report"),
)
CHAINED = a_graph(
    "chained",
    *(a_step(each, "near:join") for each in ("a", "b")),
    Join("near:join", ("near",), ("a", "b")),
    a_step("near", "far:join"),
    a_step("c", "far:join"),
    Join("far:join", ("far",), ("near", "c")),
    a_step("far"),
    *(a_step(each, "own:join") for each in ("d", "e")),
    Join("own:join", ("own",), ("d", "e")),
    a_step("own"),
    entries=("a", "b", "c", "d", "e"),
)
