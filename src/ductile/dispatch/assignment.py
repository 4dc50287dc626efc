"""The assignment: a claimed job with all that it refers to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from ductile.dsl.definition import restore
from ductile.dsl.graph import Pipeline, Step
from ductile.errors import StorageError
from ductile.model.context import Context
from ductile.model.event import Event
from ductile.model.ids import PipelineHash
from ductile.model.job import Job
from ductile.model.json import JsonObject
from ductile.model.run import Run
from ductile.router.interfaces import Position
from ductile.storage.interfaces import Store, Transaction


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one attempt works with."""

    job: Job
    event: Event
    context: Context
    state: JsonObject
    run: Run | None = None
    position: Position | None = None
    parents: tuple[Job, ...] = ()
    """The jobs whose committed workspaces this one's begins with, in the order of merging."""
    bases: tuple[Job, ...] = ()
    """The nearest jobs from which all these workspaces descend, if there are several."""

    @property
    def step(self) -> Step | None:
        """The step that the job stands for; None outside a pipeline."""
        return self.position.pipeline.steps[self.position.step] if self.position else None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that a worker has claimed, and what it refers to."""

    job: Job
    assignment: Assignment | None = None
    """None where it could not be read: whoever does the job reads it again, and says why."""


class PinnedVersions:
    """The pipeline versions that runs are pinned to, each read from the ledger once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pipelines: dict[PipelineHash, Pipeline] = {}

    def get(self, tx: Transaction, pipeline_hash: PipelineHash) -> Pipeline:
        """The version of that hash, whatever the files say now."""
        known = self._pipelines.get(pipeline_hash)
        if known is not None:
            return known
        definition = tx.versions.get(pipeline_hash)
        if definition is None:
            raise StorageError(f"no pipeline version {pipeline_hash} in the database")
        pipeline = restore(definition)
        with self._lock:
            self._pipelines[pipeline_hash] = pipeline
        return pipeline


def load(store: Store, pinned: PinnedVersions, job: Job) -> Assignment:
    """Read all that a claimed job refers to, in one snapshot."""
    return store.read(lambda tx: load_from(tx, pinned, job))


def load_from(tx: Transaction, pinned: PinnedVersions, job: Job) -> Assignment:
    """Like `load`, in a transaction that has begun."""
    event = tx.events.get(job.source_event_id)
    context = tx.contexts.get(job.event_context_id)
    if event is None or context is None:
        raise StorageError(f"job {job.id} refers to an event or a context that does not exist")
    run = tx.runs.get(job.run_id) if job.run_id else None
    return Assignment(
        job=job,
        event=event,
        context=context,
        state=tx.plugin_states.get(job.plugin),
        run=run,
        position=_position(tx, pinned, job, run),
        parents=tuple(_parents(tx, job)),
        bases=tuple(_bases(tx, job)),
    )


def _bases(tx: Transaction, job: Job) -> Iterator[Job]:
    for base in tx.artifacts.bases(job.id) if job.join_id is not None else ():
        found = tx.jobs.get(base)
        if found is not None:
            yield found


def _parents(tx: Transaction, job: Job) -> Iterator[Job]:
    ids = [job.parent_job_id]
    if job.join_id is not None and job.run_id is not None:
        ids = [each.job_id for each in tx.joins.arrivals(job.run_id, job.join_id)]
    # Each once, and as late as it comes: the later one's files win.
    for job_id in reversed(dict.fromkeys(reversed(ids))):
        found = None if job_id is None else tx.jobs.get(job_id)
        if found is not None:
            yield found


def _position(
    tx: Transaction, pinned: PinnedVersions, job: Job, run: Run | None
) -> Position | None:
    if run is None or job.step_id is None:
        return None
    return Position(pinned.get(tx, run.pipeline_hash), job.step_id)
