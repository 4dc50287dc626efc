"""Who can have changed a file in place: decided from times alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ductile.insights.integrity.findings import Suspicion
from ductile.model.clock import to_text
from ductile.model.ids import JobId

#: File systems stamp a write with the time of the kernel's last tick, which may lie before the
#: moment that the ledger noted as the start of the attempt.
TICK: Final = timedelta(milliseconds=10)


@dataclass(frozen=True, slots=True)
class Holder:
    """One attempt whose workspace shared the bytes of the file."""

    job_id: JobId
    attempt: int
    step_id: str | None
    started_at: datetime
    ended_at: datetime | None
    """None while it runs."""


def first_possible(holders: Sequence[Holder], *, sealed_ns: int, mtime_ns: int) -> Suspicion:
    """The first of `holders`, by the start of the attempt, that can have done it.

    A file that says it was written at another time than that of its seal was written by somebody
    who was there at that time. One whose time is that of the seal had it put back, or was
    changed below the file system: then every holder is possible.
    """
    in_order = sorted(holders, key=lambda each: (each.started_at, each.job_id, each.attempt))
    if mtime_ns == sealed_ns:
        if in_order:
            return _suspicion(
                in_order[0],
                "its time is still that of the seal, so it was put back; this job was the first "
                "after the writer to have the file",
            )
        return Suspicion(
            None, "its time is still that of the seal, and no other job ever had the file"
        )
    written = moment_of(mtime_ns)
    at = to_text(written)
    for each in in_order:
        if each.started_at - TICK <= written and (
            each.ended_at is None or written <= each.ended_at
        ):
            return _suspicion(each, f"it had the file and was running at {at}, its last write")
    return Suspicion(None, f"no job that had the file was running at {at}, its last write")


def moment_of(time_ns: int) -> datetime:
    """A time of the file system as a point in time, to the microsecond."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1000)


def _suspicion(holder: Holder, reason: str) -> Suspicion:
    return Suspicion(holder.job_id, reason, holder.attempt, holder.step_id)
