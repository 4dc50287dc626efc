"""Opening and hashing one regular file without being led elsewhere."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from blake3 import blake3

from ductile.errors import WorkspaceError
from ductile.workspace.interfaces import Fingerprint
from ductile.workspace.layout import quoted
from ductile.workspace.tree import grant

# Without O_NONBLOCK, a pipe that took the file's place would block the open for ever.
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK: Final = 1 << 20


def open_regular(name: str, parent: int) -> int:
    """A descriptor to read the file `name` of the directory `parent`.

    Raises OSError, with ESTALE for what is no regular file (any more).
    """
    try:
        fd = os.open(name, _READ, dir_fd=parent)
    except PermissionError:
        grant(name, parent, stat.S_IRUSR)
        fd = os.open(name, _READ, dir_fd=parent)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
    return fd


def hash_of(fd: int) -> str:
    """BLAKE3 of all that can be read from `fd`, as 64 hex digits."""
    digest = blake3()
    while chunk := os.read(fd, _CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def hash_of_link(name: str, parent: int) -> str:
    """BLAKE3 of the text of the symlink `name`."""
    return blake3(os.fsencode(os.readlink(name, dir_fd=parent))).hexdigest()


def hash_of_entry(name: str, parent: int, *, symlink: bool) -> str:
    """BLAKE3 of a file's bytes or of a symlink's text. Raises OSError."""
    if symlink:
        return hash_of_link(name, parent)
    fd = open_regular(name, parent)
    try:
        return hash_of(fd)
    finally:
        os.close(fd)


def fingerprint(found: os.stat_result) -> Fingerprint:
    """What a file is right now."""
    return Fingerprint(found.st_ino, found.st_size, found.st_mtime_ns)


def unsupported(path: str, mode: int) -> WorkspaceError:
    """For what is neither a file, a directory nor a symlink."""
    kinds = {
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a character device",
        stat.S_IFBLK: "a block device",
    }
    kind = kinds.get(stat.S_IFMT(mode), "of an unknown kind")
    return WorkspaceError(
        f"a workspace holds files, directories and symlinks, but {quoted(path)} is {kind}; "
        "let the plugin delete it before it ends, or make it elsewhere"
    )
