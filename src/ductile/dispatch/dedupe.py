"""Dedupe: an event whose key still counts starts nothing, and the first one is named instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ductile.dispatch.interfaces import Trigger
from ductile.dispatch.plan import Plan
from ductile.model.event import Event
from ductile.model.ids import EventId, RunId
from ductile.model.outcome import NOTICE, LogLine
from ductile.storage.interfaces import First, SkipRecord, Transaction

#: The event that repeats, and the first with its key. It is asked for in the transaction that
#: would start something, so of two events at once one is the first and the other hears of it.
Repeats = Mapping[EventId, EventId]

_NONE: Final[Repeats] = {}


@dataclass(frozen=True, slots=True)
class Key:
    """By which a repeat is known, for some time."""

    scope: str
    text: str
    ttl: timedelta


def keys_of_trigger(trigger: Trigger, *, ttl: timedelta, window: timedelta) -> Sequence[Key]:
    """By what a trigger is known: its dedupe key, and what its sender calls the delivery."""
    keys = []
    if trigger.dedupe_key:
        keys.append(Key(_scope_of_trigger(trigger), trigger.dedupe_key, ttl))
    delivery = trigger.delivery
    if delivery is not None and delivery.delivery_id:
        keys.append(Key(f"delivery {delivery.endpoint}", delivery.delivery_id, window))
    return keys


def _scope_of_trigger(trigger: Trigger) -> str:
    """What the key of a trigger is a key of: what the trigger is to start."""
    if trigger.plugin is not None:
        return f"plugin {trigger.plugin} {trigger.command}"
    if trigger.pipeline is not None:
        return f"pipeline {trigger.pipeline}"
    return _scope(trigger.type)


def repeats(tx: Transaction, plan: Plan, now: datetime) -> Repeats:
    """Which of the emitted events in a plan repeat an earlier one, one of the plan included."""
    found: dict[EventId, EventId] = {}
    firsts: dict[tuple[str, str], EventId] = {}
    for event in plan.events:
        if not event.dedupe_key:
            continue
        key = (_scope(event.type), event.dedupe_key)
        if key not in firsts:
            known = tx.dedupe.first(*key, now=now)
            if known is None:
                firsts[key] = event.id
                continue
            firsts[key] = known.event_id
        found[event.id] = firsts[key]
    return found or _NONE


def keep(tx: Transaction, plan: Plan, repeated: Repeats, now: datetime, ttl: timedelta) -> None:
    """Let the keys of those events count that a plan brought as the first; it is written by now."""
    for event in plan.events:
        if event.dedupe_key and event.id not in repeated:
            tx.dedupe.keep(
                _scope(event.type),
                event.dedupe_key,
                _started(plan, event.id),
                now=now,
                expires_at=now + ttl,
            )


def without(plan: Plan, repeated: Repeats, run_id: RunId | None) -> Plan:
    """A plan without what would follow from events that repeat others.

    The events stay. Of the run `run_id`, in which they were emitted, each step that one of them
    would have led to is passed by; a join is not reached by it.
    """
    unwanted = {start.run.id for start in plan.starts if start.run.event_id in repeated}
    passed = {
        (event_id, step_id): parent
        for event_id, step_id, parent, of_run in (
            *((j.source_event_id, j.step_id or "", j.parent_job_id, j.run_id) for j in plan.jobs),
            *((s.event_id, s.step_id, s.parent_job_id, s.run_id) for s in plan.skips),
        )
        if event_id in repeated and of_run == run_id
    }
    skips = [each for each in plan.skips if each.event_id not in repeated]
    if run_id is not None:
        now = plan.contexts[0].created_at
        skips += [
            SkipRecord(run_id, step_id, parent, event_id, _reason(repeated[event_id]), now)
            for (event_id, step_id), parent in passed.items()
        ]
    return replace(
        plan,
        starts=[each for each in plan.starts if each.run.id not in unwanted],
        contexts=[each for each in plan.contexts if each.run_id not in unwanted],
        jobs=[each for each in plan.jobs if each.source_event_id not in repeated],
        skips=skips,
        arrivals=[each for each in plan.arrivals if each.event_id not in repeated],
    )


def log_lines(plan: Plan, repeated: Repeats) -> tuple[LogLine, ...]:
    """The lines of the job's log that tell of its events that started nothing."""
    return tuple(
        LogLine(NOTICE, f'event "{each.type}" started nothing: {_reason(repeated[each.id])}')
        for each in _among(plan, repeated)
    )


def _among(plan: Plan, repeated: Repeats) -> list[Event]:
    return [event for event in plan.events if event.id in repeated]


def _reason(first: EventId) -> str:
    return f"its dedupe_key repeats that of event {first}"


def _scope(event_type: str) -> str:
    return f"event {event_type}"


def _started(plan: Plan, event_id: EventId) -> First:
    return First(
        event_id,
        tuple(job.id for job in plan.jobs if job.source_event_id == event_id),
        tuple(start.run.id for start in plan.starts if start.run.event_id == event_id),
    )
