"""The read side: what the doors and people ask about what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ductile.dsl.definition import restore
from ductile.dsl.graph import Pipeline
from ductile.errors import ConfigurationError, NotFound
from ductile.insights import chain
from ductile.insights.graph_view import phases
from ductile.insights.views import ChainView
from ductile.model.clock import Clock
from ductile.model.delivery import Delivery, DeliveryVerdict
from ductile.model.ids import ChainId, DeliveryId, JobId, PipelineHash, RunId
from ductile.model.job import Job, JobStatus
from ductile.model.run import Phase, Run, RunStatus
from ductile.storage.interfaces import Store, Transaction

#: How many runs are read at a time where all are looked at.
_PAGE: Final = 1_000


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

    def delivery_list(
        self,
        *,
        limit: int,
        endpoint: str | None = None,
        verdict: DeliveryVerdict | None = None,
        before: DeliveryId | None = None,
    ) -> Sequence[Delivery]:
        """Deliveries to webhook endpoints, newest first, those older than `before` if given."""
        return self._store.read(
            lambda tx: tx.deliveries.page(
                limit=limit, endpoint=endpoint, verdict=verdict, before=before
            )
        )

    def delivery(self, delivery_id: str) -> Delivery:
        """The row of a delivery. Raises NotFound for an id that none has."""
        found = self._store.read(lambda tx: tx.deliveries.get(DeliveryId(delivery_id)))
        if found is None:
            raise NotFound(
                f'no delivery has the id "{delivery_id}"; "ductile inbox list" shows the newest'
            )
        return found

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

    def runs_in_flight(self) -> Mapping[str, Mapping[PipelineHash, int]]:
        """How many runs are not over, by name of their pipeline and by version."""
        found: dict[str, dict[PipelineHash, int]] = {}
        for run in self._store.read(lambda tx: list(_runs(tx, status=RunStatus.RUNNING))):
            versions = found.setdefault(run.pipeline_name, {})
            versions[run.pipeline_hash] = versions.get(run.pipeline_hash, 0) + 1
        return found

    def versions(self, pipeline: str) -> Sequence[PipelineHash]:
        """Every version of the pipelines of that name that ever ran, the latest first."""

        def work(tx: Transaction) -> Sequence[PipelineHash]:
            runs = _runs(tx, pipeline=pipeline)
            return tuple(dict.fromkeys(run.pipeline_hash for run in runs))

        return self._store.read(work)

    def version(self, pipeline_hash: PipelineHash) -> Pipeline:
        """One version that ran; without its description, which is no part of it.

        Raises NotFound if it never ran, and ConfigurationError for one that cannot be read.
        """
        definition = self._store.read(lambda tx: tx.versions.get(pipeline_hash))
        if definition is None:
            raise NotFound(f'no pipeline ever ran in version "{pipeline_hash}"')
        return restore(definition)

    def _view(self, tx: Transaction, chain_id: ChainId, asked: JobId | RunId | None) -> ChainView:
        records = tx.views.chain(chain_id)
        if not records.events:
            raise NotFound(f'no event from outside has the id "{chain_id}"')
        as_of = self._clock.now()
        return chain.view(records, as_of=as_of, asked=asked, phases=_phases(tx, records.runs))


def _runs(
    tx: Transaction, *, status: RunStatus | None = None, pipeline: str | None = None
) -> Iterator[Run]:
    """All runs, newest first."""
    before: RunId | None = None
    while True:
        page = tx.views.runs(limit=_PAGE, status=status, pipeline=pipeline, before=before)
        yield from page
        if len(page) < _PAGE:
            return
        before = page[-1].id


def _phases(tx: Transaction, runs: Sequence[Run]) -> chain.Phases:
    """The parts of those versions of which a run has come beyond the main one."""
    hashes = {run.pipeline_hash for run in runs if run.phase is not Phase.MAIN}
    found = {}
    for each in hashes:
        try:
            found[each] = phases(restore(tx.versions.get(each) or ""))
        except ConfigurationError:
            # What happened can be looked at even where its version cannot be read any more.
            continue
    return found


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
