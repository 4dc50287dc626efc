"""Recomputing the contexts of a chain: which rows can Ductile not have written as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from ductile.dsl.graph import Pipeline, Step
from ductile.errors import Refused
from ductile.insights.integrity.findings import LedgerProblem, Subject
from ductile.ledger import baggage, joining
from ductile.ledger.baggage import CORE, ORIGIN
from ductile.model.context import Context
from ductile.model.ids import ContextId, EventId, PipelineHash, RunId
from ductile.model.job import Job, JobStatus
from ductile.model.json import JsonObject, equal
from ductile.model.run import Phase, Run
from ductile.storage.interfaces import ArrivalRecord, ChainRecords

_FAILURE: Final = "failure"
_PHASES: Final = frozenset((Phase.ON_FAILURE.value, Phase.FINALLY.value))


class Lineage:
    """The rows of one chain, and the rules by which each must follow from the others.

    `contexts` are all rows of the chain by id, `pipelines` the versions that can be restored.
    What a root, a run's first row or a join's row holds is recomputed in full. Of what a step
    added only its result is on record: its row must be one that the rules of merging allow.
    """

    def __init__(
        self,
        records: ChainRecords,
        contexts: Mapping[ContextId, Context],
        pipelines: Mapping[PipelineHash, Pipeline],
    ) -> None:
        self._chain_id = records.chain_id
        self._contexts = contexts
        self._pipelines = pipelines
        self._events = {event.id: event for event in records.events}
        self._runs = {run.id: run for run in records.runs}
        self._jobs = {job.id: job for job in records.jobs}
        self._writers = {job.result_context_id: job for job in records.jobs}
        self._arrivals: dict[tuple[RunId, str], list[ArrivalRecord]] = {}
        for arrival in sorted(records.arrivals, key=lambda each: each.position):
            self._arrivals.setdefault((arrival.run_id, arrival.join_id), []).append(arrival)

    def of_contexts(self, rows: Sequence[Context]) -> list[LedgerProblem]:
        """What is wrong with these rows of the ledger."""
        return [
            LedgerProblem(Subject.CONTEXT, row.id, detail)
            for row in rows
            for detail in self._context(row)
        ]

    def of_jobs(self, jobs: Sequence[Job]) -> list[LedgerProblem]:
        """What is wrong with the contexts that these jobs refer to."""
        return [
            LedgerProblem(Subject.JOB, job.id, detail) for job in jobs for detail in self._job(job)
        ]

    def _context(self, row: Context) -> Iterator[str]:
        if row.parent_id is None:
            yield from self._root(row)
            return
        parent = self._contexts.get(row.parent_id)
        if parent is None:
            yield f"its parent {row.parent_id} does not exist in its chain"
            return
        yield from self._pinned(row)
        if not equal(_origin(row.baggage), _origin(parent.baggage)):
            yield f'its "{ORIGIN}" keys are not those of its parent {parent.id}'
        yield from self._grown(row, parent)

    def _root(self, row: Context) -> Iterator[str]:
        event = self._events.get(EventId(self._chain_id))
        if row.hop != 0:
            yield f"it has no parent, so expected hop 0, found {row.hop}"
        if row.run_id is not None or row.step_id is not None:
            yield "it has no parent, so expected no run and no step, found one"
        if event is None:
            yield f"event {self._chain_id}, which started its chain, does not exist"
        elif not equal(row.baggage, baggage.root(event)):
            expected = baggage.root(event)
            yield f"not what event {event.id} started the chain with: {_differs(expected, row)}"

    def _pinned(self, row: Context) -> Iterator[str]:
        if row.run_id is None:
            if row.pipeline_hash is not None:
                yield "expected a pipeline only where there is a run, found one without"
            return
        run = self._runs.get(row.run_id)
        if run is None:
            yield f"its run {row.run_id} is not of its chain"
        elif row.pipeline_hash != run.pipeline_hash:
            yield (
                f"expected version {run.pipeline_hash}, to which run {run.id} is pinned, found "
                f"{row.pipeline_hash}"
            )

    def _grown(self, row: Context, parent: Context) -> Iterator[str]:
        writer = self._writers.get(row.id)
        run = None if row.run_id is None else self._runs.get(row.run_id)
        if writer is not None:
            yield from _hop(row, parent.hop)
            yield from self._result(row, parent, writer)
        elif run is None:
            yield "no job and no run wrote it"
        elif row.step_id is None:
            yield from _hop(row, parent.hop)
            yield from self._seed(row, parent, run)
        elif arrivals := self._arrivals.get((run.id, row.step_id)):
            yield from self._joined(row, arrivals)
        elif row.step_id in _PHASES:
            yield from _hop(row, parent.hop)
            yield from _phase(row, parent, run)
        else:
            yield f'no job of step "{row.step_id}" wrote it'

    def _result(self, row: Context, parent: Context, job: Job) -> Iterator[str]:
        """A row that a success wrote: its job's own, and one that merging can have made."""
        if parent.id != job.event_context_id:
            yield (
                f"expected its parent to be {job.event_context_id}, which its job {job.id} read, "
                f"found {parent.id}"
            )
        if (row.run_id, row.step_id) != (job.run_id, job.step_id):
            yield f"its run and step are not those of the job {job.id} that wrote it"
        vanished = parent.baggage.keys() - row.baggage.keys()
        if vanished:
            yield f"lacks {_names(vanished)}, which its parent {parent.id} has"
        changes = {
            key: value
            for key, value in row.baggage.items()
            if key not in parent.baggage or not equal(value, parent.baggage[key])
        }
        core = {key for key in changes if key.startswith(CORE)}
        if core:
            yield f"has {_names(core)}, which no plugin can set"
        allowed = self._mapped(job)
        if allowed is not None and (more := changes.keys() - allowed - core):
            yield f'has {_names(more)}, which "baggage" of step "{job.step_id}" does not name'

    def _mapped(self, job: Job) -> frozenset[str] | None:
        """The only top-level keys that the step may set; None if its version says nothing."""
        run = None if job.run_id is None else self._runs.get(job.run_id)
        pipeline = None if run is None else self._pipelines.get(run.pipeline_hash)
        step = None if pipeline is None else pipeline.nodes.get(job.step_id or "")
        if not isinstance(step, Step) or step.baggage is None:
            return None
        return frozenset(target.partition(".")[0] for target, _ in step.baggage)

    def _seed(self, row: Context, parent: Context, run: Run) -> Iterator[str]:
        """The row that a run which an emitted event started begins with."""
        event = self._events.get(run.event_id)
        starter = None if run.parent_job_id is None else self._jobs.get(run.parent_job_id)
        if event is None or starter is None:
            yield f"run {run.id} was not started by a job, and has no such row"
            return
        if parent.id != starter.result_context_id:
            yield (
                f"expected its parent to be what job {starter.id} wrote, which started its run, "
                f"found {parent.id}"
            )
        try:
            expected = baggage.merge(parent.baggage, event.payload).baggage
        except Refused as refusal:
            yield f"event {event.id} cannot have started its run: {refusal}"
            return
        if not equal(row.baggage, expected):
            yield (
                f"not the payload of event {event.id} over the baggage of its parent: "
                f"{_differs(expected, row)}"
            )

    def _joined(self, row: Context, arrivals: Sequence[ArrivalRecord]) -> Iterator[str]:
        """The row with which a join went on: all that arrived, merged once more."""
        arrived = [self._contexts.get(each.context_id) for each in arrivals]
        rows = [each for each in arrived if each is not None]
        if len(rows) < len(arrived):
            yield f'a context that arrived at join "{row.step_id}" is not of its chain'
            return
        yield from _hop(row, max(each.hop for each in rows))
        if row.parent_id != rows[-1].id:
            yield f"expected its parent to be {rows[-1].id}, the last to arrive by order"
        base = joining.common_baggage(rows, self._contexts.get)
        expected = joining.join(base, [each.baggage for each in rows]).baggage
        if not equal(row.baggage, expected):
            yield (
                f'not what arrived at join "{row.step_id}", merged in its order: '
                f"{_differs(expected, row)}"
            )

    def _job(self, job: Job) -> Iterator[str]:
        if job.run_id is not None and job.run_id not in self._runs:
            yield f"its run {job.run_id} is not of its chain"
        if (job.status is JobStatus.SUCCEEDED) != (job.result_context_id is not None):
            yield f"it is {job.status}, and its result is {job.result_context_id or 'none'}"
        elif job.result_context_id is not None and job.result_context_id not in self._contexts:
            yield f"context {job.result_context_id}, which it wrote, is not of its chain"
        read = self._contexts.get(job.event_context_id)
        if read is None:
            yield f"context {job.event_context_id}, which it reads, does not exist"
            return
        if read.run_id not in (None, job.run_id):
            yield f"it reads context {read.id} of another run, {read.run_id}"
        writer = self._writers.get(read.id)
        if writer is not None and writer.id != job.parent_job_id:
            yield f"it reads what job {writer.id} wrote, which is not its parent"


def _hop(row: Context, before: int) -> Iterator[str]:
    if row.hop != before + 1:
        yield f"expected hop {before + 1}, found {row.hop}"


def _phase(row: Context, parent: Context, run: Run) -> Iterator[str]:
    """The row that `on_failure` or `finally` begins with."""
    told = {**parent.baggage, _FAILURE: run.failure.as_json()} if run.failure else parent.baggage
    # A failure within "finally" itself comes after its row.
    if not equal(row.baggage, told) and not equal(row.baggage, parent.baggage):
        yield f"not the baggage of its parent and the failure: {_differs(told, row)}"


def _origin(content: JsonObject) -> JsonObject:
    return {key: value for key, value in content.items() if key.startswith(ORIGIN)}


def _differs(expected: JsonObject, row: Context) -> str:
    found = row.baggage
    keys = {
        key
        for key in expected.keys() | found.keys()
        if key not in expected or key not in found or not equal(expected[key], found[key])
    }
    return f"other in {_names(keys)}"


def _names(keys: Iterable[str]) -> str:
    return ", ".join(f'"{key}"' for key in sorted(keys))
