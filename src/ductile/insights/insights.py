"""The read side: what the doors and people ask about what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ductile.errors import NotFound
from ductile.insights import chain
from ductile.insights.views import ChainView
from ductile.model.clock import Clock
from ductile.model.ids import ChainId, JobId, RunId
from ductile.model.job import Job, JobStatus
from ductile.model.run import Run, RunStatus
from ductile.storage.interfaces import Store, Transaction


class Insights:
    """Answers questions from the ledger; changes nothing.

    Each answer is one consistent snapshot. Ids are to be given whole: those made within the
    same seconds begin alike, so a shortened one would soon mean something else.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def job_list(
        self,
        *,
        limit: int,
        status: JobStatus | None = None,
        plugin: str | None = None,
        before: JobId | None = None,
    ) -> Sequence[Job]:
        """Jobs, newest first, those older than job `before` if given."""
        return self._store.read(
            lambda tx: tx.views.jobs(limit=limit, status=status, plugin=plugin, before=before)
        )

    def run_list(
        self,
        *,
        limit: int,
        status: RunStatus | None = None,
        pipeline: str | None = None,
        before: RunId | None = None,
    ) -> Sequence[Run]:
        """Runs, newest first, those older than run `before` if given."""
        return self._store.read(
            lambda tx: tx.views.runs(limit=limit, status=status, pipeline=pipeline, before=before)
        )

    def job(self, job_id: str) -> Job:
        """The job as it stands. Raises NotFound for an id that no job has."""
        return self._store.read(lambda tx: _job(tx, job_id))

    def run(self, run_id: str) -> Run:
        """The run as it stands. Raises NotFound for an id that no run has."""
        return self._store.read(lambda tx: _run(tx, run_id))

    def chain_of(self, job_id: str) -> ChainView:
        """The chain that a job belongs to. Raises NotFound for an id that no job has."""

        def work(tx: Transaction) -> ChainView:
            job = _job(tx, job_id)
            return self._view(tx, job.chain_id, job.id)

        return self._store.read(work)

    def chain_of_run(self, run_id: str) -> ChainView:
        """The chain that a run belongs to. Raises NotFound for an id that no run has."""

        def work(tx: Transaction) -> ChainView:
            run = _run(tx, run_id)
            return self._view(tx, run.chain_id, run.id)

        return self._store.read(work)

    def chain(self, chain_id: ChainId) -> ChainView:
        """The chain that an event from outside started. Raises NotFound if there is none."""
        return self._store.read(lambda tx: self._view(tx, chain_id, None))

    def counts(self) -> Mapping[JobStatus, int]:
        """How many jobs are queued and running; other statuses are not counted."""
        return self._store.read(lambda tx: tx.views.counts())

    def _view(self, tx: Transaction, chain_id: ChainId, asked: JobId | RunId | None) -> ChainView:
        records = tx.views.chain(chain_id)
        if not records.events:
            raise NotFound(f'no event from outside has the id "{chain_id}"')
        return chain.view(records, as_of=self._clock.now(), asked=asked)


def _job(tx: Transaction, job_id: str) -> Job:
    job = tx.jobs.get(JobId(job_id))
    if job is not None:
        return job
    if tx.runs.get(RunId(job_id)) is not None:
        raise NotFound(f'"{job_id}" is a run, not a job; use "ductile run show {job_id}"')
    raise NotFound(f'no job has the id "{job_id}"; "ductile job list" shows the newest')


def _run(tx: Transaction, run_id: str) -> Run:
    run = tx.runs.get(RunId(run_id))
    if run is not None:
        return run
    if tx.jobs.get(JobId(run_id)) is not None:
        raise NotFound(f'"{run_id}" is a job, not a run; use "ductile job inspect {run_id}"')
    raise NotFound(f'no run has the id "{run_id}"; "ductile run list" shows the newest')
