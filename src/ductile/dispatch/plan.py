"""The plan: every row that follows, decided before any is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

import ductile.ledger.baggage as baggage
from ductile.dispatch.assignment import Assignment
from ductile.dispatch.interfaces import Trigger
from ductile.dispatch.policies import Policies
from ductile.dispatch.privacy import Privacy
from ductile.dsl.graph import Pipeline, Step
from ductile.errors import Refused
from ductile.model.context import Context
from ductile.model.event import STEP_SUCCEEDED, Event
from ductile.model.ids import ChainId, ContextId, EventId, JobId, RunId, new_id
from ductile.model.job import Job
from ductile.model.json import JsonObject
from ductile.model.outcome import EmittedEvent, LogLine, Response
from ductile.model.run import Run
from ductile.router.interfaces import Router
from ductile.storage.interfaces import Transaction


class TooDeep(Refused):
    """A run would be deeper than `service.depth_limit` allows."""

    def __init__(self, pipeline: str, depth: int) -> None:
        super().__init__(f'pipeline "{pipeline}" would start {depth} runs deep')
        self.pipeline = pipeline


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows to write, all or none."""

    events: list[Event] = field(default_factory=list)
    versions: list[Pipeline] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    contexts: list[Context] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    result_context_id: ContextId | None = None
    """Which of the contexts is the one that a success writes."""
    questioned: list[baggage.Questioned] = field(default_factory=list)
    """Keys of `state_updates` that the core uses too."""

    def write(self, tx: Transaction, now: datetime) -> None:
        """Write the rows, each after those that it refers to."""
        for event in self.events:
            tx.events.add(event)
        for version in self.versions:
            tx.versions.add(version.hash, version.name, version.definition, now)
        for run in self.runs:
            tx.runs.add(run)
        for context in self.contexts:
            tx.contexts.add(context)
        for job in self.jobs:
            tx.jobs.add(job)

    def children_in(self, run_id: RunId) -> int:
        """How many jobs of that run are to be queued."""
        return sum(job.run_id == run_id for job in self.jobs)


@dataclass(frozen=True, slots=True)
class _Origin:
    """What new jobs and runs descend from."""

    event: Event
    context: Context
    parent_job_id: JobId | None = None
    run: Run | None = None


