"""Trees as only a hostile or an unlucky program makes them."""

from __future__ import annotations

import errno
import os
import resource
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from ductile.errors import WorkspaceError
from ductile.workspace.files import open_regular
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import Workspace, WorkspaceKey
from ductile.workspace.tree import Descent, walk

NewKey = Callable[[], WorkspaceKey]


@pytest.fixture
def workspace(manager: HardLinkWorkspaces, new_key: NewKey) -> Iterator[Workspace]:
    workspace = manager.create(new_key())
    yield workspace
    # Pytest's own clean-up cannot delete what some of these tests make.
    assert not manager.cleanup(list(manager.names())).failures


@contextmanager
def descriptor(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def at_the_first(function: str, act: Callable[[], object]) -> Iterator[None]:
    """Act just before the first call of a function that is written in C, as a rival would."""

    def watch(_: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ == function:
            sys.setprofile(None)
            act()

    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)


def dig(workspace: Workspace, depth: int, name: str) -> None:
    """Nest directories deeper than any path can say, with a file at the bottom."""
    here = os.open(workspace.path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("bottom", os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.close(here)


class TestDepth:
    def test_a_tree_deeper_than_any_path_is_cloned_and_sealed(
        self, manager: HardLinkWorkspaces, new_key: NewKey, workspace: Workspace
    ) -> None:
        dig(workspace, depth=100, name="n" * 255)
        manager.seal(workspace)
        child = manager.clone(workspace.key, new_key())
        assert list(child.shared) == [("n" * 255 + "/") * 100 + "bottom"]
        assert manager.check(child, lambda _: None) == []
        assert manager.seal(child) == []

    def test_depth_costs_neither_descriptors_nor_recursion(
        self, manager: HardLinkWorkspaces, new_key: NewKey, workspace: Workspace
    ) -> None:
        dig(workspace, depth=1500, name="d")
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
        try:
            manager.clone(workspace.key, new_key())
            assert not manager.cleanup(list(manager.names())).failures
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    def test_many_sources_need_no_more_descriptors_than_one(
        self, manager: HardLinkWorkspaces, new_key: NewKey
    ) -> None:
        keys = [manager.create(new_key()).key for _ in range(100)]
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
        try:
            assert manager.merge(keys, new_key()).sources == tuple(keys)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    def test_no_descriptor_is_left_open(
        self, manager: HardLinkWorkspaces, new_key: NewKey, workspace: Workspace
    ) -> None:
        (workspace.path / "a/b").mkdir(parents=True)
        os.mkfifo(workspace.path / "a/b/pipe")
        before = os.listdir("/proc/self/fd")
        with pytest.raises(WorkspaceError):
            manager.clone(workspace.key, new_key())
        with pytest.raises(WorkspaceError):
            manager.seal(workspace)
        assert len(os.listdir("/proc/self/fd")) == len(before)


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            b"\xff\xfe",
            b"new\nline",
            b"-rf",
            b"~",
            b" ",
            b"a" * 255,
            b"\xc3\xa9" * 127,
            b"*?[",
            b"\\",
        ],
    )
    def test_any_name_that_the_system_allows_is_cloned(
        self, manager: HardLinkWorkspaces, new_key: NewKey, workspace: Workspace, name: bytes
    ) -> None:
        text = os.fsdecode(name)
        (workspace.path / text).mkdir()
        (workspace.path / text / text).write_text("bytes")
        manager.seal(workspace)
        assert list(manager.clone(workspace.key, new_key()).shared) == [f"{text}/{text}"]

    def test_ten_thousand_files_are_cloned(
        self, manager: HardLinkWorkspaces, new_key: NewKey, workspace: Workspace
    ) -> None:
        for n in range(10_000):
            os.close(os.open(workspace.path / f"{n}", os.O_CREAT | os.O_WRONLY))
        assert len(manager.clone(workspace.key, new_key()).shared) == 10_000


class TestMovingTargets:
    def test_a_file_that_became_a_symlink_is_not_opened(
        self, workspace: Workspace, tmp_path: Path
    ) -> None:
        (tmp_path / "outside").write_text("secret")
        (workspace.path / "a").symlink_to(tmp_path / "outside")
        symlink = os.strerror(errno.ELOOP)
        with descriptor(workspace.path) as fd, pytest.raises(OSError, match=symlink):
            open_regular("a", fd)

    def test_a_file_that_became_a_pipe_is_not_waited_for(self, workspace: Workspace) -> None:
        os.mkfifo(workspace.path / "a")
        stale = os.strerror(errno.ESTALE)
        with descriptor(workspace.path) as fd, pytest.raises(OSError, match=stale):
            open_regular("a", fd)

    def test_a_directory_that_became_a_symlink_is_not_entered(
        self, workspace: Workspace, root: Path, tmp_path: Path
    ) -> None:
        (workspace.path / "a").symlink_to(tmp_path)
        with (
            descriptor(root) as fd,
            Descent(workspace.path.name, fd) as tree,
            pytest.raises(WorkspaceError, match=r'cannot enter "a": not a directory'),
        ):
            tree.down("a")

    def test_a_directory_that_was_moved_away_does_not_lead_out(
        self, workspace: Workspace, root: Path, tmp_path: Path
    ) -> None:
        (workspace.path / "a/b").mkdir(parents=True)
        (tmp_path / "outside").mkdir()
        with descriptor(root) as fd, Descent(workspace.path.name, fd) as tree:
            tree.down("a")
            tree.down("b")
            (workspace.path / "a/b").rename(tmp_path / "outside/b")
            (tmp_path / "outside").chmod(0o500)
            with pytest.raises(WorkspaceError, match=r'cannot leave "a/b/": stale file handle'):
                tree.up()
        assert stat.S_IMODE((tmp_path / "outside").stat().st_mode) == 0o500

    def test_a_file_that_is_written_to_while_it_is_sealed_is_refused(
        self, manager: HardLinkWorkspaces, workspace: Workspace
    ) -> None:
        log = workspace.path / "log"
        log.write_text("one")
        with (
            log.open("ab", buffering=0) as late,
            at_the_first("read", lambda: late.write(b"more")),
            pytest.raises(WorkspaceError, match=r'cannot seal "log": .*wait for the proc'),
        ):
            manager.seal(workspace)

    def test_a_target_that_appears_while_cloning_is_not_replaced(
        self, manager: HardLinkWorkspaces, new_key: NewKey, workspace: Workspace
    ) -> None:
        (workspace.path / "a").touch()
        target = new_key()
        with (
            at_the_first("link", lambda: manager.create(target)),
            pytest.raises(WorkspaceError, match="already"),
        ):
            manager.clone(workspace.key, target)
        assert (list(manager.path(target).iterdir()), None in manager.names().values()) == (
            [],
            False,
        )


def test_what_a_walk_sees_is_all_of_the_tree_parents_first(
    workspace: Workspace, root: Path
) -> None:
    for folder in ("a/b/c", "a/d", "e"):
        (workspace.path / folder).mkdir(parents=True)
    with descriptor(root) as fd, Descent(workspace.path.name, fd) as tree:
        left: list[str] = []
        seen = [tree.prefix for _ in walk(tree, left.append)]
    assert (seen[0], sorted(seen)) == ("", ["", "a/", "a/b/", "a/b/c/", "a/d/", "e/"])
    assert left.index("c") < left.index("b") < left.index("a")
