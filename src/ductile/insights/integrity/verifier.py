"""The verifier: recomputes what was committed, one chain at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ductile.dsl.definition import restore
from ductile.dsl.graph import Pipeline
from ductile.errors import ConfigurationError, NotFound
from ductile.insights.integrity.findings import LedgerProblem, Subject, Tally, Verdict
from ductile.insights.integrity.lineage import Lineage
from ductile.insights.integrity.workspaces import WorkspaceCheck
from ductile.model.clock import Clock
from ductile.model.context import Context
from ductile.model.ids import ChainId, ContextId, EventId, JobId, PipelineHash, RunId
from ductile.model.job import Job
from ductile.model.run import Run
from ductile.storage.interfaces import ChainRecords, Store, Transaction
from ductile.workspace.interfaces import WorkspaceAudit

#: How many chains are asked for at a time where all are looked at.
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be verified: a whole chain, or one run or one job of it."""

    chain_id: ChainId
    run_id: RunId | None = None
    job_id: JobId | None = None

    def has_job(self, job: Job) -> bool:
        """Whether the job is part of it."""
        if self.job_id is not None:
            return job.id == self.job_id
        return self.run_id is None or job.run_id == self.run_id

    def has_context(self, row: Context) -> bool:
        """Whether the row is part of it, whatever job refers to it."""
        return self.job_id is None and self.run_id in (None, row.run_id)

    def has_run(self, run: Run, jobs: Sequence[Job]) -> bool:
        """Whether the run, or a job of it, is part of it."""
        if self.job_id is not None:
            return any(job.run_id == run.id for job in jobs)
        return self.run_id in (None, run.id)


@dataclass(frozen=True, slots=True)
class _Version:
    """What became of looking at one pipeline version."""

    pipeline: Pipeline | None
    detail: str | None = None
    """What is wrong with it."""


class Verifier:
    """Holds ledger and workspaces against what each of them says of the other.

    Reads only. A gateway may run meanwhile: each chain is one snapshot of the ledger, and a
    workspace that the janitor deletes while it is read has expired. Memory is that of one chain,
    and of the pipeline versions that were met.
    """

    def __init__(self, store: Store, audit: WorkspaceAudit, ttl: timedelta, clock: Clock) -> None:
        """`ttl` is how long workspaces are kept after the end of their chain."""
        self._store = store
        self._audit = audit
        self._workspaces = WorkspaceCheck(store, audit, ttl, clock)
        self._versions: dict[PipelineHash, _Version] = {}

    def part(self, some_id: str) -> Part:
        """What goes by that id: a run, a job, or a chain by the event that started it.

        Raises NotFound for any other id.
        """

        def work(tx: Transaction) -> Part:
            run = tx.runs.get(RunId(some_id))
            if run is not None:
                return Part(run.chain_id, run_id=run.id)
            job = tx.jobs.get(JobId(some_id))
            if job is not None:
                return Part(job.chain_id, job_id=job.id)
            event = tx.events.get(EventId(some_id))
            if event is None:
                raise NotFound(
                    f'no run, job or chain has the id "{some_id}"; "ductile run list" shows the '
                    "newest runs"
                )
            return Part(event.chain_id)

        return self._store.read(work)

    def all(self) -> Iterator[Verdict]:
        """Every chain, newest first, those without a run included."""
        before: ChainId | None = None
        while True:
            page = self._chains(before)
            for chain_id in page:
                yield self.verify(Part(chain_id))
            if len(page) < _PAGE:
                return
            before = page[-1]

    def verify(self, part: Part) -> Verdict:
        """Read all that the part has committed, and recompute what can be recomputed."""
        try:
            records, contexts = self._store.read(lambda tx: _load(tx, part.chain_id))
        except ValueError as error:
            detail = f"its rows cannot be read: {error}"
            problem = LedgerProblem(Subject.CHAIN, part.chain_id, detail)
            return Verdict(part.chain_id, Tally(chains=1), ledger=(problem,))
        self._audit.forget()
        jobs = [job for job in records.jobs if part.has_job(job)]
        runs = [run for run in records.runs if part.has_run(run, jobs)]
        rows = _rows(part, jobs, contexts)
        for pipeline_hash in {run.pipeline_hash for run in records.runs}:
            self._meet(pipeline_hash)
        lineage = Lineage(records, contexts, self._pipelines(records.runs))
        found = self._workspaces.check(records, jobs)
        return Verdict(
            part.chain_id,
            Tally(
                chains=1,
                running=sum(not job.status.terminal for job in jobs),
                contexts=len(rows),
                runs=len(runs),
            )
            + found.tally,
            files=found.problems,
            ledger=(
                *self._of_versions(runs),
                *lineage.of_contexts(rows),
                *lineage.of_jobs(jobs),
            ),
        )

    def _chains(self, before: ChainId | None) -> Sequence[ChainId]:
        return self._store.read(lambda tx: tx.views.chains(limit=_PAGE, before=before))

    def _pipelines(self, runs: Sequence[Run]) -> Mapping[PipelineHash, Pipeline]:
        found = {run.pipeline_hash: self._versions[run.pipeline_hash].pipeline for run in runs}
        return {each: pipeline for each, pipeline in found.items() if pipeline is not None}

    def _meet(self, pipeline_hash: PipelineHash) -> None:
        if pipeline_hash not in self._versions:
            definition = self._store.read(lambda tx: tx.versions.get(pipeline_hash))
            self._versions[pipeline_hash] = version_of(pipeline_hash, definition)

    def _of_versions(self, runs: Sequence[Run]) -> Iterator[LedgerProblem]:
        for run in runs:
            version = self._versions[run.pipeline_hash]
            if version.detail is not None:
                detail = f"run {run.id} is pinned to it: {version.detail}"
                yield LedgerProblem(Subject.VERSION, run.pipeline_hash, detail)
            elif version.pipeline is not None and version.pipeline.name != run.pipeline_name:
                yield LedgerProblem(
                    Subject.RUN,
                    run.id,
                    f'it is a run of "{run.pipeline_name}", and its version is one of '
                    f'"{version.pipeline.name}"',
                )


