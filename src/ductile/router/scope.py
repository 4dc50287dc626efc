"""The scope: what the expressions of a pipeline see."""

from __future__ import annotations

from ductile.dsl.graph import Pipeline
from ductile.ledger.baggage import view
from ductile.model.context import Context
from ductile.model.event import Event
from ductile.model.json import Json, JsonObject


def scope(
    event: Event, context: Context, pipeline: Pipeline, step: str, config: JsonObject
) -> dict[str, Json]:
    """What the expressions of a step see, by root; `failure` only where something failed."""
    payload = view(event.payload, context.baggage)
    failed = {"failure": payload["failure"]} if "failure" in payload else {}
    return {
        "payload": payload,
        "context": context.baggage,
        "config": config,
        "run": {"pipeline": pipeline.name, "step": step},
        **failed,
    }
