"""Workspaces: what may be asked of the directories that jobs work in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

from ductile.errors import WorkspaceError
from ductile.model.artifact import Artifact, Taint
from ductile.model.ids import JobId


@dataclass(frozen=True, slots=True)
class WorkspaceKey:
    """Names the directory of one attempt; the path is computed from it, never stored."""

    job_id: JobId
    attempt: int = 1


class Fingerprint(NamedTuple):
    """What a file was when it was linked; one is made for every file of every clone."""

    inode: int
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Workspace:
    """An open workspace and what it inherited."""

    key: WorkspaceKey
    path: Path
    shared: Mapping[str, Fingerprint] = field(default_factory=dict)
    """Inherited regular files that share their bytes with a source, by relative path."""
    inherited: Mapping[str, Fingerprint] = field(default_factory=dict)
    """All inherited files, copies and symlinks included, by relative path."""
    sources: tuple[WorkspaceKey, ...] = ()
    """The workspaces that it was made from, each once; where two have a path, the later won."""
    displaced: frozenset[str] = frozenset()
    """Files of a source in whose place a later source's directory is, be it an empty one."""


@dataclass(frozen=True, slots=True)
class CleanupReport:
    """What a clean-up came to."""

    deleted: Sequence[str] = ()
    """Names of the directories that are gone."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Names of those that could not be deleted, and why."""


class Tainted(WorkspaceError):
    """Inherited files were changed in place, so nothing of the workspace can be committed."""

    def __init__(self, taints: Sequence[Taint]) -> None:
        super().__init__(", ".join(f"{taint.path}: {taint.detail}" for taint in taints))
        self.taints = tuple(taints)


#: The recorded BLAKE3 of an inherited path, None if the ledger does not know it.
KnownHash = Callable[[str], str | None]


class WorkspaceManager(Protocol):
    """Gives every attempt a directory of its own.

    Paths stay inside one root, which is made when it is first needed, and are readable by
    their owner only. A root that was there and is gone, with what was mounted on it perhaps, is
    an error until it is back, and never made anew. Nothing ever follows a symlink. A workspace
    appears under its name when it is whole, or not at all. A full disk, a missing permission or
    a file system that cannot link raises WorkspaceError, which names the file and says what to
    set.
    """

    def create(self, key: WorkspaceKey) -> Workspace:
        """Make an empty workspace. Raises WorkspaceError if there is one already."""

    def clone(self, source: WorkspaceKey, target: WorkspaceKey, *, copy: bool = False) -> Workspace:
        """Make a workspace that holds what `source` holds.

        Directories are made, regular files hard-linked (with `copy`, copied), symlinks made
        anew with the same text; anything else is refused. Costs one `link` and one `stat` per
        file and one `mkdir` per directory. Never copies unless asked to; copies can be written
        to by their owner and keep their executable bits. Directories keep no modes. Raises
        SourceUnusable if `source` is missing, and WorkspaceError if `target` is there already;
        after any error nothing is left behind.
        """

    def merge(
        self,
        sources: Sequence[WorkspaceKey],
        target: WorkspaceKey,
        *,
        bases: Sequence[WorkspaceKey] = (),
        copy: bool = False,
    ) -> Workspace:
        """Make a workspace that holds the union of what `sources` hold.

        Like `clone`, source by source. Directories are united; where two sources have anything
        else under one path, the later one's is all that is there: a file replaces an earlier
        directory and all that is in it, a directory an earlier file. Only what wins is linked,
        at the cost of a clone; what does not is not looked at. A source that is named twice
        counts once, as the last. Without sources the workspace is empty.

        `bases` are what all sources were made from, over however many steps. A file that a
        source has as one of them has it (size and time) was only handed on: it gives way to
        what any other source made of it. Costs one stat per file of each of them and of each
        source. Raises SourceUnusable if any of them is missing.
        """

    def open(self, key: WorkspaceKey) -> Workspace:
        """The workspace that is there, without what it inherited: only its maker knows that.

        Raises SourceUnusable if it is missing or no directory, and another WorkspaceError if
        the root is not there or cannot be used at the moment.
        """

    def probe(self) -> None:
        """Raise WorkspaceError unless a workspace can be made and written to right now."""

    def path(self, key: WorkspaceKey) -> Path:
        """Where the workspace is, or would be: side by side with all others."""

    def check(self, workspace: Workspace, known: KnownHash) -> Sequence[Taint]:
        """Which inherited files were changed in place, by their inherited path.

        One stat per shared file, a second one for those that were removed, renamed or replaced:
        they are looked up in their source, so that a change before the removal or after the
        renaming is found too. A file that has another size or time is hashed and held against
        `known`; if these agree, or only its mode is another one, it is no taint. Nor is a file
        that was removed or replaced by another one.
        """

    def seal(self, workspace: Workspace, known: KnownHash | None = None) -> Sequence[Artifact]:
        """Take the write bits off all files that were added or replaced, and record the changes.

        By path. Costs one stat per inherited file and one read per new one. What was displaced
        is recorded as removed, since the ledger knows of no directories. A shared file that
        is still there is not touched, whatever its mode; a copy is recorded as replaced if its
        size or time is another one. Sealed files also lose their set-id bits, are readable by
        their owner, and have their time set back by a nanosecond, so that every later write
        shows in it. Raises WorkspaceError for what cannot be committed:
        sockets, pipes, devices, files that are still written to, and new files that have another
        name outside the workspace.

        With `known`, does what `check` does with the same look at every file, and raises Tainted
        for what `check` would return.
        """

    def verify(self, key: WorkspaceKey, held: Mapping[str, Artifact]) -> Sequence[Taint]:
        """Hold a committed workspace against what the ledger says that it holds.

        Finds files that are missing, changed, or not in the ledger. A file is hashed if its
        size or time is another one. This is also the check for a workspace whose maker died:
        its sources are held against the ledger.
        """

    def names(self) -> Mapping[str, WorkspaceKey | None]:
        """The workspaces in the root: name to key, or to None for the leftover of a clone or a
        clean-up that died. Whatever else is there is not ours, and never listed.
        """

    def older_than(self, name: str, age: timedelta) -> bool:
        """Whether a directory of that name was last changed longer ago than `age`.

        By the time of the directory itself, not of what is in it; False if it is gone.
        """

    def cleanup(self, names: Sequence[str]) -> CleanupReport:
        """Delete these directories of the root.

        One that cannot be deleted does not stop the others; it loses its name all the same, and
        what stays of it is listed as a leftover. One that is gone already counts as deleted.
        A name that `names` would not list is a failure, and nothing is done to it.
        """


