"""Holding the committed workspaces of a chain against its artifacts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeAlias

from ductile.errors import WorkspaceError
from ductile.insights.integrity.findings import FileProblem, Tally
from ductile.insights.integrity.suspects import Holder, first_possible, moment_of
from ductile.model.artifact import Artifact
from ductile.model.clock import Clock
from ductile.model.ids import ChainId, JobId
from ductile.model.job import Job, JobStatus
from ductile.model.policy import WorkspaceMode
from ductile.storage.interfaces import ChainRecords, Store
from ductile.workspace.interfaces import Defect, DefectKind, FileId, WorkspaceAudit, WorkspaceKey

#: Path to (job that wrote it, artifact).
_Held: TypeAlias = Mapping[str, tuple[JobId, Artifact]]


@dataclass(frozen=True, slots=True)
class Found:
    """What looking at the workspaces came to."""

    tally: Tally
    problems: Sequence[FileProblem] = ()


@dataclass(slots=True)
class _Sight:
    """One defect, and everybody in whose workspace it shows."""

    defect: Defect
    owner: JobId | None
    artifact: Artifact | None
    seen_in: list[JobId] = field(default_factory=list)


class WorkspaceCheck:
    """Reads committed workspaces, and asks who can have changed what is changed."""

    def __init__(self, store: Store, audit: WorkspaceAudit, ttl: timedelta, clock: Clock) -> None:
        self._store = store
        self._audit = audit
        self._ttl = ttl
        self._clock = clock

    def check(self, records: ChainRecords, jobs: Sequence[Job]) -> Found:
        """Hold the workspaces of those of `jobs` that succeeded against the ledger."""
        tally = Tally()
        sights: dict[object, _Sight] = {}
        absent: list[JobId] = []
        for job in jobs:
            if job.status is not JobStatus.SUCCEEDED:
                continue
            looked = self._look(job, sights)
            if looked is None:
                absent.append(job.id)
            else:
                tally += looked
        problems = list(self._explain(records, list(sights.values())))
        if absent and self._expired(records.chain_id, absent[0]):
            tally += Tally(expired=len(absent))
        else:
            problems += [
                FileProblem(
                    DefectKind.MISSING,
                    "",
                    "the whole workspace is not there, and has not expired",
                    (job_id,),
                    job_id,
                )
                for job_id in absent
            ]
        return Found(tally, problems)

    def _look(self, job: Job, sights: dict[object, _Sight]) -> Tally | None:
        """Read one workspace; None if it is not there, or not any more."""
        key = WorkspaceKey(job.id, job.attempt)
        held: _Held = self._store.read(lambda tx: tx.artifacts.held(job.id))
        try:
            if not self._audit.exists(key):
                return None
            survey = self._audit.survey(key, {path: each for path, (_, each) in held.items()})
            # The janitor may have taken it away in the middle of the look.
            if survey.defects and not self._audit.exists(key):
                return None
        except WorkspaceError as error:
            if self._gone(key):
                return None
            defect = Defect(DefectKind.UNREADABLE, "", str(error))
            sights[job.id, ""] = _Sight(defect, job.id, None, [job.id])
            return Tally()
        for defect in survey.defects:
            owner, artifact = held.get(defect.path, (None, None))
            # What is missing here may well be there in another workspace; what was changed is
            # one file under many names.
            one = (defect.path, owner, defect.file, defect.kind)
            sight = sights.setdefault(one, _Sight(defect, owner, artifact))
            sight.seen_in.append(job.id)
        return Tally(workspaces=1, files=survey.files, size=survey.size)

    def _gone(self, key: WorkspaceKey) -> bool:
        try:
            return not self._audit.exists(key)
        except WorkspaceError:
            return False

    def _expired(self, chain_id: ChainId, job_id: JobId) -> bool:
        """Whether the janitor may have deleted the chain's workspaces, by the ledger's times."""
        end = self._store.read(lambda tx: tx.views.chain_ends([job_id])).get(job_id)
        if end is None or end.open_jobs or end.last_completed_at is None:
            return False
        return end.last_completed_at <= self._clock.now() - self._ttl

    def _explain(self, records: ChainRecords, sights: Sequence[_Sight]) -> Iterator[FileProblem]:
        files = {each.defect.file for each in sights if each.defect.file is not None}
        holders = self._holders(records, files) if files else {}
        for each in sights:
            yield self._problem(records, each, holders)

    def _problem(
        self, records: ChainRecords, sight: _Sight, holders: Mapping[FileId, Set[JobId]]
    ) -> FileProblem:
        defect, artifact = sight.defect, sight.artifact
        problem = FileProblem(
            defect.kind,
            defect.path,
            defect.detail,
            tuple(sight.seen_in),
            sight.owner,
            caught_in=artifact.tainted_by if artifact else None,
        )
        if defect.file is None or artifact is None:
            return problem
        possible = _possible(records, holders.get(defect.file, frozenset()))
        return replace(
            problem,
            written_at=moment_of(defect.mtime_ns),
            first_possible=first_possible(
                possible, sealed_ns=artifact.mtime_ns, mtime_ns=defect.mtime_ns
            ),
        )

    def _holders(self, records: ChainRecords, files: Set[FileId]) -> Mapping[FileId, Set[JobId]]:
        """The jobs of the chain whose committed workspace has a name for each of these files."""
        found: defaultdict[FileId, set[JobId]] = defaultdict(set)
        for job in records.jobs:
            if job.status is not JobStatus.SUCCEEDED:
                continue
            try:
                for file in self._audit.holds(WorkspaceKey(job.id, job.attempt), files):
                    found[file].add(job.id)
            except WorkspaceError:
                # What cannot be looked into, or is gone, names nobody.
                continue
        return found


def _possible(records: ChainRecords, holders: Set[JobId]) -> Sequence[Holder]:
    """Every attempt that had the file by a link: of jobs that began with a holder's workspace.

    Not those of the job that made it: what it wrote before its end was sealed as it was.
    """
    arrived: defaultdict[tuple[str, str], set[JobId]] = defaultdict(set)
    for arrival in records.arrivals:
        if arrival.job_id is not None:
            arrived[arrival.run_id, arrival.join_id].add(arrival.job_id)
    jobs: dict[JobId, Job] = {}
    for job in records.jobs:
        sources = {job.parent_job_id} - {None}
        if job.join_id is not None and job.run_id is not None:
            sources = {*arrived[job.run_id, job.join_id]}
        if job.workspace is WorkspaceMode.CLONE and sources & holders:
            jobs[job.id] = job
    possible = [
        Holder(
            each.job_id,
            each.attempt,
            jobs[each.job_id].step_id,
            each.started_at,
            each.completed_at,
        )
        for each in records.attempts
        if each.job_id in jobs
    ]
    possible += [
        Holder(job.id, job.attempt, job.step_id, job.started_at, None)
        for job in jobs.values()
        if job.status is JobStatus.RUNNING and job.started_at is not None
    ]
    return possible