def version_of(pipeline_hash: PipelineHash, definition: str | None) -> _Version:
    """Whether a stored definition has the hash that it goes by, and can be restored."""
    if definition is None:
        return _Version(None, "there is no such version")
    try:
        pipeline = restore(definition)
    except ConfigurationError as error:
        return _Version(None, str(error))
    if pipeline.hash != pipeline_hash:
        return _Version(None, f"the hash of its definition is {pipeline.hash}")
    return _Version(pipeline)


def _load(tx: Transaction, chain_id: ChainId) -> tuple[ChainRecords, Mapping[ContextId, Context]]:
    """A chain, and every context that it has or refers to, by id."""
    records = tx.views.chain(chain_id)
    contexts = {row.id: row for row in records.contexts}
    pending = [*_referred(records), *(row.parent_id for row in records.contexts)]
    while pending:
        context_id = pending.pop()
        if context_id is None or context_id in contexts:
            continue
        row = tx.contexts.get(context_id)
        if row is not None:
            contexts[row.id] = row
            pending.append(row.parent_id)
    return records, contexts


def _referred(records: ChainRecords) -> Iterable[ContextId | None]:
    for job in records.jobs:
        yield job.event_context_id
        yield job.result_context_id
    for arrival in records.arrivals:
        yield arrival.context_id


def _rows(
    part: Part, jobs: Sequence[Job], contexts: Mapping[ContextId, Context]
) -> Sequence[Context]:
    """The rows of a part, and all that they grew from, by hop."""
    pending: list[ContextId | None] = [row.id for row in contexts.values() if part.has_context(row)]
    for job in jobs:
        pending += [job.event_context_id, job.result_context_id]
    found: dict[ContextId, Context] = {}
    while pending:
        context_id = pending.pop()
        if context_id is None or context_id in found or context_id not in contexts:
            continue
        row = contexts[context_id]
        found[row.id] = row
        pending.append(row.parent_id)
    return sorted(found.values(), key=lambda row: (row.hop, row.id))
