"""`ductile pipeline explain`: what an event would lead to, without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import click

from ductile.cli.commands import Asked, Command, json_option
from ductile.cli.output import paint, say, say_json, width
from ductile.cli.pipeline_version import find_pipeline
from ductile.cli.render.explanation import explanation_text
from ductile.cli.session import usable_configuration
from ductile.cli.trigger import read_wish
from ductile.documents.suggest import hint
from ductile.dsl.graph import Pipeline
from ductile.errors import UsageError
from ductile.insights.explain import explain as explain_event
from ductile.insights.pipeline_shapes import explanation_json
from ductile.model.clock import SystemClock
from ductile.model.json import Json
from ductile.router.graph_router import GraphRouter

_KEYS: Final = ("type", "payload", "source")
_EXAMPLE: Final = '{"type": "order.placed", "payload": {"id": 1}, "source": "shop"}'


@click.command("explain", cls=Command)
@click.argument("name")
@click.option(
    "--event",
    "file",
    metavar="FILE",
    help='The event as JSON: {"type", "payload", "source"}; "-" for stdin.',
)
@click.option(
    "--payload",
    metavar="JSON",
    help='The payload instead of that of the event: JSON, "@FILE", or "-" for stdin.',
)
@json_option
@click.pass_obj
def explain(
    asked: Asked, name: str, *, file: str | None, payload: str | None, as_json: bool
) -> None:
    """Show which steps an event would lead to, and what each condition says; runs nothing.

    What the event leaves out is as the pipeline wants it: its first "on", its "from". Steps at
    the start follow from the event alone; beyond them, each step is taken to succeed and to
    hand on the payload that it got. The steps of on_failure are told as if the first step had
    failed. With --json: {"pipeline", "event_type", "starts", "reason", "also": […], "reached":
    [{"node", "phase", "fate", "after", "on", "runs", "reason", "sources": […], "starts": […]}]}.
    """
    if file is None and payload is None:
        raise UsageError("there is no event to explain; give --event FILE or --payload JSON")
    found = usable_configuration(asked)
    settings, _, catalogue = found.parts()
    pipeline = find_pipeline(found, name)
    event = _read(file, payload, pipeline)
    explanation = explain_event(
        GraphRouter(catalogue, lambda plugin: settings.plugin(plugin).config),
        pipeline,
        event.type,
        event.payload,
        event.source,
        now=SystemClock().now(),
    )
    if as_json:
        say_json(explanation_json(explanation))
    else:
        say(explanation_text(explanation, paint(), width=width()))


@dataclass(frozen=True, slots=True)
class _Event:
    """What is to be explained."""

    type: str
    payload: Json
    source: str


def _read(file: str | None, payload: str | None, pipeline: Pipeline) -> _Event:
    written = {} if file is None else _event_object(file)
    event_type = written.get("type", pipeline.on[0])
    source = written.get("source", pipeline.source or "cli")
    for key, content in (("type", event_type), ("source", source)):
        if not isinstance(content, str) or not content:
            raise UsageError(f'expected "{key}" of the event to be text; write {_EXAMPLE}')
    content = written.get("payload", {}) if payload is None else _json(payload)
    return _Event(event_type, content, source)


def _event_object(file: str) -> Mapping[str, Json]:
    written = _json("-" if file == "-" else f"@{file}")
    if not isinstance(written, Mapping):
        raise UsageError(f"expected the event to be a JSON object; write {_EXAMPLE}")
    for key in written:
        if key not in _KEYS:
            remedy = hint(key, _KEYS) or f"write {_EXAMPLE}, or give the payload with --payload"
            raise UsageError(f'an event has no "{key}"; {remedy}')
    return written


def _json(text: str) -> Json:
    return read_wish(payload=text, wait=None, no_wait=False, as_json=False).payload
