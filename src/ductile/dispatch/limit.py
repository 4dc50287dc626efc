"""The limit of the queue: nothing more is let in while too many jobs wait."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Final

from ductile.dispatch.interfaces import Accepted, Intake, Trigger
from ductile.errors import Overloaded
from ductile.model.clock import Clock
from ductile.storage.interfaces import Store

#: Seconds for which a count is good, and those after which a full queue is looked at again.
FRESH: Final = 1.0
FRESH_IF_FULL: Final = 0.2


class LimitedIntake:
    """The front door, closed while as many jobs wait as are allowed to.

    Jobs that follow from others do not come through here, and are never refused. They are not
    counted one by one either: what comes in is added to the latest count, and the count is
    made anew once a second while something comes in, so that the limit may be passed by what
    follows within a second. A count costs no more than the limit, however many jobs there are.
    """

    def __init__(self, intake: Intake, store: Store, limit: int, clock: Clock) -> None:
        self._intake = intake
        self._store = store
        self._limit = limit
        self._clock = clock
        # Entered twice by one thread where a count is there before anybody could wait for it.
        self._lock = threading.RLock()
        self._waiting = 0
        self._counted_at: float | None = None
        self._counting = False

    def submit(self, trigger: Trigger) -> Future[Accepted]:
        """Like `Intake.submit`; the future fails with Overloaded when the limit is reached."""
        if self._is_full():
            refused: Future[Accepted] = Future()
            refused.set_exception(
                Overloaded(
                    f"{self._limit} jobs wait already, which is service.queue_limit; nothing was "
                    "accepted: send it again when they are done, or raise the limit"
                )
            )
            return refused
        accepted = self._intake.submit(trigger)
        accepted.add_done_callback(self._add)
        return accepted

    def accept(self, trigger: Trigger) -> Accepted:
        """Like `submit`, waiting for the commit."""
        return self.submit(trigger).result()

    def _is_full(self) -> bool:
        with self._lock:
            now, counted_at = self._clock.monotonic(), self._counted_at
            if counted_at is None:
                self._take(self._count().result())
            else:
                fresh = FRESH if self._waiting < self._limit else FRESH_IF_FULL
                if now - counted_at >= fresh and not self._counting:
                    self._counting = True
                    # Not waited for: the thread that asks serves everybody on the network.
                    self._count().add_done_callback(self._counted)
            return self._waiting >= self._limit

    def _count(self) -> Future[int]:
        return self._store.submit(lambda tx: tx.views.waiting(up_to=self._limit))

    def _counted(self, count: Future[int]) -> None:
        with self._lock:
            self._counting = False
            if not count.cancelled() and count.exception() is None:
                self._take(count.result())

    def _take(self, waiting: int) -> None:
        self._waiting = waiting
        self._counted_at = self._clock.monotonic()

    def _add(self, accepted: Future[Accepted]) -> None:
        if accepted.cancelled() or accepted.exception() is not None:
            return
        # The jobs of a repeat are those of the first, counted already.
        if accepted.result().duplicate_of is None:
            with self._lock:
                self._waiting += len(accepted.result().job_ids)
