"""Cloning: the same directories, the same files by hard links, the same symlinks."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from typing import Final

from ductile.workspace.failures import failure, link_failure
from ductile.workspace.files import fingerprint, open_regular, unsupported
from ductile.workspace.interfaces import Fingerprint
from ductile.workspace.layout import quoted
from ductile.workspace.tree import Descent, walk

_CHUNK: Final = 1 << 30
#: What copy_file_range says to files of two file systems, or of one that does not know it.
_NOT_WITHIN_ONE: Final = (errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS)


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a clone was given, as `Workspace` states it."""

    shared: dict[str, Fingerprint] = field(default_factory=dict)
    inherited: dict[str, Fingerprint] = field(default_factory=dict)


def fill(source: Descent, target: Descent, *, copy: bool) -> Inheritance:
    """Give the empty directory `target` all that `source` holds. Raises WorkspaceError."""
    given = Inheritance()
    for entries in walk(source):
        target.follow(source)
        for entry in entries:
            path = source.prefix + entry.name
            if entry.is_file(follow_symlinks=False):
                if copy:
                    given.inherited[path] = _copy(entry.name, path, source.fd, target.fd)
                else:
                    linked = _link(entry.name, path, source.fd, target.fd)
                    given.inherited[path] = given.shared[path] = linked
            elif entry.is_dir(follow_symlinks=False):
                _make_directory(entry.name, path, target.fd)
            elif entry.is_symlink():
                given.inherited[path] = _repeat_symlink(entry, path, source.fd, target.fd)
            else:
                raise unsupported(path, entry.stat(follow_symlinks=False).st_mode)
    return given


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