class Planner:
    """Decides what follows; reads nothing but its arguments and the clock handed in."""

    def __init__(
        self,
        router: Router,
        policies: Policies,
        privacy: Privacy,
        *,
        depth_limit: int,
        max_baggage: int,
    ) -> None:
        self._router = router
        self._policies = policies
        self._privacy = privacy
        self._depth_limit = depth_limit
        self._max_baggage = max_baggage

    def entrance(self, trigger: Trigger, pipeline: Pipeline | None, now: datetime) -> Plan:
        """What follows from a trigger. Raises Refused if its baggage would be too large."""
        event_id = EventId(new_id())
        chain_id = ChainId(event_id)
        payload = baggage.as_object(trigger.payload)
        event = Event(
            event_id, trigger.type, payload, trigger.source, now, chain_id, None, trigger.dedupe_key
        )
        root = baggage.root(event)
        baggage.check_size(root, self._max_baggage)
        context = Context(ContextId(new_id()), None, 0, root, now)
        plan = Plan(events=[event], contexts=[context])
        origin = _Origin(event, context)
        if trigger.plugin is not None:
            plan.jobs.append(self._job(origin, trigger.plugin, trigger.command, now))
        elif pipeline is not None:
            self._start(plan, origin, pipeline, now)
        else:
            for each in self._router.next(event, context).starts:
                self._start(plan, origin, each, now)
        return plan

    def successors(self, assignment: Assignment, response: Response, now: datetime) -> Plan:
        """What follows from a success. Raises Refused where the response breaks a rule."""
        job = assignment.job
        self._privacy.check("state_updates", response.state_updates)
        merged = baggage.merge(
            assignment.context.baggage,
            {} if self._policies.keeps_private(job) else response.state_updates,
        )
        context = self._grown(assignment.context, merged.baggage, now, assignment.run, job.step_id)
        plan = Plan(
            contexts=[context],
            result_context_id=context.id,
            questioned=list(merged.questioned),
        )
        for event in self._events(assignment, response, context, now):
            plan.events.append(event)
            self._follow(plan, assignment, _Origin(event, context, job.id, assignment.run), now)
        return plan

    def _events(
        self, assignment: Assignment, response: Response, context: Context, now: datetime
    ) -> Iterable[Event]:
        emitted: tuple[EmittedEvent, ...] = response.events
        if not emitted and assignment.step and assignment.step.next:
            # For plugins that look for a `result`; one in the baggage was put there on purpose.
            known = "result" in context.baggage or response.result is None
            payload = {} if known else {"result": response.result}
            emitted = (EmittedEvent(STEP_SUCCEEDED, payload),)
        job = assignment.job
        for each in emitted:
            self._privacy.check("an event", [each.type, each.dedupe_key])
            self._privacy.check(f'the payload of event "{each.type}"', each.payload)
            yield Event(
                EventId(new_id()),
                each.type,
                each.payload,
                job.plugin,
                now,
                job.chain_id,
                job.id,
                each.dedupe_key,
            )

    def _follow(self, plan: Plan, assignment: Assignment, origin: _Origin, now: datetime) -> None:
        following = self._router.next(origin.event, origin.context, assignment.position)
        for step in following.steps:
            plan.jobs.append(self._step_job(origin, step, now))
        for pipeline in following.starts:
            merged = baggage.merge(origin.context.baggage, origin.event.payload)
            seed = self._grown(origin.context, merged.baggage, now)
            self._start(plan, replace(origin, context=seed), pipeline, now)

    def _start(self, plan: Plan, origin: _Origin, pipeline: Pipeline, now: datetime) -> None:
        depth = 1 + (origin.run.depth if origin.run else 0)
        if depth > self._depth_limit:
            raise TooDeep(pipeline.name, depth)
        run = Run(
            id=RunId(new_id()),
            chain_id=origin.event.chain_id,
            pipeline_name=pipeline.name,
            pipeline_hash=pipeline.hash,
            event_id=origin.event.id,
            depth=depth,
            created_at=now,
            parent_run_id=origin.run.id if origin.run else None,
            parent_job_id=origin.parent_job_id,
            open_jobs=len(pipeline.entries),
        )
        plan.versions.append(pipeline)
        plan.runs.append(run)
        if origin.parent_job_id is not None:
            plan.contexts.append(_of_run(origin.context, run))
        started = replace(origin, run=run)
        for step_id in pipeline.entries:
            plan.jobs.append(self._step_job(started, pipeline.steps[step_id], now))

    def _grown(
        self,
        parent: Context,
        content: JsonObject,
        now: datetime,
        run: Run | None = None,
        step_id: str | None = None,
    ) -> Context:
        baggage.check_size(content, self._max_baggage)
        grown = Context(
            ContextId(new_id()), parent.id, parent.hop + 1, content, now, step_id=step_id
        )
        return _of_run(grown, run) if run else grown

    def _step_job(self, origin: _Origin, step: Step, now: datetime) -> Job:
        job = self._job(origin, step.plugin, step.command, now, step)
        run_id = origin.run.id if origin.run else None
        return replace(job, run_id=run_id, step_id=step.id, workspace=step.workspace)

    def _job(
        self, origin: _Origin, plugin: str, command: str, now: datetime, step: Step | None = None
    ) -> Job:
        return Job(
            id=JobId(new_id()),
            chain_id=origin.event.chain_id,
            plugin=plugin,
            command=command,
            event_context_id=origin.context.id,
            source_event_id=origin.event.id,
            submitted_by=origin.event.source,
            created_at=now,
            max_attempts=self._policies.retry(plugin, step).max_attempts,
            parent_job_id=origin.parent_job_id,
            dedupe_key=origin.event.dedupe_key,
        )


def _of_run(context: Context, run: Run) -> Context:
    return replace(
        context,
        run_id=run.id,
        pipeline_name=run.pipeline_name,
        pipeline_hash=run.pipeline_hash,
    )


def log_lines(questioned: Iterable[baggage.Questioned]) -> tuple[LogLine, ...]:
    """The lines of the job's log that tell of questioned keys."""
    return tuple(
        LogLine("warn", f'state_updates use the key "{each.key}" of the system; it was {each.done}')
        for each in questioned
    )
