"""A rival who swaps directories for symlinks while they are deleted gains nothing by it."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import Workspace, WorkspaceKey

NewKey = Callable[[], WorkspaceKey]

ROUNDS: Final = 100
FOLDERS: Final = ("a", "b", "c")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """What is nobody's workspace, of the same form as one, so that every step into it fits."""
    outside = tmp_path / "outside"
    fill(outside)
    for folder in (*outside.rglob("c"), *outside.rglob("b")):
        folder.chmod(0o500)
    return outside


def fill(root: Path) -> None:
    for path in ("", "a/", "a/b/", "a/b/c/", "b/", "b/c/", "c/", "c/a/"):
        (root / path).mkdir(parents=True, exist_ok=True)
        for n in range(3):
            (root / path / f"file{n}").write_text("precious")


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """All that is there: modes, and what is in the files."""
    found: dict[str, tuple[int, bytes]] = {}
    for path in sorted((root, *root.rglob("*"))):
        mode = path.lstat().st_mode
        content = path.read_bytes() if stat.S_ISREG(mode) else b""
        found[str(path.relative_to(root))] = (mode, content)
    return found


class Rival:
    """Swaps each directory of a tree for a symlink to elsewhere and back, without a pause."""

    def __init__(self, tree: Path, target: Path) -> None:
        # By descriptor: the tree loses its name before it is deleted.
        self._tree = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
        self._target = target
        self._stop = threading.Event()
        self.swaps = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._tree)

    def _run(self) -> None:
        while not self._stop.is_set():
            for name in FOLDERS:
                # Most of it comes too late, since the tree is being deleted.
                with suppress(OSError):
                    self._swap(name)

    def _swap(self, name: str) -> None:
        tree, aside = self._tree, f"{name}.aside"
        os.rename(name, aside, src_dir_fd=tree, dst_dir_fd=tree)
        with suppress(FileExistsError):
            os.symlink(self._target, name, target_is_directory=True, dir_fd=tree)
            self.swaps += 1
            os.unlink(name, dir_fd=tree)
        os.rename(aside, name, src_dir_fd=tree, dst_dir_fd=tree)


@contextmanager
def rivalry(workspace: Workspace, target: Path) -> Iterator[Rival]:
    rival = Rival(workspace.path, target)
    try:
        yield rival
    finally:
        rival.stop()


def test_nothing_outside_is_touched_while_directories_become_symlinks(
    manager: HardLinkWorkspaces, new_key: NewKey, outside: Path
) -> None:
    before, swaps = snapshot(outside), 0
    for _ in range(ROUNDS):
        workspace = manager.create(new_key())
        fill(workspace.path)
        with rivalry(workspace, outside) as rival:
            manager.cleanup(list(manager.names()))
        swaps += rival.swaps
    assert snapshot(outside) == before
    assert swaps > ROUNDS, "the rival was too slow for this to have shown anything"
    assert not manager.cleanup(list(manager.names())).failures
    assert not manager.names()
