"""The loop that the services share: do a round, wait, do it again, until stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import PartFailed


class Periodic:
    """Calls `run_once` at once and then every `interval`, on a thread of its own.

    A round that raises is reported, and the next one comes all the same.
    """

    def __init__(
        self, name: str, interval: timedelta, run_once: Callable[[], object], telemetry: Telemetry
    ) -> None:
        self._name = name
        self._interval = interval.total_seconds()
        self._run_once = run_once
        self._telemetry = telemetry
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None and not self._stopping.is_set():
            self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        while True:
            try:
                self._run_once()
            except Exception as error:
                self._telemetry.emit(PartFailed(self._name, str(error) or repr(error)))
            if self._stopping.wait(self._interval):
                return
