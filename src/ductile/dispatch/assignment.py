"""The assignment: a claimed job with all that it refers to."""

from __future__ import annotations

import threading
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
    parent: Job | None = None

    @property
    def step(self) -> Step | None:
        """The step that the job stands for; None outside a pipeline."""
        return self.position.pipeline.steps[self.position.step] if self.position else None


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
    return store.read(lambda tx: _load(tx, pinned, job))


def _load(tx: Transaction, pinned: PinnedVersions, job: Job) -> Assignment:
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
        parent=tx.jobs.get(job.parent_job_id) if job.parent_job_id else None,
    )


def _position(
    tx: Transaction, pinned: PinnedVersions, job: Job, run: Run | None
) -> Position | None:
    if run is None or job.step_id is None:
        return None
    return Position(pinned.get(tx, run.pipeline_hash), job.step_id)
