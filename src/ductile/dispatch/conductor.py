"""The conductor: moves runs on, past joins that have gathered all and from phase to phase."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from ductile.dispatch.interfaces import Trigger
from ductile.dispatch.plan import Origin, Plan
from ductile.dispatch.planner import Planner
from ductile.dsl.graph import Pipeline
from ductile.errors import StorageError
from ductile.ledger import joining
from ductile.model.context import Context
from ductile.model.event import JOINED, RUN_ENDING, RUN_FAILED, Event
from ductile.model.ids import EventId, JobId, new_id
from ductile.model.job import Job
from ductile.model.json import Json, JsonObject
from ductile.model.run import Phase, Run, RunStatus
from ductile.router.interfaces import Router
from ductile.storage.interfaces import ArrivalRecord, Transaction
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import BranchesDisagree, RunSettled

#: Who says what the core itself says.
CORE: Final = "ductile"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two branches gave one key different values; the later one's counts."""

    join: str
    key: str
    earlier: JobId | None
    later: JobId | None


@dataclass(slots=True)
class Moved:
    """What became of a run."""

    run: Run
    conflicts: list[Conflict] = field(default_factory=list)
    queued: int = 0
    """Jobs that were put on the list to move it."""


class Conductor:
    """Works inside the transaction that changed a run, so that each join goes on exactly once."""

    def __init__(self, planner: Planner, router: Callable[[], Router]) -> None:
        self._planner = planner
        self._router = router

    def entrance(self, trigger: Trigger, pipeline: Pipeline | None, now: datetime) -> Plan:
        """What follows from a trigger. Raises Refused if its baggage would be too large."""
        return self._planner.entrance(trigger, pipeline, now)

    def write(self, tx: Transaction, plan: Plan, now: datetime) -> list[Moved]:
        """Write a plan, and move on the runs that it starts; one may be over at once."""
        plan.write(tx, now)
        return [self.conduct(tx, each.run, each.pipeline, each.origin, now) for each in plan.starts]

    def conduct(
        self, tx: Transaction, run: Run, pipeline: Pipeline, last: Origin, now: datetime
    ) -> Moved:
        """Move a run on as far as it goes: past joins, into the next phase, to its end.

        `last` is what came last in it, and what a phase begins from. Raises Refused where a
        rule forbids what follows.
        """
        moved = Moved(run)
        while not moved.run.status.terminal:
            ready: tuple[str, ...] = ()
            if pipeline.joins:
                ready = self._router().ready(pipeline, tx.joins.progress(run.id))
            if ready:
                self._pass(tx, moved, pipeline, ready[0], now)
            elif moved.run.open_jobs:
                break
            else:
                last = self._end_phase(tx, moved, pipeline, last, now)
        return moved

    def _pass(
        self, tx: Transaction, moved: Moved, pipeline: Pipeline, join_id: str, now: datetime
    ) -> None:
        run = moved.run
        tx.joins.leave(run.id, join_id, now)
        arrivals = tx.joins.arrivals(run.id, join_id)
        contexts = [_context(tx, arrival) for arrival in arrivals]
        base = joining.common_baggage(contexts, tx.contexts.get)
        joined = joining.join(base, [context.baggage for context in contexts])
        moved.conflicts += [
            Conflict(join_id, each.key, arrivals[each.earlier].job_id, arrivals[each.later].job_id)
            for each in joined.disagreements
        ]
        deepest = max(contexts, key=lambda each: each.hop)
        context = replace(
            self._planner.grown(contexts[-1], joined.baggage, now, run, join_id),
            hop=deepest.hop + 1,
        )
        parents = _parents(arrivals)
        plan = Plan(contexts=[context])
        event = _event(tx, arrivals[-1].event_id)
        if parents:
            payload = {"results": _results(tx, arrivals)}
            event = _own(event, JOINED, payload, parents[-1], now)
            plan.events.append(event)
        origin = Origin(event, context, run, parents, join_id if len(parents) > 1 else None)
        routing = self._router().beyond(join_id, pipeline, event, context)
        self._planner.lead(plan, origin, pipeline, routing, now)
        moved.queued += len(plan.jobs)
        moved.run = _written(tx, plan, run, now)

    def _end_phase(
        self, tx: Transaction, moved: Moved, pipeline: Pipeline, last: Origin, now: datetime
    ) -> Origin:
        """Begin the next phase, or end the run; returns what came last by then."""
        run = moved.run
        phase = _following(run, pipeline)
        status = run.ending or (RunStatus.FAILED if run.failure else RunStatus.SUCCEEDED)
        if phase is None:
            moved.run = tx.runs.finish(run.id, status, now=now, reason=_reason(run))
            return last
        if phase is Phase.ON_FAILURE and run.failure is not None:
            last = before(tx, _job(tx, run.failure.job_id), run)
        payload: dict[str, Json] = {} if phase is Phase.ON_FAILURE else {"status": status.value}
        content = dict(last.context.baggage)
        if run.failure is not None:
            payload["failure"] = content["failure"] = run.failure.as_json()
        plan = Plan()
        event = last.event
        if last.parents:
            kind = RUN_FAILED if phase is Phase.ON_FAILURE else RUN_ENDING
            event = _own(event, kind, payload, last.parents[-1], now)
            plan.events.append(event)
        context = self._planner.grown(last.context, content, now, run, phase.value)
        plan.contexts.append(context)
        origin = replace(last, event=event, context=context, run=run)
        routing = self._router().enter(pipeline, event, context, phase)
        self._planner.lead(plan, origin, pipeline, routing, now)
        tx.runs.move(run.id, phase)
        moved.queued += len(plan.jobs)
        moved.run = _written(tx, plan, run, now)
        return origin


