"""One pipeline that has everything."""

from __future__ import annotations

from typing import Final

from ductile.dsl.definition import pipeline_of
from ductile.dsl.graph import Gate, Join, Node, Pipeline, Step
from ductile.expressions.conditions import Condition
from ductile.model.json import Json

LONG: Final = {"path": "payload.length", "op": "gt", "value": 30}
CHANNEL: Final = {"path": "payload.channel", "op": "exists"}


def a_condition(raw: Json) -> Condition:
    condition, errors = Condition.parse(raw)
    assert condition is not None, errors
    return condition


def nodes() -> list[Node]:
    routes = {"quality.high": ("publish:if",), "quality.low": ("review",), "quality.none": ()}
    return [
        Step("check", "gate", "handle", on_events=routes),
        Gate("publish:if", a_condition(LONG), ("publish/post",), ("notify", "archive")),
        Step("publish/post", "poster", "handle", next=("notify", "archive")),
        Step("review", "review", "handle", next=("notify", "archive")),
        Step(
            "notify",
            "notifier",
            "handle",
            next=("report:join",),
            condition=a_condition(CHANNEL),
        ),
        Step("archive", "archive", "handle", next=("index",)),
        Step("index", "index", "handle", next=("report:join",)),
        Join("report:join", ("report",), ("notify", "index")),
        Step("report", "report", "handle"),
        Step("alert", "notifier", "handle"),
        Step("cleanup", "cleanup", "handle"),
    ]


def a_pipeline(name: str = "wisdom", *changed: Node) -> Pipeline:
    """The pipeline, with some of its nodes replaced."""
    found = {node.id: node for node in (*nodes(), *changed)}
    return pipeline_of(
        name=name,
        on=("video.shared",),
        entries=("check",),
        nodes=found,
        source="receiver",
        condition=a_condition({"path": "payload.url", "op": "exists"}),
        on_failure=("alert",),
        finally_=("cleanup",),
    )
