"""The clock: the one place that reads the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

import orjson


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
    # Every row has several of these, and `isoformat` takes four times as long.
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    text = orjson.dumps(utc, option=orjson.OPT_UTC_Z)[1:-1].decode()
    return text if utc.microsecond else f"{text[:-1]}.000000Z"


def from_text(text: str) -> datetime:
    """The inverse of `to_text`."""
    return datetime.fromisoformat(text)
