"""The dispatcher: claims jobs for its threads, when a commit wakes it and when one settles."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ductile.dispatch.assignment import Claimed
from ductile.dispatch.interfaces import Performer
from ductile.model.clock import Clock
from ductile.model.ids import JobId, WorkerId
from ductile.model.job import Claim, Job
from ductile.plugin.interfaces import StopToken
from ductile.storage.interfaces import Store, Transaction
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import PartFailed

#: The longest wait between two looks at the queue. Commits of this process wake the
#: dispatcher; this is for those of other processes, and for clocks that jump.
SAFETY_POLL: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much one dispatcher takes on."""

    max_workers: int
    """Jobs at a time."""
    parallelism: Mapping[str, int]
    """The most jobs at a time of single plugins."""
    lease: timedelta
    """How long a claim holds without being renewed."""
    grace: timedelta
    """How long running jobs may go on when the dispatcher stops."""


class Dispatcher:
    """Keeps up to `max_workers` jobs going, and renews their leases.

    A thread that settles a job claims its next one in the same transaction, so a busy gateway
    commits once for each job. The dispatcher itself claims for threads that have none.
    """

    def __init__(
        self,
        worker: WorkerId,
        store: Store,
        performer: Performer,
        capacity: Capacity,
        new_stop: Callable[[], StopToken],
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        """`performer` does jobs on the dispatcher's threads.

        `new_stop` makes the token of one job, which is set when the job is to be stopped: by
        `interrupt`, or when the grace time of a stop is over.
        """
        self._worker = worker
        self._store = store
        self._performer = performer
        self._capacity = capacity
        self._new_stop = new_stop
        self._clock = clock
        self._telemetry = telemetry
        self._change = threading.Condition()
        self._stops: dict[Claim, StopToken] = {}
        """Of the attempts that it is at: the next attempt of a job may be claimed before the
        thread of the one before it has let go of it."""
        self._awake = False
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._pool = ThreadPoolExecutor(capacity.max_workers, thread_name_prefix="worker")

    @property
    def alive(self) -> bool:
        """Whether it looks for jobs."""
        return self._thread is not None and self._thread.is_alive() and not self._stopping

    @property
    def running(self) -> int:
        """How many jobs it is at."""
        return len(self._stops)

    def wake(self) -> None:
        """There may be something to claim; cheap, callable from any thread."""
        # It was called before, and the look that it was called for is still to come.
        if self._awake:
            return
        with self._change:
            self._awake = True
            if self._room > 0:
                self._change.notify_all()

    def limit(self, parallelism: Mapping[str, int]) -> None:
        """Claim no more jobs at a time of single plugins than this, from now on."""
        self._capacity = replace(self._capacity, parallelism=parallelism)
        self.wake()

    def start(self) -> None:
        """Begin to claim; a second call changes nothing."""
        with self._change:
            if self._thread is not None or self._stopping:
                return
            self._thread = threading.Thread(target=self._loop, name="dispatcher", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Claim nothing more, give running jobs their grace time, then stop their plugins.

        Returns when no job is running. Harmless before `start` and when called again.
        """
        with self._change:
            self._stopping = True
            self._change.notify_all()
        if self._thread is not None:
            self._thread.join()
        with self._change:
            self._change.wait_for(lambda: not self._stops, self._capacity.grace.total_seconds())
        with self._change:
            self.interrupt([claim.job_id for claim in self._stops])
        self._pool.shutdown(wait=True)

    def interrupt(self, job_ids: Iterable[JobId]) -> None:
        """Stop the plugins of these jobs, as far as it is at them; their attempts end soon."""
        with self._change:
            wanted = set(job_ids)
            for claim, stop in self._stops.items():
                if claim.job_id in wanted:
                    stop.set()

    def run_once(self) -> int:
        """Claim as many jobs as there are free threads; returns how many it got."""
        free = self._room
        if free <= 0:
            return 0
        taken = self._store.write(lambda tx: self._take(tx, free))
        for claimed in taken:
            if self._begin(claimed.job):
                self._pool.submit(self._work, claimed)
        return len(taken)

    def renew(self) -> int:
        """Extend the leases of all that it is at; to be called several times per lease.

        A job that it has claimed and let go of, because something failed, is not renewed: the
        rescuer finds it when its lease ends.
        """
        now, lease = self._clock.now(), self._capacity.lease
        with self._change:
            held = list(self._stops)
        if not held:
            return 0
        return self._store.write(lambda tx: tx.jobs.renew(held, lease=lease, now=now))

    def holds(self, claim: Claim) -> bool:
        """Whether it is at that attempt."""
        return claim in self._stops

    @property
    def _room(self) -> int:
        """How many threads have no job."""
        return self._capacity.max_workers - len(self._stops)

    def _take(self, tx: Transaction, limit: int) -> Sequence[Claimed]:
        jobs = tx.jobs.claim(
            self._worker,
            limit=limit,
            lease=self._capacity.lease,
            now=self._clock.now(),
            parallelism=self._capacity.parallelism,
        )
        return [self._performer.look_up(tx, job) for job in jobs]

    def _follow(self, tx: Transaction, *, queued: int, waiting: bool) -> Claimed | None:
        taken: Sequence[Claimed] = ()
        try:
            if not self._stopping:
                taken = self._take(tx, 1)
        except Exception as error:
            self._telemetry.emit(PartFailed("dispatcher", str(error) or repr(error)))
        # One job for this thread; whatever else there is now is for those that have none.
        if queued > len(taken) or waiting:
            tx.after_commit(self.wake)
        return taken[0] if taken else None

    def _work(self, claimed: Claimed) -> None:
        following: Claimed | None = claimed
        while following is not None:
            job = following.job
            try:
                following = self._performer.perform(following, self._stops[job.claim], self._follow)
                if following is not None and not self._begin(following.job):
                    following = None
            except BaseException:
                self._end(job, last=True)
                raise
            self._end(job, last=following is None)

    def _begin(self, job: Job) -> bool:
        """Whether its attempt can begin; without a descriptor for its token the job goes back."""
        try:
            stop = self._new_stop()
        except OSError as error:
            reason = f"the attempt could not begin: {error}"
            self._telemetry.emit(PartFailed("dispatcher", f"job {job.id}: {reason}"))
            self._store.write(lambda tx: tx.jobs.give_back(job.claim, error=reason))
            return False
        with self._change:
            self._stops[job.claim] = stop
        return True

    def _end(self, job: Job, *, last: bool) -> None:
        """The thread has ended an attempt; after the `last` one it has no other."""
        with self._change:
            self._stops.pop(job.claim).close()
            # Of a plugin with a limit, the end of one job may make room for another's.
            self._awake = self._awake or job.plugin in self._capacity.parallelism
            if last or (self._awake and self._room > 0):
                self._change.notify_all()

    def _loop(self) -> None:
        while not self._stopping:
            with self._change:
                self._awake = False
            try:
                looked_at = self._clock.now()
                pause = SAFETY_POLL if self.run_once() else self._pause(looked_at)
            except Exception as error:
                self._telemetry.emit(PartFailed("dispatcher", str(error) or repr(error)))
                pause = SAFETY_POLL
            with self._change:
                self._change.wait_for(lambda: self._awake or self._stopping, pause.total_seconds())

    def _pause(self, looked_at: datetime) -> timedelta:
        """Until the next job is due, but not longer than the safety poll."""
        due = self._store.read(lambda tx: tx.jobs.next_due())
        # One that was due already was passed over for want of room; to look again at once
        # would find none, and who makes room wakes the dispatcher.
        if due is None or due <= looked_at:
            return SAFETY_POLL
        return min(SAFETY_POLL, max(timedelta(0), due - self._clock.now()))
