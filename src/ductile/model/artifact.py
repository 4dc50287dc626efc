"""The artifact: one file that a succeeded job added, replaced or removed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ductile.model.ids import JobId


class Change(StrEnum):
    """What a job did to a path of its workspace."""

    ADDED = "added"
    REPLACED = "replaced"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One change that a job made to its workspace. Rows are per change, not per file held."""

    path: str
    """Relative to the workspace, with `/`; bytes that are not UTF-8 are surrogate-escaped."""
    change: Change
    size: int = 0
    mode: int = 0
    """Permission bits as sealed."""
    blake3: str | None = None
    """64 hex digits, of a file's bytes or of a symlink's text; None for what was removed."""
    mtime_ns: int = 0
    symlink: bool = False
    tainted_by: JobId | None = None
    """The first job that was caught with this file changed in place."""


@dataclass(frozen=True, slots=True)
class Taint:
    """An inherited file that was changed in place although others share its bytes."""

    path: str
    detail: str
    """What differs, for people: `size 12 became 20`."""
