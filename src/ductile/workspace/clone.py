"""Cloning and merging: the same directories, the same files by hard links, the same symlinks."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Container
from typing import Final, TypeAlias

from ductile.workspace.failures import failure, link_failure
from ductile.workspace.files import fingerprint, open_regular, unsupported
from ductile.workspace.interfaces import Fingerprint
from ductile.workspace.layout import quoted
from ductile.workspace.tree import Descent, walk

#: Path, size and time: what tells a file that was only handed on, by link or by copy.
Form: TypeAlias = tuple[str, int, int]

_CHUNK: Final = 1 << 30
#: What copy_file_range says to files of two file systems, or of one that does not know it.
_NOT_WITHIN_ONE: Final = (errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS)


class Filling:
    """Gives an empty directory the union of what its sources hold, the last of which comes first.

    So whatever is there is what wins, and only that is ever linked.
    """

    def __init__(self, target: Descent, *, copy: bool) -> None:
        self._target = target
        self._copy = copy
        #: What the workspace was given, as `Workspace` states it.
        self.shared: dict[str, Fingerprint] = {}
        self.inherited: dict[str, Fingerprint] = {}
        self.displaced: set[str] = set()
        self._directories: set[str] = set()
        #: Where a source had something else than a directory, whether or not that is here now:
        #: it replaced all that earlier ones have under that path.
        self._barred: set[str] = set()

    def add_given(self, source: Descent, handed_on: Container[Form]) -> None:
        """Like `add`, but only the files that were not just handed on."""
        for entries in walk(source, barred=self._barred):
            for entry in entries:
                path = source.prefix + entry.name
                if path in self._barred or entry.is_dir(follow_symlinks=False):
                    continue
                if _form(entry, path) in handed_on:
                    continue
                self._barred.add(path)
                if path in self._directories:
                    self.displaced.add(path)
                else:
                    self._reach(source.prefix)
                    self._take(entry, path, source.fd)

    def _reach(self, prefix: str) -> None:
        """Move to a directory of the target, making it and those around it where needed."""
        while not prefix.startswith(self._target.prefix):
            self._target.up()
        for name in prefix[len(self._target.prefix) :].split("/")[:-1]:
            path = self._target.prefix + name
            if path not in self._directories:
                self._directories.add(path)
                _make_directory(name, path, self._target.fd)
            self._target.down(name)

    def add(self, source: Descent) -> None:
        """Take what `source` has and no later source replaces. Raises WorkspaceError."""
        for entries in walk(source, barred=self._barred):
            self._target.follow(source)
            for entry in entries:
                path = source.prefix + entry.name
                if path in self._barred:
                    continue
                if not entry.is_dir(follow_symlinks=False):
                    self._barred.add(path)
                    if path in self._directories:
                        self.displaced.add(path)
                    else:
                        self._take(entry, path, source.fd)
                elif path not in self._directories:
                    self._directories.add(path)
                    _make_directory(entry.name, path, self._target.fd)

    def _take(self, entry: os.DirEntry[str], path: str, source: int) -> None:
        target = self._target.fd
        if entry.is_symlink():
            self.inherited[path] = _repeat_symlink(entry, path, source, target)
        elif not entry.is_file(follow_symlinks=False):
            raise unsupported(path, entry.stat(follow_symlinks=False).st_mode)
        elif self._copy:
            self.inherited[path] = _copy(entry.name, path, source, target)
        else:
            linked = _link(entry.name, path, source, target)
            self.inherited[path] = self.shared[path] = linked


def forms(tree: Descent) -> set[Form]:
    """Every file in a tree."""
    return {
        _form(entry, tree.prefix + entry.name)
        for entries in walk(tree)
        for entry in entries
        if not entry.is_dir(follow_symlinks=False)
    }


def _form(entry: os.DirEntry[str], path: str) -> Form:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError as error:
        raise failure(f"look at {quoted(path)}", error) from error
    return path, found.st_size, found.st_mtime_ns


def _make_directory(name: str, path: str, target: int) -> None:
    try:
        os.mkdir(name, 0o700, dir_fd=target)
    except OSError as error:
        raise failure(f"make the directory {quoted(path)}", error) from error


def _link(name: str, path: str, source: int, target: int) -> Fingerprint:
    try:
        os.link(name, name, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
        # Of the new name, not of the old one: what was linked is what is remembered.
        found = os.stat(name, dir_fd=target, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
    except OSError as error:
        raise link_failure(f"link {quoted(path)}", error) from error
    return fingerprint(found)


def _copy(name: str, path: str, source: int, target: int) -> Fingerprint:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        reading = open_regular(name, source)
        try:
            writing = os.open(name, flags, 0o600, dir_fd=target)
            try:
                return fingerprint(_copy_bytes(reading, writing))
            finally:
                os.close(writing)
        finally:
            os.close(reading)
    except OSError as error:
        raise failure(f"copy {quoted(path)}", error) from error


def _copy_bytes(reading: int, writing: int) -> os.stat_result:
    try:
        # The kernel shares the blocks where the file system can, and copies them where it cannot.
        while os.copy_file_range(reading, writing, _CHUNK):
            pass
    except OSError as error:
        if error.errno not in _NOT_WITHIN_ONE:
            raise
        while os.sendfile(writing, reading, None, _CHUNK):
            pass
    found = os.fstat(reading)
    os.fchmod(writing, (found.st_mode & 0o777) | stat.S_IRUSR | stat.S_IWUSR)
    os.utime(writing, ns=(found.st_atime_ns, found.st_mtime_ns))
    return os.fstat(writing)


def _repeat_symlink(entry: os.DirEntry[str], path: str, source: int, target: int) -> Fingerprint:
    name = entry.name
    try:
        found = entry.stat(follow_symlinks=False)
        os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        # The time goes with it, so that a symlink which the job makes anew cannot pass for it.
        times = (found.st_atime_ns, found.st_mtime_ns)
        os.utime(name, ns=times, dir_fd=target, follow_symlinks=False)
        return fingerprint(os.stat(name, dir_fd=target, follow_symlinks=False))
    except OSError as error:
        raise failure(f"make the symlink {quoted(path)}", error) from error
