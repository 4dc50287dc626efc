"""From the records of a chain to its view: what belongs to what, and what changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from ductile.insights.views import BaggageChange, ChainView, Changed, JobView, RunView
from ductile.model.context import Context
from ductile.model.event import Event
from ductile.model.ids import ContextId, JobId, PipelineHash, RunId
from ductile.model.job import Job, JobStatus
from ductile.model.json import JsonObject, canonical
from ductile.model.run import Phase, Run, RunStatus
from ductile.storage.interfaces import ArrivalRecord, AttemptRecord, ChainRecords

#: For pipeline versions, the part of the pipeline that each node belongs to.
Phases: TypeAlias = Mapping[PipelineHash, Mapping[str, Phase]]


def view(
    records: ChainRecords,
    *,
    as_of: datetime,
    asked: JobId | RunId | None = None,
    phases: Phases = MappingProxyType({}),
) -> ChainView:
    """The view of a chain that there is; steps that `phases` does not know are of the main part."""
    contexts = {each.id: each for each in records.contexts}
    ordered = list(_in_tree_order(records.jobs))
    jobs = _Jobs(records, contexts, phases)
    ended = all(each.status.terminal for each in records.jobs)
    return ChainView(
        id=records.chain_id,
        event=next(each for each in records.events if each.job_id is None),
        status=_status(records.jobs, records.runs),
        as_of=as_of,
        completed_at=_last(each.completed_at for each in records.jobs) if ended else None,
        baggage=next((each.baggage for each in records.contexts if each.parent_id is None), {}),
        runs=tuple(
            RunView(
                run,
                tuple(job.id for job, _ in ordered if job.run_id == run.id),
                _seeded(run.id, records, contexts),
                tuple(each for each in records.skips if each.run_id == run.id),
                tuple(each for each in records.arrivals if each.run_id == run.id),
            )
            for run in records.runs
        ),
        jobs=tuple(jobs.view(job, depth) for job, depth in ordered),
        asked=asked,
    )


def baggage_change(before: JsonObject, after: JsonObject) -> BaggageChange:
    """What `after` has that `before` has not; a merge never takes a key away."""
    return BaggageChange(
        {key: value for key, value in after.items() if key not in before},
        {
            key: Changed(before[key], value)
            for key, value in after.items()
            if key in before and canonical(before[key]) != canonical(value)
        },
    )


class _Jobs:
    """What is known about each job, found once for the whole chain."""

    def __init__(
        self, records: ChainRecords, contexts: Mapping[ContextId, Context], phases: Phases
    ) -> None:
        self._contexts = contexts
        self._phases = {run.id: phases.get(run.pipeline_hash, {}) for run in records.runs}
        self._artifacts = records.artifacts
        self._children: defaultdict[JobId, list[JobId]] = defaultdict(list)
        self._attempts: defaultdict[JobId, list[AttemptRecord]] = defaultdict(list)
        self._emitted: defaultdict[JobId, list[Event]] = defaultdict(list)
        self._arrivals: defaultdict[tuple[RunId, str], list[ArrivalRecord]] = defaultdict(list)
        for arrival in records.arrivals:
            self._arrivals[arrival.run_id, arrival.join_id].append(arrival)
        for job in records.jobs:
            if job.parent_job_id is not None:
                self._children[job.parent_job_id].append(job.id)
        for attempt in records.attempts:
            self._attempts[attempt.job_id].append(attempt)
        for event in records.events:
            if event.job_id is not None:
                self._emitted[event.job_id].append(event)

    def view(self, job: Job, depth: int) -> JobView:
        written = self._contexts[job.result_context_id] if job.result_context_id else None
        read = self._contexts[job.event_context_id]
        return JobView(
            job=job,
            depth=depth,
            children=tuple(self._children[job.id]),
            attempts=tuple(self._attempts[job.id]),
            context=written,
            baggage=baggage_change(read.baggage, written.baggage) if written else BaggageChange(),
            emitted=tuple(self._emitted[job.id]),
            artifacts=tuple(self._artifacts.get(job.id, ())),
            phase=self._phase(job),
            joined=self._joined(job),
        )

    def _phase(self, job: Job) -> Phase:
        if job.run_id is None or job.step_id is None:
            return Phase.MAIN
        return self._phases[job.run_id].get(job.step_id, Phase.MAIN)

    def _joined(self, job: Job) -> tuple[ArrivalRecord, ...]:
        if job.run_id is None or job.join_id is None:
            return ()
        return tuple(self._arrivals[job.run_id, job.join_id])


def _in_tree_order(jobs: Sequence[Job]) -> Iterator[tuple[Job, int]]:
    """Each job before its children, and how deep it is."""
    children: defaultdict[JobId | None, list[Job]] = defaultdict(list)
    for job in jobs:
        children[job.parent_job_id].append(job)
    waiting = [(job, 0) for job in reversed(children[None])]
    while waiting:
        job, depth = waiting.pop()
        yield job, depth
        waiting += [(child, depth + 1) for child in reversed(children[job.id])]


def _seeded(
    run_id: RunId, records: ChainRecords, contexts: Mapping[ContextId, Context]
) -> BaggageChange:
    """What the row that a run started with has beyond the row of the job that caused it."""
    for context in records.contexts:
        if context.run_id == run_id and context.step_id is None and context.parent_id is not None:
            return baggage_change(contexts[context.parent_id].baggage, context.baggage)
    return BaggageChange()


def _status(jobs: Sequence[Job], runs: Sequence[Run]) -> RunStatus:
    if not all(job.status.terminal for job in jobs):
        return RunStatus.RUNNING
    well = (RunStatus.RUNNING, RunStatus.SUCCEEDED)
    if all(job.status is JobStatus.SUCCEEDED for job in jobs) and all(
        run.status in well for run in runs
    ):
        return RunStatus.SUCCEEDED
    return RunStatus.FAILED


def _last(moments: Iterable[datetime | None]) -> datetime | None:
    return max((each for each in moments if each is not None), default=None)
