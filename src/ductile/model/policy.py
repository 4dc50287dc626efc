"""How often and how long a job is tried, and what its workspace starts with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class WorkspaceMode(StrEnum):
    """What the workspace of a job starts with."""

    CLONE = "clone"
    """The parent's files, by hard links."""
    COPY = "copy"
    """The parent's files, as copies that may be changed in place."""
    EMPTY = "empty"
    """Nothing."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a failed job is tried again."""

    max_attempts: int = 4
    """Tries in all, the first included."""
    backoff_base: timedelta = timedelta(seconds=30)
    """The wait after the first failure; it doubles with each further one."""
    backoff_cap: timedelta = timedelta(hours=24)
    """The longest wait."""
