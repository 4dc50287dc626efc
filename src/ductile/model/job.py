"""The job: one durable unit of work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ductile.model.ids import ChainId, ContextId, EventId, JobId, RunId, WorkerId
from ductile.model.policy import WorkspaceMode


class JobStatus(StrEnum):
    """Where a job stands; a job that waits for its next attempt is queued."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self not in (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to settle one attempt of one job. A later claim makes it worthless."""

    job_id: JobId
    attempt: int
    worker: WorkerId


@dataclass(frozen=True, slots=True)
class Job:
    """Run this plugin's command on this event in this context."""

    id: JobId
    chain_id: ChainId
    plugin: str
    command: str
    event_context_id: ContextId
    """The context that the job reads."""
    source_event_id: EventId
    submitted_by: str
    created_at: datetime
    max_attempts: int
    run_id: RunId | None = None
    """None for a job that an endpoint or a command started outside any pipeline."""
    step_id: str | None = None
    parent_job_id: JobId | None = None
    """The job whose committed workspace this one's is cloned from."""
    join_id: str | None = None
    """The join of its run that it follows: its workspace is then the union of the committed
    workspaces of all jobs that arrived there, of which `parent_job_id` is the last."""
    workspace: WorkspaceMode = WorkspaceMode.CLONE
    """What its workspace starts with; the first job of a chain has nothing to start with."""
    dedupe_key: str | None = None
    status: JobStatus = JobStatus.QUEUED
    attempt: int = 0
    """How often the job was claimed; the number of the attempt while it runs."""
    interruptions: int = 0
    """Attempts that a shutdown cut off; they do not count towards `max_attempts`."""
    claimed_by: WorkerId | None = None
    lease_expires_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    next_retry_at: datetime | None = None
    last_error: str | None = None
    result_context_id: ContextId | None = None
    """The context that its success wrote."""

    @property
    def tries(self) -> int:
        """Attempts that count towards `max_attempts`."""
        return self.attempt - self.interruptions

    @property
    def claim(self) -> Claim:
        """The claim that the current attempt holds; only a running job has one."""
        if self.claimed_by is None:
            raise ValueError(f"job {self.id} is {self.status}; only a running job is claimed")
        return Claim(self.id, self.attempt, self.claimed_by)
