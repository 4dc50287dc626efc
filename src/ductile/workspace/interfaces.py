"""Workspaces: what may be asked of the directories that jobs work in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from ductile.model.artifact import Artifact, Taint
from ductile.model.ids import JobId


@dataclass(frozen=True, slots=True)
class WorkspaceKey:
    """Names the directory of one attempt; the path is computed from it, never stored."""

    job_id: JobId
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a file was when it was linked."""

    inode: int
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Workspace:
    """An open workspace and what it inherited."""

    key: WorkspaceKey
    path: Path
    shared: Mapping[str, Fingerprint] = field(default_factory=dict)
    """Inherited regular files that share their bytes with the parent, by relative path."""
    inherited: Mapping[str, Fingerprint] = field(default_factory=dict)
    """All inherited files, copies and symlinks included, by relative path."""


@dataclass(frozen=True, slots=True)
class CleanupReport:
    """What a clean-up came to."""

    deleted: Sequence[str] = ()
    """Names of the directories that are gone."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Names of those that could not be deleted, and why."""


#: The recorded BLAKE3 of an inherited path, None if the ledger does not know it.
KnownHash = Callable[[str], str | None]


class WorkspaceManager(Protocol):
    """Gives every attempt a directory of its own.

    Paths stay inside one root, which is made when it is first needed, and are readable by
    their owner only. Nothing ever follows a symlink. A workspace appears under its name when
    it is whole, or not at all. A full disk, a missing permission or a file system that cannot
    link raises WorkspaceError, which names the file and says what to set.
    """

    def create(self, key: WorkspaceKey) -> Workspace:
        """Make an empty workspace. Raises WorkspaceError if there is one already."""

    def clone(self, source: WorkspaceKey, target: WorkspaceKey, *, copy: bool = False) -> Workspace:
        """Make a workspace that holds what `source` holds.

        Directories are made, regular files hard-linked (with `copy`, copied), symlinks made
        anew with the same text; anything else is refused. Costs one `link` and one `stat` per
        file and one `mkdir` per directory. Never copies unless asked to.
        """

    def open(self, key: WorkspaceKey) -> Workspace:
        """The workspace that is there. Raises WorkspaceError if it is missing."""

    def path(self, key: WorkspaceKey) -> Path:
        """Where the workspace is, or would be."""

    def check(self, workspace: Workspace, known: KnownHash) -> Sequence[Taint]:
        """Which inherited files were changed in place.

        One stat per shared file; a file that has another size or time is hashed and held
        against `known`. A file that was removed or replaced by another one is no taint.
        """

    def seal(self, workspace: Workspace) -> Sequence[Artifact]:
        """Take the write bits off all files that were added or replaced, and record the changes.

        By path. Costs one stat per inherited file and one read per new one. Raises
        WorkspaceError for what cannot be committed: sockets, pipes, devices.
        """

    def verify(self, key: WorkspaceKey, held: Mapping[str, Artifact]) -> Sequence[Taint]:
        """Hold a committed workspace against what the ledger says that it holds."""

    def names(self) -> Mapping[str, WorkspaceKey | None]:
        """The directories in the root: name to key, or to None for one that has no such form."""

    def older_than(self, name: str, age: timedelta) -> bool:
        """Whether a directory of that name was last changed longer ago than `age`."""

    def cleanup(self, names: Sequence[str]) -> CleanupReport:
        """Delete these directories of the root.

        One that cannot be deleted does not stop the others; one that is gone already counts
        as deleted.
        """
