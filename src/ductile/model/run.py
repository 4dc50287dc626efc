"""The run: one execution of one pipeline version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ductile.model.ids import ChainId, EventId, JobId, PipelineHash, RunId


class RunStatus(StrEnum):
    """What a run came to; it is running while any of its jobs is queued or running."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of one pipeline version, started by one event."""

    id: RunId
    chain_id: ChainId
    pipeline_name: str
    pipeline_hash: PipelineHash
    event_id: EventId
    depth: int
    """How many runs deep: 1 for a run that an external event started."""
    created_at: datetime
    parent_run_id: RunId | None = None
    parent_job_id: JobId | None = None
    """The job that emitted the event which started this run."""
    status: RunStatus = RunStatus.RUNNING
    open_jobs: int = 0
    """Jobs of the run that are not terminal."""
    completed_at: datetime | None = None
    reason: str | None = None
    """Why it failed: the first failed step and its error."""
