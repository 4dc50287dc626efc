"""The queue's rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from ductile.errors import DuplicateJob, LeaseLost, StorageError, Violation
from ductile.model.clock import from_text, to_text
from ductile.model.ids import ContextId, JobId, RunId, WorkerId
from ductile.model.job import Claim, Job, JobStatus
from ductile.model.json import encode
from ductile.model.outcome import Attempt, Succeeded
from ductile.storage.sqlite import rows
from ductile.storage.sqlite.queries import load
from ductile.storage.sqlite.session import Session

SQL: Final = load("jobs")


class Jobs:
    """The durable queue within one transaction."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, job: Job) -> None:
        if job.status is not JobStatus.QUEUED or job.attempt:
            raise ValueError(f"expected a new job, found job {job.id}, which is {job.status}")
        values = {
            "id": job.id,
            "chain_id": job.chain_id,
            "plugin": job.plugin,
            "command": job.command,
            "event_context_id": job.event_context_id,
            "source_event_id": job.source_event_id,
            "submitted_by": job.submitted_by,
            "created_at": to_text(job.created_at),
            "max_attempts": job.max_attempts,
            "run_id": job.run_id,
            "step_id": job.step_id,
            "parent_job_id": job.parent_job_id,
            "join_id": job.join_id,
            "workspace": job.workspace.value,
            "dedupe_key": job.dedupe_key,
        }
        try:
            self._session.insert(SQL, values, f"job {job.id}")
        except StorageError as refusal:
            if "job_queue_child" not in str(refusal):
                raise
            raise DuplicateJob(
                f'step "{job.step_id}" of run {job.run_id} has a job for event '
                f"{job.source_event_id} of job {job.parent_job_id} already"
            ) from refusal

    def claim(
        self,
        worker: WorkerId,
        *,
        limit: int,
        lease: timedelta,
        now: datetime,
        parallelism: Mapping[str, int],
    ) -> Sequence[Job]:
        values = {
            "worker": worker,
            "lease_expires_at": to_text(now + lease),
            "now": to_text(now),
        }
        claimed = (
            self._session.row(SQL["claim"], {**values, "job_id": job_id})
            for job_id in self._ready(limit, now, parallelism)
        )
        return [rows.job(row) for row in claimed if row is not None]

    def renew(self, claims: Iterable[Claim], *, lease: timedelta, now: datetime) -> int:
        ends = to_text(now + lease)
        return sum(self._held("renew", claim, lease_expires_at=ends) for claim in claims)

    def finish(
        self,
        claim: Claim,
        status: JobStatus,
        *,
        now: datetime,
        error: str | None = None,
        wrote: ContextId | None = None,
    ) -> None:
        if not status.terminal:
            raise ValueError(f'expected a terminal status, found "{status}"')
        self._settle(
            "finish",
            claim,
            status=status.value,
            now=to_text(now),
            error=rows.evidence(error),
            result_context_id=wrote,
        )

    def retry(self, claim: Claim, *, due: datetime, error: str) -> None:
        self._settle("retry", claim, due=to_text(due), error=rows.evidence(error))

    def give_back(self, claim: Claim, *, error: str) -> None:
        self._settle("give_back", claim, error=rows.evidence(error))

    def cancel(self, run_id: RunId, *, now: datetime, reason: str) -> Sequence[JobId]:
        values = {"run_id": run_id, "now": to_text(now), "reason": rows.evidence(reason)}
        cancelled = self._session.rows(SQL["cancel"], values)
        return [job_id for _, job_id in sorted(cancelled)]

    def log(self, claim: Claim, attempt: Attempt, *, status: str) -> None:
        outcome = attempt.outcome
        logs = [
            {"level": rows.evidence(line.level), "message": rows.evidence(line.message)}
            for line in attempt.logs
        ]
        values = {
            "job_id": claim.job_id,
            "attempt": claim.attempt,
            "status": status,
            "started_at": to_text(attempt.started_at),
            "completed_at": to_text(attempt.completed_at),
            "exit_code": attempt.exit_code,
            "error": None if isinstance(outcome, Succeeded) else rows.evidence(outcome.error),
            "result": rows.evidence(attempt.result),
            "logs": encode(logs).decode(),
            "stderr": rows.evidence(attempt.stderr),
        }
        try:
            written = self._session.change(SQL["log"], values)
        except Violation as violation:
            if "UNIQUE" not in str(violation):
                raise
            raise _lost(claim) from violation
        if not written:
            raise _lost(claim)

    def running(self, *, expired_at: datetime | None) -> Sequence[Job]:
        values = {"expired_at": None if expired_at is None else to_text(expired_at)}
        return [rows.job(row) for row in self._session.rows(SQL["running"], values)]

    def get(self, job_id: JobId) -> Job | None:
        row = self._session.row(SQL["get"], {"job_id": job_id})
        return None if row is None else rows.job(row)

    def next_due(self) -> datetime | None:
        due = [first for _, first in self._session.rows(SQL["waiting_plugins"])]
        return from_text(min(due)) if due else None

    def _ready(self, limit: int, now: datetime, parallelism: Mapping[str, int]) -> list[str]:
        """Ids of jobs to claim, by the time since when they could have run."""
        running: dict[str, int] = {}
        if parallelism:
            running |= dict(self._session.rows(SQL["running_by_plugin"]))
        moment = to_text(now)
        heads: dict[str, tuple[str, str]] = {}
        for plugin, since, job_id in self._session.rows(SQL["heads"], {"now": moment}):
            heads[plugin] = min((since, job_id), heads.get(plugin, (since, job_id)))
        chosen: list[tuple[str, str]] = []
        for plugin, head in heads.items():
            allowed = parallelism.get(plugin)
            room = limit if allowed is None else min(limit, allowed - running.get(plugin, 0))
            if room == 1:
                chosen.append(head)
            elif room > 1:
                chosen += self._oldest(plugin, room, moment)
        return [job_id for _, job_id in sorted(chosen)[:limit]]

    def _oldest(self, plugin: str, limit: int, moment: str) -> list[tuple[str, str]]:
        """The oldest jobs of one plugin that can start, each with the time since when."""
        values: dict[str, Any] = {"plugin": plugin, "limit": limit, "now": moment}
        ready = self._session.rows(SQL["ready_of_plugin"], values)
        due = self._session.rows(SQL["due_of_plugin"], values)
        return sorted([(since, job_id) for since, job_id in ready + due])[:limit]

    def _settle(self, statement: str, claim: Claim, **values: object) -> None:
        if not self._held(statement, claim, **values):
            raise _lost(claim)

    def _held(self, statement: str, claim: Claim, **values: object) -> int:
        """Change the job that a claim still is the right to: 1, or 0 if it is not."""
        values |= {"job_id": claim.job_id, "attempt": claim.attempt, "worker": claim.worker}
        return self._session.change(SQL[statement], values)


def _lost(claim: Claim) -> LeaseLost:
    return LeaseLost(
        f"attempt {claim.attempt} of job {claim.job_id} does not belong to worker {claim.worker} "
        "any more: its lease was given away, or it is settled; what it did is not kept"
    )
