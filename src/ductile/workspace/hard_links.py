"""The workspace manager that clones by hard links, in one directory of one file system."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ductile.errors import SourceUnusable, WorkspaceError
from ductile.model.artifact import Artifact, Taint
from ductile.model.clock import Clock
from ductile.workspace import seal, verify
from ductile.workspace.clone import Filling, Form, forms
from ductile.workspace.delete import delete
from ductile.workspace.failures import failure, root_failure
from ductile.workspace.interfaces import (
    CleanupReport,
    KnownHash,
    Tainted,
    Workspace,
    WorkspaceKey,
)
from ductile.workspace.layout import is_ours, key_of, name_of, new_temporary_name, quoted
from ductile.workspace.tree import Descent


class HardLinkWorkspaces:
    """The WorkspaceManager on a local directory.

    Safe to use from several threads and processes at once: it keeps nothing but the root, and
    what that was like.
    """

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root = root.absolute()
        self._clock = clock
        self._mounted: bool | None = None
        """Whether the root was a file system of its own; None until it was seen."""
        self._place: tuple[int, int] | None = None
        """What the root was when that was last looked at: device and inode."""

    def create(self, key: WorkspaceKey) -> Workspace:
        name = name_of(key)
        with self._opened_root(make=True) as root:
            fcntl.flock(root, fcntl.LOCK_EX)
            _expect_absent(key, root)
            try:
                os.mkdir(name, 0o700, dir_fd=root)
            except OSError as error:
                raise failure(f"make workspace {quoted(name)}", error) from error
        return Workspace(key, self._root / name)

    def clone(self, source: WorkspaceKey, target: WorkspaceKey, *, copy: bool = False) -> Workspace:
        return self.merge([source], target, copy=copy)

    def merge(
        self,
        sources: Sequence[WorkspaceKey],
        target: WorkspaceKey,
        *,
        bases: Sequence[WorkspaceKey] = (),
        copy: bool = False,
    ) -> Workspace:
        name = name_of(target)
        once = tuple(reversed(dict.fromkeys(reversed(sources))))
        with self._opened_root(make=True) as root:
            given = _merge_into(target, once, root, bases=bases, copy=copy)
        path, displaced = self._root / name, frozenset(given.displaced)
        return Workspace(target, path, given.shared, given.inherited, once, displaced)

    def open(self, key: WorkspaceKey) -> Workspace:
        with self._opened_root() as root, _opened(key, root):
            return Workspace(key, self.path(key))

    def probe(self) -> None:
        with self._opened_root(make=True) as root:
            try:
                _try_to_write(root)
            except OSError as error:
                raise root_failure(error) from error

    def path(self, key: WorkspaceKey) -> Path:
        return self._root / name_of(key)

    def check(self, workspace: Workspace, known: KnownHash) -> Sequence[Taint]:
        if not workspace.shared:
            return ()
        checking = verify.Checking(workspace.shared, known)
        with self._opened_root() as root:
            with _opened(workspace.key, root) as tree:
                checking.look_through(tree)
            _look_into_sources(workspace, checking, root)
        return checking.taints

    def seal(self, workspace: Workspace, known: KnownHash | None = None) -> Sequence[Artifact]:
        checking = None if known is None else verify.Checking(workspace.shared, known)
        with self._opened_root() as root:
            with _opened(workspace.key, root) as tree:
                artifacts = seal.seal(tree, workspace, checking)
            if checking is not None:
                _look_into_sources(workspace, checking, root)
                if checking.taints:
                    raise Tainted(checking.taints)
        return artifacts

    def verify(self, key: WorkspaceKey, held: Mapping[str, Artifact]) -> Sequence[Taint]:
        with self._opened_root() as root, _opened(key, root) as tree:
            return verify.verify(tree, held)

    def names(self) -> Mapping[str, WorkspaceKey | None]:
        if not self._has_root():
            return {}
        with self._opened_root() as root:
            return {name: key_of(name) for name in sorted(os.listdir(root)) if is_ours(name)}

    def older_than(self, name: str, age: timedelta) -> bool:
        _expect_ours(name)
        try:
            changed = os.lstat(self._root / name).st_mtime
        except FileNotFoundError:
            return False
        except OSError as error:
            raise failure(f"look at workspace {quoted(name)}", error) from error
        return self._clock.now() - datetime.fromtimestamp(changed, UTC) > age

    def cleanup(self, names: Sequence[str]) -> CleanupReport:
        deleted: list[str] = []
        failures: dict[str, str] = {}
        for name in names:
            try:
                _expect_ours(name)
                if self._has_root():
                    with self._opened_root() as root:
                        delete(name, root)
                deleted.append(name)
            except WorkspaceError as error:
                failures[name] = str(error)
        return CleanupReport(deleted, failures)

    @contextmanager
    def _opened_root(self, *, make: bool = False) -> Iterator[int]:
        try:
            root = self._open_root(make=make)
        except OSError as error:
            raise root_failure(error) from error
        try:
            found = os.fstat(root)
            _expect_private(found)
            place = found.st_dev, found.st_ino
            if place != self._place:
                self._expect_mounted(root, found)
                self._place = place
            yield root
        finally:
            os.close(root)

    def _open_root(self, *, make: bool) -> int:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        try:
            return os.open(self._root, flags)
        except FileNotFoundError:
            if self._mounted is not None:
                raise WorkspaceError(
                    "the directory that workspace.root names has vanished, and every workspace "
                    "with it; put it back, or start the gateway again to begin with an empty one"
                ) from None
            if not make:
                raise SourceUnusable(
                    "the directory that workspace.root names is missing, and every workspace "
                    "with it; set workspace.root to where they are, or run the chains again"
                ) from None
            self._make_root()
            return os.open(self._root, flags)

    def _expect_mounted(self, root: int, found: os.stat_result) -> None:
        """What lies under a mount that is gone is not the root, though it goes by its name."""
        if self._mounted is False:
            return
        mounted = found.st_dev != os.stat("..", dir_fd=root).st_dev
        if self._mounted and not mounted:
            raise WorkspaceError(
                "nothing is mounted any more where workspace.root is; mount it again, or start "
                "the gateway again to do without"
            )
        self._mounted = mounted

    def _has_root(self) -> bool:
        try:
            return self._root.exists()
        except OSError as error:
            raise root_failure(error) from error

    def _make_root(self) -> None:
        try:
            for directory in reversed([self._root, *self._root.parents]):
                if not directory.exists():
                    directory.mkdir(0o700, exist_ok=True)
        except OSError as error:
            raise root_failure(error) from error


def _merge_into(
    target: WorkspaceKey,
    sources: Sequence[WorkspaceKey],
    root: int,
    *,
    bases: Sequence[WorkspaceKey],
    copy: bool,
) -> Filling:
    """Build under a temporary name, rename when whole, and leave nothing behind otherwise."""
    building = new_temporary_name()
    try:
        os.mkdir(building, 0o700, dir_fd=root)
        with Descent(building, root) as tree:
            given = Filling(tree, copy=copy)
            if bases and len(sources) > 1:
                handed_on: set[Form] = set()
                for base in bases:
                    with _opened(base, root) as held:
                        handed_on |= forms(held)
                for source in reversed(sources):
                    with _opened(source, root) as held:
                        given.add_given(held, handed_on)
            # One after the other, so that many sources need no more descriptors than one.
            for source in reversed(sources):
                with _opened(source, root) as held:
                    given.add(held)
        # A rename replaces an empty directory of that name. The lock keeps others of our kind
        # from making one between the look and the rename.
        fcntl.flock(root, fcntl.LOCK_EX)
        _expect_absent(target, root)
        os.rename(building, name_of(target), src_dir_fd=root, dst_dir_fd=root)
    except BaseException as error:
        _give_up(building, root)
        if isinstance(error, OSError):
            raise failure(f"make workspace {quoted(name_of(target))}", error) from error
        raise
    return given


def _look_into_sources(workspace: Workspace, checking: verify.Checking, root: int) -> None:
    # What lost its old name in the workspace may have been written to first, or is written to
    # under a new one. Its source still has it, under the name that the ledger knows. Another
    # source may have that name too, but not for this inode, or for the very same file.
    for source in reversed(workspace.sources):
        if checking.awaited and _exists(source, root):
            with _opened(source, root) as tree:
                checking.look_through(tree)


def _give_up(building: str, root: int) -> None:
    try:
        delete(building, root)
    except WorkspaceError:
        # Why it could not be built says more than why the rest of it could not be deleted,
        # and leftovers are listed and cleaned up like everything that nobody knows.
        return


def _opened(key: WorkspaceKey, root: int) -> Descent:
    name = name_of(key)
    try:
        return Descent(name, root)
    except FileNotFoundError:
        raise SourceUnusable(
            f"workspace {quoted(name)} is missing: it was never made, or is deleted already; "
            "run its chain again"
        ) from None
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            raise SourceUnusable(
                f"expected workspace {quoted(name)} to be a directory, found something else "
                "in its place; delete that, and run the chain again"
            ) from error
        raise failure(f"open workspace {quoted(name)}", error) from error


def _try_to_write(root: int) -> None:
    """Write a page, through to the disk. The name is one that a clean-up knows."""
    name = new_temporary_name()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(name, flags, 0o600, dir_fd=root)
    try:
        os.write(file, bytes(4096))
        os.fsync(file)
    finally:
        os.close(file)
        os.unlink(name, dir_fd=root)


def _exists(key: WorkspaceKey, root: int) -> bool:
    try:
        os.stat(name_of(key), dir_fd=root, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _expect_absent(key: WorkspaceKey, root: int) -> None:
    if _exists(key, root):
        raise WorkspaceError(
            f"there is a workspace {quoted(name_of(key))} already, and it is never replaced; "
            "every attempt gets a new one"
        )


def _expect_ours(name: str) -> None:
    if not is_ours(name):
        raise WorkspaceError(
            f"expected the name of a workspace, got {quoted(name)}; "
            "nothing else under workspace.root is touched"
        )


def _expect_private(found: os.stat_result) -> None:
    """Whoever can rename what is in the root can give a job a directory of his own making."""
    if found.st_uid not in (0, os.geteuid()) or found.st_mode & stat.S_IWOTH:
        raise WorkspaceError(
            "the directory that workspace.root names must belong to the gateway's user and be "
            "closed to others: change its owner and mode (chmod 700), or set another one"
        )
