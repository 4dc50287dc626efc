"""Walking a directory tree by descriptors: any depth, never through a symlink, never out of it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Container, Iterator
from types import TracebackType
from typing import Final, TypeAlias

from ductile.workspace.failures import failure
from ductile.workspace.layout import quoted

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OWNER_ALL: Final = stat.S_IRWXU
#: Device and inode: what a directory is, whatever its name.
_Place: TypeAlias = tuple[int, int]


class Descent:
    """Stands in one directory of a tree and moves by single names.

    Holds one descriptor however deep it is, so neither the limit of open files nor that of
    path lengths matters. Raises WorkspaceError where the way is barred: by a symlink, a mount,
    or a directory that was moved meanwhile. A directory whose owner may not use it is opened
    up (u+rwx) on the way: workspaces do not keep the modes of directories.
    """

    def __init__(self, name: str, parent: int) -> None:
        """Start in the directory `name` of the directory that `parent` is open on.

        Raises OSError, for the caller to say what that directory is.
        """
        self.fd, self._place = _enter(name, parent)
        #: The way back: what the parent's prefix and place were.
        self._trail: list[tuple[str, _Place]] = []
        #: The path of this directory in the tree, empty or with a `/` at its end.
        self.prefix = ""

    def __enter__(self) -> Descent:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.fd)

    def entries(self) -> list[os.DirEntry[str]]:
        """What is in this directory. Entries are to be asked before the descent moves on."""
        try:
            with os.scandir(self.fd) as found:
                return list(found)
        except OSError as error:
            raise failure(f"list {quoted(self.prefix or '.')}", error) from error

    def down(self, name: str) -> None:
        """Move into the directory of that name."""
        try:
            child, place = _enter(name, self.fd, device=self._place[0])
        except OSError as error:
            raise failure(f"enter {quoted(self.prefix + name)}", error) from error
        self._trail.append((self.prefix, self._place))
        self._move(child, f"{self.prefix}{name}/", place)

    def up(self) -> str:
        """Move back to the parent, and return the name of the directory that was left."""
        prefix, place = self._trail[-1]
        try:
            parent = os.open("..", _DIRECTORY, dir_fd=self.fd)
        except OSError as error:
            raise failure(f"leave {quoted(self.prefix)}", error) from error
        found = os.fstat(parent)
        if (found.st_dev, found.st_ino) != place:
            # A directory that was moved has another parent now, perhaps outside the tree.
            os.close(parent)
            stale = OSError(errno.ESTALE, os.strerror(errno.ESTALE))
            raise failure(f"leave {quoted(self.prefix)}", stale)
        self._trail.pop()
        left = self.prefix[len(prefix) : -1]
        self._move(parent, prefix, place)
        return left

    def follow(self, other: Descent) -> None:
        """Move to where `other` stands in a tree of the same form."""
        while not other.prefix.startswith(self.prefix):
            self.up()
        for name in other.prefix[len(self.prefix) :].split("/")[:-1]:
            self.down(name)

    def _move(self, fd: int, prefix: str, place: _Place) -> None:
        os.close(self.fd)
        self.fd, self.prefix, self._place = fd, prefix, place


def walk(
    tree: Descent, leave: Callable[[str], None] | None = None, *, barred: Container[str] = ()
) -> Iterator[list[os.DirEntry[str]]]:
    """Take `tree` through all directories from where it stands, parents first.

    Yields the entries of each while `tree` stands in it. Calls `leave` with the name of a
    directory when all that is under it was seen, while `tree` stands in its parent. Does not
    enter directories whose path is `barred` at the time when their parent is listed.
    """
    waiting: list[list[str]] = []
    while True:
        entries = tree.entries()
        below = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        waiting.append([name for name in below if tree.prefix + name not in barred])
        yield entries
        while not waiting[-1]:
            waiting.pop()
            if not waiting:
                return
            left = tree.up()
            if leave is not None:
                leave(left)
        tree.down(waiting[-1].pop())


def grant(name: str, parent: int, bits: int) -> None:
    """Add permission bits to a file or directory that cannot be opened for the lack of them."""
    # O_PATH needs no permission and does not follow; its entry in /proc is the file itself.
    place = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        mode = os.fstat(place).st_mode
        if stat.S_ISLNK(mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        os.chmod(f"/proc/self/fd/{place}", stat.S_IMODE(mode) | bits)
    finally:
        os.close(place)


def _enter(name: str, parent: int, *, device: int | None = None) -> tuple[int, _Place]:
    """Open a directory, of that device if one is given, so that its owner may use it."""
    try:
        fd = os.open(name, _DIRECTORY, dir_fd=parent)
    except PermissionError:
        grant(name, parent, _OWNER_ALL)
        fd = os.open(name, _DIRECTORY, dir_fd=parent)
    try:
        found = os.fstat(fd)
        if device not in (None, found.st_dev):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        if found.st_mode & _OWNER_ALL != _OWNER_ALL:
            os.fchmod(fd, stat.S_IMODE(found.st_mode) | _OWNER_ALL)
    except OSError:
        os.close(fd)
        raise
    return fd, (found.st_dev, found.st_ino)
