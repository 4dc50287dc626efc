"""What an event would lead to in a pipeline, found by the router itself; nothing is run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from ductile.dsl.graph import ANY_EVENT, Pipeline, Step
from ductile.expressions.conditions import Condition, Decision
from ductile.model.context import Context
from ductile.model.event import JOINED, RUN_ENDING, STEP_SUCCEEDED, Event
from ductile.model.ids import ChainId, ContextId, EventId, JobId
from ductile.model.json import Json, JsonObject
from ductile.model.run import Failure, Phase, Progress, RunStatus
from ductile.router.graph_router import GraphRouter
from ductile.router.interfaces import Entered, Position, Routing, Skip
from ductile.router.scope import scope

_NOBODY: Final = "explained"
#: The source of the events that the core itself makes.
_CORE: Final = "ductile"


class Fate(StrEnum):
    """What would become of a node."""

    RUNS = "runs"
    SKIPPED = "skipped"
    ENTERED = "entered"
    JOINS = "joins"


@dataclass(frozen=True, slots=True)
class Reached:
    """A node that the event would come to."""

    node: str
    fate: Fate
    after: str | None
    """The node that leads to it; None at the start of the run."""
    on: str
    """The type of the event with which it is reached."""
    runs: str = ""
    """`plugin.command` of a step."""
    reason: str = ""
    """What its condition says; empty without one."""
    sources: tuple[str, ...] = ()
    """What a join would gather, in the order in which it merges."""
    starts: tuple[str, ...] = ()
    """Other pipelines that the events listed in its `on_events` would start."""
    phase: Phase = Phase.MAIN


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an event would do."""

    pipeline: str
    event_type: str
    starts: bool
    """Whether the event starts a run of the pipeline by itself."""
    reason: str
    """Why, or why not."""
    also: tuple[str, ...]
    """Other pipelines that it starts."""
    reached: tuple[Reached, ...]
    """What a run would come to. Beyond the steps at its start, which follow from the event
    alone, each step is taken to succeed, to hand on the payload that it got, and to emit each
    of the events that its `on_events` names. What `on_failure` leads to is told as if the first
    step had failed, and what `finally` leads to as if none had."""


def explain(
    router: GraphRouter,
    pipeline: Pipeline,
    event_type: str,
    payload: Json,
    source: str,
    *,
    now: datetime,
) -> Explanation:
    """What an event from outside would lead to in this pipeline.

    A run is followed even where the event would not start it, as "pipeline run" would.
    """
    event = _event(event_type, payload, source, now)
    baggage = {
        **event.payload,
        "origin_event_id": event.id,
        "origin_event_type": event.type,
        "origin_source": event.source,
    }
    context = Context(ContextId(_NOBODY), None, 0, baggage, now)
    starts, reason = _start(router, pipeline, event, context)
    also = [each.name for each in router.next(event, context).starts if each.name != pipeline.name]
    reached = tuple(_phases(router, pipeline, event, context))
    return Explanation(pipeline.name, event.type, starts, reason, tuple(also), reached)


def _phases(
    router: GraphRouter, pipeline: Pipeline, event: Event, context: Context
) -> Iterator[Reached]:
    """What each phase would come to, begun as the conductor begins it."""
    main = list(_Walk(router, pipeline, context).follow(event))
    yield from main
    first = next((each for each in main if each.fate is Fate.RUNS), None)
    # Without a step that runs, the event is still that of the start, and nothing can fail.
    if first is not None:
        # So it is where the first one fails.
        failed = _with_failure(context, pipeline, pipeline.steps[first.node])
        yield from _Walk(router, pipeline, failed, Phase.ON_FAILURE).follow(event)
        content: JsonObject = {"status": RunStatus.SUCCEEDED.value}
        event = replace(event, type=RUN_ENDING, payload=content, source=_CORE)
    yield from _Walk(router, pipeline, context, Phase.FINALLY).follow(event)


def _with_failure(context: Context, pipeline: Pipeline, step: Step) -> Context:
    failure = Failure(pipeline.name, step.id, JobId(_NOBODY), step.plugin, _NOBODY, 1)
    return replace(context, baggage={**context.baggage, "failure": failure.as_json()})


def _event(event_type: str, payload: Json, source: str, now: datetime) -> Event:
    content = payload if isinstance(payload, Mapping) else {"value": payload}
    return Event(EventId(_NOBODY), event_type, content, source, now, ChainId(_NOBODY))


