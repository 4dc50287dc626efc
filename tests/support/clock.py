"""A clock that tests move themselves."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Final

#: When the clock of a test starts unless told otherwise.
START: Final = datetime(2026, 2, 14, 12, 0, tzinfo=UTC)


class FakeClock:
    """Stands still until it is advanced; threads may share it."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        with self._lock:
            return self._monotonic

    def advance(self, by: timedelta) -> None:
        """Let time pass, on both faces of the clock."""
        with self._lock:
            self._now += by
            self._monotonic += by.total_seconds()
