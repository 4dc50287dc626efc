"""What readers ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ductile.model.artifact import Artifact
from ductile.model.ids import ChainId, JobId, RunId
from ductile.model.job import Job, JobStatus
from ductile.model.json import encode
from ductile.model.run import Run, RunStatus
from ductile.storage.interfaces import ChainEnd, ChainRecords
from ductile.storage.sqlite import rows
from ductile.storage.sqlite.queries import load
from ductile.storage.sqlite.session import Session

SQL: Final = load("views")
#: The statement that finds the jobs of a status without reading all others.
_BY_STATUS: Final = {
    None: "jobs",
    JobStatus.QUEUED: "queued_jobs",
    JobStatus.RUNNING: "running_jobs",
    JobStatus.SUCCEEDED: "jobs",
    JobStatus.FAILED: "unsuccessful_jobs",
    JobStatus.TIMED_OUT: "unsuccessful_jobs",
    JobStatus.CANCELLED: "unsuccessful_jobs",
}


class ViewRows:
    """The read side within one transaction."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def jobs(
        self,
        *,
        limit: int,
        status: JobStatus | None = None,
        plugin: str | None = None,
        before: JobId | None = None,
    ) -> Sequence[Job]:
        values = {"limit": limit, "status": status, "plugin": plugin, "before": before}
        return [rows.job(row) for row in self._session.rows(SQL[_BY_STATUS[status]], values)]

    def runs(
        self,
        *,
        limit: int,
        status: RunStatus | None = None,
        pipeline: str | None = None,
        before: RunId | None = None,
    ) -> Sequence[Run]:
        values = {"limit": limit, "status": status, "pipeline": pipeline, "before": before}
        return [rows.run(row) for row in self._session.rows(SQL["runs"], values)]

    def chains(self, *, limit: int, before: ChainId | None = None) -> Sequence[ChainId]:
        found = self._session.rows(SQL["chains"], {"limit": limit, "before": before})
        return [chain_id for (chain_id,) in found]

    def chain(self, chain_id: ChainId) -> ChainRecords:
        values = {"chain_id": chain_id}
        artifacts: dict[JobId, list[Artifact]] = {}
        for row in self._session.rows(SQL["chain_artifacts"], values):
            job_id, artifact = rows.artifact(row)
            artifacts.setdefault(job_id, []).append(artifact)
        for changes in artifacts.values():
            changes.sort(key=lambda each: each.path)
        return ChainRecords(
            chain_id,
            events=[rows.event(row) for row in self._session.rows(SQL["chain_events"], values)],
            runs=[rows.run(row) for row in self._session.rows(SQL["chain_runs"], values)],
            jobs=[rows.job(row) for row in self._session.rows(SQL["chain_jobs"], values)],
            contexts=[
                rows.context(row) for row in self._session.rows(SQL["chain_contexts"], values)
            ],
            attempts=[
                rows.attempt(row) for row in self._session.rows(SQL["chain_attempts"], values)
            ],
            artifacts=artifacts,
            skips=[rows.skip(row) for row in self._session.rows(SQL["chain_skips"], values)],
            arrivals=[
                rows.arrival(row) for row in self._session.rows(SQL["chain_arrivals"], values)
            ],
        )

    def chain_ends(self, job_ids: Sequence[JobId]) -> Mapping[JobId, ChainEnd]:
        found = self._session.rows(SQL["chain_ends"], {"ids": encode(list(job_ids)).decode()})
        return {
            job_id: ChainEnd(chain_id, open_jobs, rows.moment(last_completed_at))
            for job_id, chain_id, open_jobs, last_completed_at in found
        }

    def waiting(self, *, up_to: int) -> int:
        ((number,),) = self._session.rows(SQL["waiting"], {"up_to": up_to})
        return int(number)

    def counts(self) -> Mapping[JobStatus, int]:
        ((queued, running),) = self._session.rows(SQL["counts"])
        return {JobStatus.QUEUED: queued, JobStatus.RUNNING: running}
