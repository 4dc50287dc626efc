"""The clock: the one place that reads the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is; tests hand in one that they move themselves."""

    def now(self) -> datetime:
        """The wall clock in UTC; may jump, so it is for records, never for measuring."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back, so it is for deadlines."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def to_text(moment: datetime) -> str:
    """ISO 8601 in UTC, always with six decimals and `Z`, so that it sorts as text."""
    # Every row has several of these, and `isoformat` takes twice as long.
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return (
        f"{utc.year:04}-{utc.month:02}-{utc.day:02}T"
        f"{utc.hour:02}:{utc.minute:02}:{utc.second:02}.{utc.microsecond:06}Z"
    )


def from_text(text: str) -> datetime:
    """The inverse of `to_text`."""
    return datetime.fromisoformat(text)
