"""Several who clone at once, and one who dies of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ductile.errors import WorkspaceError
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import Workspace, WorkspaceKey

NewKey = Callable[[], WorkspaceKey]

_DIE_AT_THE_FIFTH_LINK = """
import os, signal, sys
from pathlib import Path
from ductile.model.clock import SystemClock
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.layout import key_of

links = 0

def watch(event, _):
    global links
    if event != "os.link":
        return
    links += 1
    if links == 5:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
manager = HardLinkWorkspaces(Path(sys.argv[1]), SystemClock())
manager.clone(key_of(sys.argv[2]), key_of(sys.argv[3]))
"""


@pytest.fixture
def parent(manager: HardLinkWorkspaces, new_key: NewKey) -> Workspace:
    workspace = manager.create(new_key())
    for n in range(10):
        (workspace.path / f"folder{n}").mkdir()
        (workspace.path / f"folder{n}/file").write_text("some bytes")
    manager.seal(workspace)
    return workspace


class TestRivals:
    @pytest.fixture
    def outcomes(
        self, manager: HardLinkWorkspaces, parent: Workspace, new_key: NewKey
    ) -> list[Workspace | WorkspaceError]:
        target = new_key()

        def clone(_: int) -> Workspace | WorkspaceError:
            try:
                return manager.clone(parent.key, target)
            except WorkspaceError as error:
                return error

        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(clone, range(24)))

    def test_one_alone_gets_the_workspace(self, outcomes: list[Workspace | WorkspaceError]) -> None:
        assert sum(isinstance(outcome, Workspace) for outcome in outcomes) == 1

    def test_the_others_leave_nothing_behind(
        self, manager: HardLinkWorkspaces, outcomes: list[Workspace | WorkspaceError]
    ) -> None:
        assert len(outcomes) == 24
        assert None not in manager.names().values()


def test_one_source_is_cloned_by_many_at_once(
    manager: HardLinkWorkspaces, parent: Workspace, new_key: NewKey
) -> None:
    with ThreadPoolExecutor(8) as pool:
        clones = list(pool.map(lambda _: manager.clone(parent.key, new_key()), range(24)))
    assert all(dict(clone.shared) == dict(clones[0].shared) for clone in clones)


class TestCrash:
    @pytest.fixture
    def target(self, root: Path, parent: Workspace, new_key: NewKey) -> WorkspaceKey:
        """What a process that was killed in the middle of cloning was to make."""
        target = new_key()
        argv = [str(root), parent.key.job_id, target.job_id]
        died = subprocess.run([sys.executable, "-c", _DIE_AT_THE_FIFTH_LINK, *argv], check=False)
        assert died.returncode == -signal.SIGKILL
        return target

    def test_a_clone_that_was_cut_off_is_not_there(
        self, manager: HardLinkWorkspaces, target: WorkspaceKey
    ) -> None:
        with pytest.raises(WorkspaceError, match="is missing"):
            manager.open(target)

    def test_what_a_crash_leaves_is_listed_and_can_be_deleted(
        self, manager: HardLinkWorkspaces, parent: Workspace, target: WorkspaceKey
    ) -> None:
        leftovers = [name for name, key in manager.names().items() if key is None]
        assert len(leftovers) == 1
        manager.cleanup(leftovers)
        assert list(manager.names()) == [parent.key.job_id]

    def test_the_next_one_clones_it_whole(
        self, manager: HardLinkWorkspaces, parent: Workspace, target: WorkspaceKey
    ) -> None:
        assert len(manager.clone(parent.key, target).shared) == 10