def _start(
    router: GraphRouter, pipeline: Pipeline, event: Event, context: Context
) -> tuple[bool, str]:
    starts = any(each.name == pipeline.name for each in router.next(event, context).starts)
    if event.type not in pipeline.on:
        return starts, f'it starts on {_listed(pipeline.on)}, not on "{event.type}"'
    if pipeline.source not in (None, event.source):
        return starts, f'it starts for events from "{pipeline.source}", not "{event.source}"'
    if pipeline.condition is None:
        return starts, f'it starts on "{event.type}"'
    return starts, pipeline.condition.decide(scope(event, context, pipeline, "", {})).reason


class _Walk:
    """Follows one phase of a run through its graph, each node once."""

    def __init__(
        self,
        router: GraphRouter,
        pipeline: Pipeline,
        context: Context,
        phase: Phase = Phase.MAIN,
    ) -> None:
        self._router = router
        self._pipeline = pipeline
        self._context = context
        self._phase = phase
        self._seen: set[str] = set()
        self._arrived: dict[str, list[str]] = {}
        self._joined: set[str] = set()
        self._waiting: deque[tuple[Step, JsonObject]] = deque()

    def follow(self, event: Event) -> Iterator[Reached]:
        """Everything that the phase, begun with the event, would come to."""
        return (replace(each, phase=self._phase) for each in self._follow(event))

    def _follow(self, event: Event) -> Iterator[Reached]:
        start = self._router.enter(self._pipeline, event, self._context, self._phase)
        yield from self._take(start, event, None)
        while True:
            while self._waiting:
                step, payload = self._waiting.popleft()
                for each in self._events(step, payload, event):
                    at = Position(self._pipeline, step.id)
                    here = self._router.next(each, self._context, at).here
                    yield from self._take(here, each, step.id)
            progress = Progress(arrived=frozenset(self._arrived), passed=frozenset(self._joined))
            ready = self._router.ready(self._pipeline, progress)
            if not ready:
                return
            for join_id in ready:
                yield from self._join(join_id, event)

    def _take(self, routing: Routing, event: Event, after: str | None) -> Iterator[Reached]:
        decisions: list[tuple[Fate, Skip | Entered]] = [
            *((Fate.SKIPPED, each) for each in routing.skips),
            *((Fate.ENTERED, each) for each in routing.entered),
        ]
        for fate, decided in decisions:
            if decided.step not in self._seen:
                self._seen.add(decided.step)
                yield Reached(decided.step, fate, after, event.type, reason=decided.reason)
        for arrival in routing.arrivals:
            sources = self._arrived.setdefault(arrival.join, [])
            if arrival.source not in sources:
                sources.append(arrival.source)
        for step in routing.steps:
            if step.id in self._seen:
                continue
            self._seen.add(step.id)
            self._waiting.append((step, event.payload))
            yield Reached(
                step.id,
                Fate.RUNS,
                after,
                event.type,
                runs=f"{step.plugin}.{step.command}",
                reason=self._why(step, event),
                starts=self._started(step, event),
            )

    def _why(self, step: Step, event: Event) -> str:
        condition: Condition | None = step.condition
        if condition is None:
            return ""
        decision: Decision = self._router.decide(
            condition, self._pipeline, step, event, self._context
        )
        return decision.reason

    def _started(self, step: Step, event: Event) -> tuple[str, ...]:
        found = [
            pipeline.name
            for each in self._events(step, event.payload, event)
            for pipeline in self._router.next(each, self._context).starts
        ]
        return tuple(dict.fromkeys(found))

    def _events(self, step: Step, payload: JsonObject, first: Event) -> Iterator[Event]:
        """What the step is taken to emit: success, or one event of each type that it routes."""
        for event_type in step.on_events or (ANY_EVENT,):
            kind = STEP_SUCCEEDED if event_type == ANY_EVENT else event_type
            yield replace(first, type=kind, payload=payload, source=step.plugin)

    def _join(self, join_id: str, first: Event) -> Iterator[Reached]:
        self._joined.add(join_id)
        declared = self._pipeline.joins[join_id].sources
        sources = sorted(self._arrived[join_id], key=lambda each: _place(each, declared))
        results: list[Json] = [
            {"step": each, "job_id": None, "event": {"type": STEP_SUCCEEDED}} for each in sources
        ]
        event = replace(first, type=JOINED, payload={"results": results}, source=_CORE)
        yield Reached(join_id, Fate.JOINS, None, JOINED, sources=tuple(sources))
        routing = self._router.beyond(join_id, self._pipeline, event, self._context)
        yield from self._take(routing, event, join_id)


def _place(source: str, declared: tuple[str, ...]) -> int:
    return declared.index(source) if source in declared else len(declared)


def _listed(types: tuple[str, ...]) -> str:
    return " or ".join(f'"{each}"' for each in types)
