"""The planner: what follows from a trigger, a success, a join or the end of a phase."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import ductile.ledger.baggage as baggage
from ductile.dispatch.assignment import Assignment
from ductile.dispatch.interfaces import Trigger
from ductile.dispatch.plan import Origin, Plan, Start
from ductile.dispatch.policies import Policies
from ductile.dispatch.privacy import Privacy
from ductile.dsl.graph import Join, Pipeline, Step
from ductile.errors import Refused
from ductile.expressions.errors import MissingPath
from ductile.model.context import Context
from ductile.model.event import STEP_SUCCEEDED, Event
from ductile.model.ids import ChainId, ContextId, EventId, JobId, RunId, new_id
from ductile.model.job import Job
from ductile.model.json import Json, JsonObject
from ductile.model.outcome import EmittedEvent, Response
from ductile.model.policy import WorkspaceMode
from ductile.model.run import Run
from ductile.router.interfaces import Position, Router, Routing
from ductile.storage.interfaces import ArrivalRecord, SkipRecord


class TooDeep(Refused):
    """A run would be deeper than `service.depth_limit` allows."""

    def __init__(self, pipeline: str, depth: int) -> None:
        super().__init__(f'pipeline "{pipeline}" would start {depth} runs deep')
        self.pipeline = pipeline


class Planner:
    """Decides what follows; reads nothing but its arguments and the current pipelines."""

    def __init__(
        self,
        router: Callable[[], Router],
        policies: Policies,
        privacy: Privacy,
        *,
        depth_limit: int,
        max_baggage: int,
    ) -> None:
        """`router` gives the one over the current set of pipelines."""
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
        # Its plugins get what they would have got had such an event started it.
        kind = trigger.type if pipeline is None else pipeline.on[0]
        event = Event(
            event_id, kind, payload, trigger.source, now, chain_id, None, trigger.dedupe_key
        )
        root = baggage.root(event)
        baggage.check_size(root, self._max_baggage)
        context = Context(ContextId(new_id()), None, 0, root, now)
        plan = Plan(events=[event], contexts=[context])
        origin = Origin(event, context)
        if trigger.plugin is not None:
            plan.jobs.append(self._job(origin, trigger.plugin, trigger.command, now))
            return plan
        router = self._router()
        if pipeline is None:
            starts = router.next(event, context).starts
        else:
            starts = (pipeline,) if router.admits(pipeline, event, context) else ()
        for each in starts:
            self._start(plan, origin, each, router, now)
        return plan

    def successors(self, assignment: Assignment, response: Response, now: datetime) -> Plan:
        """What follows from a success. Raises Refused where the response breaks a rule."""
        job, run = assignment.job, assignment.run
        self._privacy.check("state_updates", response.state_updates)
        merged = baggage.merge(assignment.context.baggage, self._updates(assignment, response))
        context = self.grown(assignment.context, merged.baggage, now, run, job.step_id)
        plan = Plan(
            contexts=[context],
            result_context_id=context.id,
            questioned=list(merged.questioned),
        )
        router = self._router()
        for event in self._events(assignment, response, context, now):
            plan.events.append(event)
            origin = Origin(event, context, run, (job.id,))
            self._follow(plan, assignment.position, origin, router, now)
        return plan

    def lead(
        self, plan: Plan, origin: Origin, pipeline: Pipeline, routing: Routing, now: datetime
    ) -> None:
        """Add to `plan` what a routing within the run of `origin` asks for."""
        run = origin.run
        assert run is not None, "only a run is routed within"
        plan.jobs.extend(
            self._job(origin, step.plugin, step.command, now, step) for step in routing.steps
        )
        plan.skips.extend(
            SkipRecord(run.id, skip.step, origin.parent_job_id, origin.event.id, skip.reason, now)
            for skip in routing.skips
        )
        for arrival in routing.arrivals:
            join = pipeline.nodes[arrival.join]
            assert isinstance(join, Join), "things arrive at joins only"
            # What a join before it gathered arrives with all its files, not only the last's.
            for job_id in origin.parents or (None,):
                plan.arrivals.append(
                    ArrivalRecord(
                        run_id=run.id,
                        join_id=join.id,
                        source=arrival.source,
                        position=join.sources.index(arrival.source),
                        event_id=origin.event.id,
                        context_id=origin.context.id,
                        job_id=job_id,
                        created_at=now,
                    )
                )

    def grown(
        self,
        parent: Context,
        content: JsonObject,
        now: datetime,
        run: Run | None = None,
        step_id: str | None = None,
    ) -> Context:
        """A child row of `parent`. Raises Refused if its baggage would be too large."""
        baggage.check_size(content, self._max_baggage)
        return Context(
            ContextId(new_id()),
            parent.id,
            parent.hop + 1,
            content,
            now,
            run_id=run.id if run else None,
            pipeline_hash=run.pipeline_hash if run else None,
            step_id=step_id,
        )

    def _updates(self, assignment: Assignment, response: Response) -> JsonObject:
        """What the response puts into the baggage."""
        step = assignment.step
        if step is None or step.baggage is None:
            private = self._policies.keeps_private(assignment.job)
            return {} if private else response.state_updates
        brought: dict[str, Json] = dict(response.state_updates)
        for event in response.events:
            brought.update(event.payload)
        scope = {"payload": brought, "context": assignment.context.baggage}
        updates: dict[str, Json] = {}
        for target, path in step.baggage:
            try:
                value = path.resolve(scope)
            except MissingPath as missing:
                raise Refused(f'baggage "{target}" of step "{step.id}": {missing}') from missing
            _put(updates, target.split("."), value, assignment.context.baggage)
        return updates

    def _events(
        self, assignment: Assignment, response: Response, context: Context, now: datetime
    ) -> Iterable[Event]:
        emitted: Sequence[EmittedEvent] = response.events
        step = assignment.step
        if not emitted and step is not None and step.following(STEP_SUCCEEDED):
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

    def _follow(
        self, plan: Plan, at: Position | None, origin: Origin, router: Router, now: datetime
    ) -> None:
        following = router.next(origin.event, origin.context, at)
        if at is not None:
            self.lead(plan, origin, at.pipeline, following.here, now)
        for pipeline in following.starts:
            merged = baggage.merge(origin.context.baggage, origin.event.payload)
            seed = self.grown(origin.context, merged.baggage, now)
            self._start(plan, replace(origin, context=seed), pipeline, router, now)

    def _start(
        self, plan: Plan, origin: Origin, pipeline: Pipeline, router: Router, now: datetime
    ) -> None:
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
            deadline_at=now + pipeline.timeout if pipeline.timeout else None,
        )
        if origin.parents:
            plan.contexts.append(
                replace(origin.context, run_id=run.id, pipeline_hash=run.pipeline_hash)
            )
        jobs_before = len(plan.jobs)
        routing = router.enter(pipeline, origin.event, origin.context)
        self.lead(plan, origin.within(run), pipeline, routing, now)
        run = replace(run, open_jobs=len(plan.jobs) - jobs_before)
        plan.starts.append(Start(run, pipeline, origin.within(run)))

    def _job(
        self, origin: Origin, plugin: str, command: str, now: datetime, step: Step | None = None
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
            run_id=origin.run.id if origin.run and step else None,
            step_id=step.id if step else None,
            parent_job_id=origin.parent_job_id,
            join_id=origin.join_id if step else None,
            workspace=step.workspace if step else WorkspaceMode.CLONE,
            dedupe_key=origin.event.dedupe_key,
        )


def _put(updates: dict[str, Json], keys: Sequence[str], value: Json, parent: JsonObject) -> None:
    """Set a value at a dotted path, keeping what the parent's baggage has beside it."""
    *outer, last = keys
    target, known = updates, parent
    for key in outer:
        inner = target.get(key, known.get(key))
        target[key] = dict(inner) if isinstance(inner, dict) else {}
        target, known = target[key], {}
    target[last] = value
