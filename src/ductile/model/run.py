"""The run: one execution of one pipeline version."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from ductile.model.ids import ChainId, EventId, JobId, PipelineHash, RunId
from ductile.model.json import JsonObject


class RunStatus(StrEnum):
    """What a run came to; it is running while any of its jobs is queued or running."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether nothing more will happen to the run."""
        return self is not RunStatus.RUNNING


class Phase(StrEnum):
    """Which part of its pipeline a run is in."""

    MAIN = "main"
    ON_FAILURE = "on_failure"
    FINALLY = "finally"


@dataclass(frozen=True, slots=True)
class Failure:
    """The first job of a run that failed for good; what `{failure.…}` refers to."""

    pipeline: str
    step: str
    job_id: JobId
    plugin: str
    error: str
    attempts: int

    def as_json(self) -> JsonObject:
        """The object that stands at `failure`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, as far as its joins ask."""

    open: frozenset[str] = frozenset()
    """Steps with a job that is not terminal."""
    failed: frozenset[str] = frozenset()
    """Steps with a job that ended otherwise than well."""
    arrived: frozenset[str] = frozenset()
    """Joins that something has come to."""
    passed: frozenset[str] = frozenset()
    """Joins that have gone on."""


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
    """Why it came to another end than success, for people."""
    phase: Phase = Phase.MAIN
    failure: Failure | None = None
    """The first one."""
    deadline_at: datetime | None = None
    """When it is to be ended, if it still runs."""
    ending: RunStatus | None = None
    """What it will have come to when its last job is over, if it is being ended: cancelled or
    timed out; `reason` says why."""
