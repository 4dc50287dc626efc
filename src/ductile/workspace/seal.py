"""Sealing: what a job added, replaced or removed, recorded and closed to writing."""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Sequence
from typing import Final

from ductile.errors import WorkspaceError
from ductile.model.artifact import Artifact, Change
from ductile.workspace.failures import failure
from ductile.workspace.files import (
    fingerprint,
    hash_of,
    hash_of_link,
    open_regular,
    unsupported,
)
from ductile.workspace.interfaces import Fingerprint, Workspace
from ductile.workspace.layout import quoted
from ductile.workspace.tree import Descent, walk
from ductile.workspace.verify import Checking

#: What a sealed file keeps of its mode; its owner can always read it.
_KEPT: Final = 0o555
_WRITE_BITS: Final = 0o222
#: New files are set back by a nanosecond: a later write within the same tick of the file
#: system's clock would otherwise leave the time as it is, and hide.
_NUDGE: Final = 1


def seal(
    tree: Descent, workspace: Workspace, checking: Checking | None = None
) -> Sequence[Artifact]:
    """Seal the workspace at whose top `tree` stands. By path; raises WorkspaceError.

    `checking` gets to look at every file on the way.
    """
    sealing = _Sealing(tree, workspace, checking)
    for entries in walk(tree):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                sealing.take(entry)
    return sealing.finish()


class _Sealing:
    """One pass over one workspace."""

    def __init__(self, tree: Descent, workspace: Workspace, checking: Checking | None) -> None:
        self._tree = tree
        self._checking = checking
        self._workspace = workspace
        self._shared_inodes = {before.inode for before in workspace.shared.values()}
        self._inherited = set(workspace.inherited.values())
        self._seen: set[str] = set()
        self._changes: list[Artifact] = []
        #: By inode, for files with several names: what was sealed, and its first path.
        self._sealed: dict[int, tuple[os.stat_result, str, str]] = {}
        self._names: Counter[int] = Counter()

    def take(self, entry: os.DirEntry[str]) -> None:
        """Seal and record one entry of the directory in which the tree stands."""
        path = self._tree.prefix + entry.name
        self._seen.add(path)
        try:
            found = entry.stat(follow_symlinks=False)
            if self._checking is not None:
                self._checking.look(self._tree, entry, path, found)
            if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
                raise unsupported(path, found.st_mode)
            self._names[found.st_ino] += 1
            if not self._is_inherited(path, found):
                self._record(entry.name, path, found)
            elif path not in self._workspace.shared and stat.S_ISREG(found.st_mode):
                self._close_copy(entry.name, found)
        except OSError as error:
            raise failure(f"seal {quoted(path)}", error) from error

    def finish(self) -> Sequence[Artifact]:
        """All changes, what was removed included, by path."""
        for found, _, path in self._sealed.values():
            if found.st_nlink > self._names[found.st_ino]:
                raise WorkspaceError(
                    f"{quoted(path)} has another name outside the workspace, through which it "
                    "could be changed later; let the plugin copy it instead of linking it"
                )
        gone = {*self._workspace.inherited, *self._workspace.displaced} - self._seen
        removed = [Artifact(path, Change.REMOVED) for path in gone]
        return sorted([*self._changes, *removed], key=lambda artifact: artifact.path)

    def _is_inherited(self, path: str, found: os.stat_result) -> bool:
        before: Fingerprint | None = self._workspace.inherited.get(path)
        if path in self._workspace.shared:
            # Whether these bytes were changed is for the check to say: they are not ours.
            return before is not None and before.inode == found.st_ino
        return before == fingerprint(found)

    def _record(self, name: str, path: str, found: os.stat_result) -> None:
        symlink = stat.S_ISLNK(found.st_mode)
        sealed, digest = self._seal_symlink(name) if symlink else self._seal_file(name, path, found)
        self._changes.append(
            Artifact(
                path=path,
                change=Change.REPLACED if path in self._workspace.inherited else Change.ADDED,
                size=sealed.st_size,
                mode=stat.S_IMODE(sealed.st_mode),
                blake3=digest,
                mtime_ns=sealed.st_mtime_ns,
                symlink=symlink,
            )
        )

    def _seal_symlink(self, name: str) -> tuple[os.stat_result, str]:
        parent = self._tree.fd
        digest = hash_of_link(name, parent)
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        times = (found.st_atime_ns, found.st_mtime_ns - _NUDGE)
        os.utime(name, ns=times, dir_fd=parent, follow_symlinks=False)
        return os.stat(name, dir_fd=parent, follow_symlinks=False), digest

    def _seal_file(self, name: str, path: str, found: os.stat_result) -> tuple[os.stat_result, str]:
        """Open once, by descriptor from then on: a path that is swapped leads nowhere."""
        known = self._sealed.get(found.st_ino)
        if known is not None:
            return known[0], known[1]
        fd = open_regular(name, self._tree.fd)
        try:
            found = os.fstat(fd)
            os.fchmod(fd, (found.st_mode & _KEPT) | stat.S_IRUSR)
            # An inherited file may have got another name: its time is its other names' as well.
            if fingerprint(found) not in self._inherited:
                os.utime(fd, ns=(found.st_atime_ns, found.st_mtime_ns - _NUDGE))
            # Only now, so that a write at any later moment shows in the time.
            sealed = os.fstat(fd)
            digest = hash_of(fd)
            if fingerprint(os.fstat(fd)) != fingerprint(sealed):
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        finally:
            os.close(fd)
        if sealed.st_ino not in self._shared_inodes:
            self._sealed[sealed.st_ino] = (sealed, digest, path)
        return sealed, digest

    def _close_copy(self, name: str, found: os.stat_result) -> None:
        """An inherited copy that was left alone: no new artifact, but to be linked from."""
        if found.st_mode & _WRITE_BITS:
            fd = open_regular(name, self._tree.fd)
            try:
                os.fchmod(fd, (os.fstat(fd).st_mode & _KEPT) | stat.S_IRUSR)
            finally:
                os.close(fd)
