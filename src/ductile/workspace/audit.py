"""The audit of workspaces on a local directory: every byte is read, nothing is written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path

from ductile.errors import WorkspaceError
from ductile.model.artifact import Artifact
from ductile.workspace.failures import failure, root_failure
from ductile.workspace.files import hash_of_entry
from ductile.workspace.interfaces import Defect, DefectKind, FileId, Survey, WorkspaceKey
from ductile.workspace.layout import name_of, quoted
from ductile.workspace.tree import Descent, walk

#: What a file was when it was read: identity, size, time of writing and of any change.
_Read = tuple[FileId, int, int, int]


class HardLinkAudit:
    """The WorkspaceAudit on the root of `HardLinkWorkspaces`.

    For one thread. It remembers the hash of every inode with several names until `forget`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._hashes: dict[_Read, str] = {}
        self._read = 0

    def exists(self, key: WorkspaceKey) -> bool:
        try:
            return stat.S_ISDIR(os.lstat(self._root / name_of(key)).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise failure(f"look at workspace {quoted(name_of(key))}", error) from error

    def survey(self, key: WorkspaceKey, held: Mapping[str, Artifact]) -> Survey:
        defects: list[Defect] = []
        missing = set(held)
        size, read_before = 0, self._read
        with self._opened(key) as tree:
            for entries in walk(tree):
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        continue
                    path = tree.prefix + entry.name
                    missing.discard(path)
                    try:
                        found = entry.stat(follow_symlinks=False)
                        size += found.st_size
                        defect = self._compare(entry, tree, path, found, held.get(path))
                    except OSError as error:
                        detail = os.strerror(error.errno) if error.errno else str(error)
                        defect = Defect(DefectKind.UNREADABLE, path, detail)
                    if defect is not None:
                        defects.append(defect)
        defects += [Defect(DefectKind.MISSING, path, "is not there") for path in missing]
        defects.sort(key=lambda each: each.path)
        return Survey(len(held), size, self._read - read_before, tuple(defects))

    def holds(self, key: WorkspaceKey, files: Set[FileId]) -> Set[FileId]:
        found: set[FileId] = set()
        with self._opened(key) as tree:
            for entries in walk(tree):
                for entry in entries:
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    found |= {FileId(status.st_dev, status.st_ino)} & files
        return found

    def forget(self) -> None:
        self._hashes.clear()

    def _compare(
        self,
        entry: os.DirEntry[str],
        tree: Descent,
        path: str,
        found: os.stat_result,
        artifact: Artifact | None,
    ) -> Defect | None:
        if artifact is None:
            return Defect(DefectKind.UNKNOWN, path, "is not in the ledger")
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
            return _changed(path, "is no file any more", found)
        if entry.is_symlink() != artifact.symlink:
            was = "is a file, was a symlink" if artifact.symlink else "is a symlink, was a file"
            return _changed(path, was, found)
        if self._hash(entry, tree, found) == artifact.blake3:
            return None
        return _changed(path, _difference(artifact.size, found.st_size), found)

    def _hash(self, entry: os.DirEntry[str], tree: Descent, found: os.stat_result) -> str:
        if entry.is_symlink():
            return hash_of_entry(entry.name, tree.fd, symlink=True)
        # Another name of a file that was read a moment ago need not be read again. What is
        # written to it meanwhile shows in its times.
        read = (_file_id(found), found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        known = self._hashes.get(read)
        if known is None:
            known = hash_of_entry(entry.name, tree.fd, symlink=False)
            self._read += 1
            if found.st_nlink > 1:
                self._hashes[read] = known
        return known

    @contextmanager
    def _opened(self, key: WorkspaceKey) -> Iterator[Descent]:
        name = name_of(key)
        try:
            root = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise root_failure(error) from error
        try:
            try:
                tree = Descent(name, root)
            except FileNotFoundError:
                raise WorkspaceError(f"workspace {quoted(name)} is missing") from None
            except OSError as error:
                raise failure(f"open workspace {quoted(name)}", error) from error
            with tree:
                yield tree
        finally:
            os.close(root)


def _changed(path: str, detail: str, found: os.stat_result) -> Defect:
    return Defect(DefectKind.CHANGED, path, detail, _file_id(found), found.st_mtime_ns)


def _file_id(found: os.stat_result) -> FileId:
    return FileId(found.st_dev, found.st_ino)


def _difference(before: int, now: int) -> str:
    return f"size {before} became {now}" if before != now else f"other content of size {now}"