def tell(telemetry: Telemetry, moved: Sequence[Moved]) -> None:
    """Say what became of runs, after the commit."""
    for each in moved:
        run = each.run
        for conflict in each.conflicts:
            telemetry.emit(
                BranchesDisagree(
                    run.id, conflict.join, conflict.key, conflict.earlier, conflict.later
                )
            )
        if run.status.terminal:
            telemetry.emit(
                RunSettled(run.id, run.pipeline_name, run.status, run.chain_id, run.reason)
            )


def before(tx: Transaction, job: Job, run: Run) -> Origin:
    """What a job started from: where those go on who come after a failure of it."""
    event, context = tx.events.get(job.source_event_id), tx.contexts.get(job.event_context_id)
    if event is None or context is None:
        raise StorageError(f"job {job.id} refers to an event or a context that does not exist")
    parents: tuple[JobId, ...] = () if job.parent_job_id is None else (job.parent_job_id,)
    if job.join_id is not None:
        parents = _parents(tx.joins.arrivals(run.id, job.join_id))
    return Origin(event, context, run, parents, job.join_id)


def _written(tx: Transaction, plan: Plan, run: Run, now: datetime) -> Run:
    plan.write(tx, now)
    return tx.runs.advance(run.id, by=plan.children_in(run.id))


def _reason(run: Run) -> str | None:
    failure = run.failure
    if run.ending is not None or failure is None:
        return run.reason
    return f'step "{failure.step}" failed: {failure.error}'


def _following(run: Run, pipeline: Pipeline) -> Phase | None:
    """The phase after the one that the run is in; None at its end."""
    failed = run.failure is not None and run.ending is None
    if run.phase is Phase.MAIN and failed and pipeline.on_failure:
        return Phase.ON_FAILURE
    if run.phase is not Phase.FINALLY and pipeline.finally_:
        return Phase.FINALLY
    return None


def _own(like: Event, kind: str, payload: JsonObject, job_id: JobId, now: datetime) -> Event:
    """An event of the core's own in the chain of another one."""
    return Event(EventId(new_id()), kind, payload, CORE, now, like.chain_id, job_id)


def _parents(arrivals: Sequence[ArrivalRecord]) -> tuple[JobId, ...]:
    """The jobs that arrived, each once and as late as it comes: the later one's files win."""
    jobs = [arrival.job_id for arrival in reversed(arrivals) if arrival.job_id is not None]
    return tuple(reversed(dict.fromkeys(jobs)))


def _results(tx: Transaction, arrivals: Sequence[ArrivalRecord]) -> list[Json]:
    results: dict[tuple[JobId, EventId], Json] = {}
    for arrival in arrivals:
        if arrival.job_id is None:
            continue
        event = _event(tx, arrival.event_id)
        results[arrival.job_id, event.id] = {
            "step": _job(tx, arrival.job_id).step_id,
            "job_id": arrival.job_id,
            "event": {"id": event.id, "type": event.type, "payload": event.payload},
        }
    return list(results.values())


def _context(tx: Transaction, arrival: ArrivalRecord) -> Context:
    found = tx.contexts.get(arrival.context_id)
    if found is None:
        raise StorageError(f"context {arrival.context_id} does not exist")
    return found


def _event(tx: Transaction, event_id: EventId) -> Event:
    found = tx.events.get(event_id)
    if found is None:
        raise StorageError(f"event {event_id} does not exist")
    return found


def _job(tx: Transaction, job_id: JobId) -> Job:
    found = tx.jobs.get(job_id)
    if found is None:
        raise StorageError(f"job {job_id} does not exist")
    return found
