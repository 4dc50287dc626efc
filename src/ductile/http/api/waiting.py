"""Waiting for the end of a run, without asking for it again and again."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from ductile.http.exchange import TRY_LATER, Rejection
from ductile.http.interfaces import Receive
from ductile.model.ids import RunId
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import GatewayStopping, RunSettled, Signal

MAX_WAITS: Final = 64


class Waits:
    """All who wait; told of ends by the signal `RunSettled`, on whatever thread it comes."""

    def __init__(self, telemetry: Telemetry, *, limit: int = MAX_WAITS) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()
        self._stopping = False
        telemetry.subscribe(self._hear)

    @contextmanager
    def watch(self) -> Iterator[Watch]:
        """Begin to listen; what ends from now on is not missed.

        To be used on the event loop. Raises Rejection 503 while as many as may wait do so.
        """
        watch = Watch()
        with self._lock:
            if len(self._watches) >= self._limit:
                raise Rejection(
                    503,
                    f"{self._limit} requests wait already; nothing was accepted; try again "
                    "later, or without wait",
                    TRY_LATER,
                )
            self._watches.add(watch)
            if self._stopping:
                watch.give_up()
        try:
            yield watch
        finally:
            with self._lock:
                self._watches.remove(watch)

    def _hear(self, signal: Signal) -> None:
        if not isinstance(signal, RunSettled | GatewayStopping):
            return
        with self._lock:
            if isinstance(signal, GatewayStopping):
                self._stopping = True
            for watch in self._watches:
                watch.hear(signal)


class Watch:
    """The ends of runs since it was made."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._settled: set[RunId] = set()
        self._stopping = False

    def hear(self, signal: RunSettled | GatewayStopping) -> None:
        """Take note of a signal, on any thread."""
        # A loop that is closed has nobody left to tell.
        with contextlib.suppress(RuntimeError):
            if isinstance(signal, RunSettled):
                self._loop.call_soon_threadsafe(self._settle, signal.run)
            else:
                self._loop.call_soon_threadsafe(self.give_up)

    def give_up(self) -> None:
        """The gateway stops: do not wait any more."""
        self._stopping = True
        self._changed.set()

    def _settle(self, run_id: RunId) -> None:
        self._settled.add(run_id)
        self._changed.set()

    async def wait(self, run_id: RunId, within: timedelta, receive: Receive) -> None:
        """Return when the run has ended, or the time is over, or nobody waits any more: the
        gateway stops, or the client (by `receive`, after its body) has gone."""
        ended = asyncio.ensure_future(self._ended(run_id))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait(
                {ended, gone},
                timeout=within.total_seconds(),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            ended.cancel()
            gone.cancel()

    async def _ended(self, run_id: RunId) -> None:
        while not (self._stopping or run_id in self._settled):
            self._changed.clear()
            await self._changed.wait()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
