"""Verifying: which files are not what they were when they were linked, or sealed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ductile.model.artifact import Artifact, Taint
from ductile.workspace.failures import failure
from ductile.workspace.files import fingerprint, hash_of_entry
from ductile.workspace.interfaces import Fingerprint, KnownHash
from ductile.workspace.layout import quoted
from ductile.workspace.tree import Descent, walk


class Checking:
    """Holds shared files against what they were when they were linked."""

    def __init__(self, shared: Mapping[str, Fingerprint], known: KnownHash) -> None:
        self._known = known
        self._taints: list[Taint] = []
        self.awaited = dict(shared)
        """What was not found yet: it has another inode in its old place, or no name there."""

    @property
    def taints(self) -> Sequence[Taint]:
        """What was found changed, by path."""
        return sorted(self._taints, key=lambda taint: taint.path)

    def look_through(self, tree: Descent) -> None:
        """Look at what is awaited, where `tree` has it under its old name."""
        for entries in walk(tree):
            for entry in entries:
                path = tree.prefix + entry.name
                if path in self.awaited:
                    try:
                        self.look(tree, entry, path, entry.stat(follow_symlinks=False))
                    except OSError as error:
                        raise failure(f"check {quoted(path)}", error) from error

    def look(
        self, tree: Descent, entry: os.DirEntry[str], path: str, found: os.stat_result
    ) -> None:
        """Look at one entry, of which `found` was read just now. Raises OSError."""
        before = self.awaited.get(path)
        if before is None or found.st_ino != before.inode:
            return
        del self.awaited[path]
        if fingerprint(found) != before and _hash(entry, tree) != self._known(path):
            self._taints.append(Taint(path, _difference(before.size, found.st_size)))


def verify(tree: Descent, held: Mapping[str, Artifact]) -> Sequence[Taint]:
    """Hold all that `tree` has against what it ought to have, by path."""
    taints: list[Taint] = []
    missing = set(held)
    for entries in walk(tree):
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                continue
            path = tree.prefix + entry.name
            missing.discard(path)
            try:
                detail = _compare(entry, tree, held.get(path))
            except OSError as error:
                raise failure(f"verify {quoted(path)}", error) from error
            if detail is not None:
                taints.append(Taint(path, detail))
    taints += [Taint(path, "is missing") for path in missing]
    return sorted(taints, key=lambda taint: taint.path)


def _compare(entry: os.DirEntry[str], tree: Descent, artifact: Artifact | None) -> str | None:
    if artifact is None:
        return "is not in the ledger"
    found = entry.stat(follow_symlinks=False)
    if not entry.is_symlink() and not entry.is_file(follow_symlinks=False):
        return "is no file any more"
    if entry.is_symlink() != artifact.symlink:
        return "is a file, was a symlink" if artifact.symlink else "is a symlink, was a file"
    same = (found.st_size, found.st_mtime_ns) == (artifact.size, artifact.mtime_ns)
    if same or _hash(entry, tree) == artifact.blake3:
        return None
    return _difference(artifact.size, found.st_size)


def _hash(entry: os.DirEntry[str], tree: Descent) -> str:
    return hash_of_entry(entry.name, tree.fd, symlink=entry.is_symlink())


def _difference(before: int, now: int) -> str:
    return f"size {before} became {now}" if before != now else f"other content of size {now}"