@dataclass(frozen=True, slots=True)
class FileId:
    """What a file is, whatever its names are."""

    device: int
    inode: int


class DefectKind(StrEnum):
    """What is wrong with one file of a committed workspace."""

    CHANGED = "changed"
    """Its bytes, or what kind of thing it is, are not what was sealed."""
    MISSING = "missing"
    UNKNOWN = "unknown"
    """The ledger knows of no such file."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Defect:
    """One file that is not as the ledger says."""

    kind: DefectKind
    path: str
    detail: str
    """What differs, for people: `size 12 became 20`."""
    file: FileId | None = None
    """What is there instead; only of what was changed."""
    mtime_ns: int = 0
    """When that says it was written."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look at a whole workspace found."""

    files: int
    """How many the ledger says there are."""
    size: int
    """Bytes of all that is there."""
    read: int
    """How many had to be read; the others are further names of what was read before."""
    defects: tuple[Defect, ...] = ()
    """By path."""


class WorkspaceAudit(Protocol):
    """Reads committed workspaces to the last byte; changes nothing in them.

    Unlike `WorkspaceManager.verify` it believes no size and no time. Nothing ever follows a
    symlink. Reads in pieces, so that the size of a file costs no memory. A workspace that cannot
    be opened, or goes away meanwhile, raises WorkspaceError.
    """

    def exists(self, key: WorkspaceKey) -> bool:
        """Whether its directory is there."""

    def survey(self, key: WorkspaceKey, held: Mapping[str, Artifact]) -> Survey:
        """Hash every file and hold it against what the ledger says that the workspace holds.

        A file with several names is read once until `forget`, unless its size or a time of it
        changes. One that cannot be read does not stop the others.
        """

    def holds(self, key: WorkspaceKey, files: Set[FileId]) -> Set[FileId]:
        """Which of these files have a name in the workspace; one stat per file in it."""

    def forget(self) -> None:
        """Let go of the hashes of the files that were read."""
