"""Lists deliveries that started nothing, beside their answers and whatever their number."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from typing import Final

from ductile.dispatch.interfaces import Inbox
from ductile.errors import DuctileError
from ductile.http.webhooks.refusals import Later, on_the_loop
from ductile.model.delivery import Delivery
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import PartFailed

#: Seconds between two transactions,
EVERY: Final = 1.0
#: and while more is waiting than one of them takes: others write too.
BREATH: Final = 0.02
#: Deliveries that are listed in one transaction.
MOST: Final = 100
#: Deliveries that may wait altogether.
WAITING: Final = 10_000


def room(endpoints: int, limit: int) -> int:
    """How many deliveries of one endpoint may wait, where of each `limit` are kept anyway."""
    return max(1, min(limit, WAITING // max(1, endpoints)))


class Notes:
    """Writes the first delivery at once, and those of the second after it together.

    Nobody waits for it, and what cannot be listed is lost without harm. So whoever scans for
    open doors costs small transactions, and no more memory than `WAITING` rows take. No endpoint
    waits for another, or loses anything by it.
    """

    def __init__(
        self,
        inbox: Inbox,
        telemetry: Telemetry,
        *,
        of_each: int = WAITING,
        every: float = EVERY,
        later: Later = on_the_loop,
    ) -> None:
        """`of_each` deliveries of one endpoint may wait, then the oldest of them are not listed."""
        self._inbox = inbox
        self._of_each = of_each
        self._telemetry = telemetry
        self._every = every
        self._later = later
        self._waiting: dict[str, deque[Delivery]] = {}
        """By endpoint, the one that waits longest first; none is empty."""
        self._latest: Future[None] | None = None
        self._pausing = False
        self._failing = False

    def add(self, delivery: Delivery) -> None:
        """Only on the thread of the loop; never raises."""
        waiting = self._waiting.setdefault(delivery.endpoint, deque(maxlen=self._of_each))
        waiting.append(delivery)
        if not self._pausing:
            self._write()
            self._pause()

    def close(self) -> None:
        """Write what is still waiting; nothing comes in any more."""
        while self._waiting:
            self._write()

    def _pause(self) -> None:
        self._pausing = True
        self._later(BREATH if self._waiting else self._every, self._go_on)

    def _go_on(self) -> None:
        self._pausing = False
        if self._waiting:
            # A database that takes its time is not given more to do meanwhile.
            if self._latest is None or self._latest.done():
                self._write()
            self._pause()

    def _write(self) -> None:
        try:
            self._latest = self._inbox.keep(self._next())
        except DuctileError as error:
            self._fail(error)
        else:
            self._latest.add_done_callback(self._written)

    def _next(self) -> list[Delivery]:
        """What one transaction takes; an endpoint that has more waits for all others then."""
        taken: list[Delivery] = []
        for endpoint in list(self._waiting):
            waiting = self._waiting.pop(endpoint)
            while waiting and len(taken) < MOST:
                taken.append(waiting.popleft())
            if waiting:
                self._waiting[endpoint] = waiting
            if len(taken) == MOST:
                break
        return taken

    def _written(self, commit: Future[None]) -> None:
        error = None if commit.cancelled() else commit.exception()
        if error is None:
            self._failing = False
        else:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        # Once, until it works again: it fails with every delivery while a disk is full.
        if not self._failing:
            self._telemetry.emit(PartFailed("inbox", f"deliveries were not listed: {error}"))
        self._failing = True
