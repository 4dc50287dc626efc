"""The rescuer: gives back what a dead worker held."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ductile.dispatch.assignment import Assignment, PinnedVersions, load
from ductile.dispatch.settle import Settler
from ductile.errors import LeaseLost, WorkspaceError
from ductile.model.artifact import Taint
from ductile.model.clock import Clock
from ductile.model.ids import JobId, new_id
from ductile.model.job import Claim, Job, JobStatus
from ductile.model.outcome import Attempt, Crashed
from ductile.model.policy import WorkspaceMode
from ductile.plugin.orphans import kill_orphans
from ductile.storage.interfaces import Store
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import JobRescued, PartFailed
from ductile.workspace.interfaces import WorkspaceKey, WorkspaceManager


class Rescuer:
    """Ends attempts that nobody is at: kills what is left of them, checks, settles."""

    def __init__(
        self,
        held: Callable[[Claim], bool],
        store: Store,
        workspaces: WorkspaceManager,
        settler: Settler,
        pinned: PinnedVersions,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        """`held` tells whether a thread of this process is at an attempt."""
        self._held = held
        self._store = store
        self._workspaces = workspaces
        self._settler = settler
        self._pinned = pinned
        self._clock = clock
        self._telemetry = telemetry

    def run_once(self, *, everybody: bool = False) -> int:
        """Rescue jobs whose lease has ended; returns how many.

        What this process is at is left alone: a lease that could not be renewed, or a clock that
        jumped, does not make a running plugin vanish. With `everybody`, all others are rescued,
        lease or no lease: for the start of a process that knows itself to be the only one.
        """
        limit = None if everybody else self._clock.now()
        jobs = [
            job
            for job in self._store.read(lambda tx: tx.jobs.running(expired_at=limit))
            if not self._held(job.claim)
        ]
        killed = self._kill(jobs, everybody=everybody)
        for job in jobs:
            try:
                self._rescue(job, killed.get(job.id, 0))
            except LeaseLost:
                pass  # its worker was alive after all, and has settled it
            except Exception as error:
                # One job that cannot be read must not keep the others from being rescued.
                self._telemetry.emit(PartFailed("rescuer", f"job {job.id}: {error!r}"))
        return len(jobs)

    def _kill(self, jobs: Sequence[Job], *, everybody: bool) -> Mapping[JobId, int]:
        """Kill what is left of these attempts; with `everybody`, of all jobs that are not over.

        The latter may have left a process behind when they failed, which their next attempt
        must not meet either. With none of these, nobody looks at the processes.
        """
        ids = {job.id for job in jobs}
        waiting = everybody and self._store.read(lambda tx: tx.jobs.next_due()) is not None
        if not jobs and not waiting:
            return {}
        wanted = self._is_open if everybody else ids.__contains__
        # All workspaces are side by side: the parent of any of them is that of all.
        root = self._workspaces.path(WorkspaceKey(JobId(new_id()))).parent
        return kill_orphans(wanted, root)

    def _is_open(self, job_id: JobId) -> bool:
        job = self._store.read(lambda tx: tx.jobs.get(job_id))
        return job is not None and not job.status.terminal

    def _rescue(self, job: Job, killed: int) -> None:
        assignment = load(self._store, self._pinned, job)
        attempt = Attempt(
            Crashed(f"the worker of attempt {job.attempt} died, or lost its lease"),
            job.started_at or job.created_at,
            self._clock.now(),
            taints=tuple(self._taints(assignment)),
        )
        self._settler.apply(assignment, attempt)
        self._telemetry.emit(JobRescued(job.id, job.plugin, job.claimed_by or "", killed))

    def _taints(self, assignment: Assignment) -> Iterator[Taint]:
        """What the dead attempt changed in place; its own record of what it linked is lost,
        so the parents' committed workspaces are held against the ledger instead."""
        if assignment.job.workspace is WorkspaceMode.CLONE:
            for parent in assignment.parents:
                if parent.status is JobStatus.SUCCEEDED:
                    yield from self._taints_in(parent)

    def _taints_in(self, parent: Job) -> Iterator[Taint]:
        held = {
            path: artifact
            for path, (_, artifact) in self._store.read(
                lambda tx: tx.artifacts.held(parent.id)
            ).items()
        }
        try:
            taints = self._workspaces.verify(WorkspaceKey(parent.id, parent.attempt), held)
        except WorkspaceError:
            return  # nothing to compare with; the next attempt will say that it is missing
        for taint in taints:
            if taint.path not in held or held[taint.path].tainted_by is None:
                yield taint
