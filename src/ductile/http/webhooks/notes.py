"""Lists deliveries that started nothing, beside their answers and whatever their number."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Final

from ductile.dispatch.interfaces import Inbox
from ductile.errors import DuctileError
from ductile.http.webhooks.refusals import Later, on_the_loop
from ductile.model.delivery import Delivery
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import PartFailed

#: Seconds between two transactions.
EVERY: Final = 1.0
#: Deliveries that are listed in one of them; more than that within a second are not listed.
MOST: Final = 100


class Notes:
    """Writes the first delivery at once, and those of the second after it together.

    Nobody waits for it, and what cannot be listed is lost without harm. So whoever scans for
    open doors costs a small transaction a second, and no more memory than `MOST` rows take.
    """

    def __init__(
        self,
        inbox: Inbox,
        telemetry: Telemetry,
        *,
        every: float = EVERY,
        later: Later = on_the_loop,
    ) -> None:
        self._inbox = inbox
        self._telemetry = telemetry
        self._every = every
        self._later = later
        self._waiting: list[Delivery] = []
        self._latest: Future[None] | None = None
        self._pausing = False
        self._failing = False

    def add(self, delivery: Delivery) -> None:
        """Only on the thread of the loop; never raises."""
        if len(self._waiting) < MOST:
            self._waiting.append(delivery)
        if not self._pausing:
            self._pause()
            self._write()

    def close(self) -> None:
        """Write what is still waiting; nothing comes in any more."""
        self._write()

    def _pause(self) -> None:
        self._pausing = True
        self._later(self._every, self._go_on)

    def _go_on(self) -> None:
        self._pausing = False
        if self._waiting:
            self._pause()
            # A database that takes its time is not given more to do meanwhile.
            if self._latest is None or self._latest.done():
                self._write()

    def _write(self) -> None:
        deliveries, self._waiting = self._waiting, []
        if not deliveries:
            return
        try:
            self._latest = self._inbox.keep(deliveries)
        except DuctileError as error:
            self._fail(error)
        else:
            self._latest.add_done_callback(self._written)

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
