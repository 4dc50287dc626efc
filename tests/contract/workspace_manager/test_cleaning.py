"""Listing, ageing and deleting: what every manager promises."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ductile.errors import WorkspaceError
from ductile.model.ids import new_id
from ductile.workspace.interfaces import WorkspaceManager
from tests.contract.workspace_manager.builders import (
    StoppedClock,
    a_key,
    cloned,
    committed,
)

WEEK = timedelta(days=7)


class TestNames:
    def test_workspaces_are_listed_with_their_keys(self, manager: WorkspaceManager) -> None:
        first, second = manager.create(a_key()), manager.create(a_key(attempt=2))
        assert dict(manager.names()) == {
            first.key.job_id: first.key,
            f"{second.key.job_id}.2": second.key,
        }

    def test_a_leftover_has_no_key(self, manager: WorkspaceManager, root: Path) -> None:
        manager.create(a_key())
        leftover = f".tmp-{new_id()}"
        (root / leftover).mkdir()
        assert manager.names()[leftover] is None

    def test_what_is_not_ours_is_not_listed(self, manager: WorkspaceManager, root: Path) -> None:
        key = manager.create(a_key()).key
        for name in ("Documents", ".tmp-x", f"{key.job_id}.1", f"{key.job_id}.02", "x.2"):
            (root / name).mkdir()
        assert list(manager.names()) == [key.job_id]


class TestAge:
    @pytest.mark.parametrize(("days", "older"), [(6, False), (8, True)])
    def test_a_workspace_is_as_old_as_its_last_change(
        self, manager: WorkspaceManager, clock: StoppedClock, days: int, older: bool
    ) -> None:
        workspace = manager.create(a_key())
        clock.time = datetime.now(UTC) + timedelta(days=days)
        assert manager.older_than(workspace.key.job_id, WEEK) is older

    def test_a_symlink_is_as_old_as_itself(self, manager: WorkspaceManager, tmp_path: Path) -> None:
        manager.create(a_key())
        os.utime(tmp_path, (0, 0))
        link = manager.path(a_key())
        link.symlink_to(tmp_path)
        assert not manager.older_than(link.name, WEEK)

    def test_what_is_gone_is_not_old(self, manager: WorkspaceManager) -> None:
        assert not manager.older_than(new_id(), timedelta())

    def test_what_is_not_ours_has_no_age(self, manager: WorkspaceManager) -> None:
        with pytest.raises(WorkspaceError, match="expected the name of a workspace"):
            manager.older_than("..", timedelta())


class TestCleanup:
    def test_a_workspace_and_all_that_is_in_it_is_deleted(
        self, manager: WorkspaceManager, root: Path
    ) -> None:
        workspace = committed(manager, {"a/b/c": "1", "d": "2"})
        report = manager.cleanup([workspace.key.job_id])
        assert (report.deleted, list(root.iterdir())) == ([workspace.key.job_id], [])

    def test_what_is_gone_already_counts_as_deleted(self, manager: WorkspaceManager) -> None:
        manager.create(a_key())
        name = new_id()
        assert list(manager.cleanup([name]).deleted) == [name]

    def test_a_leftover_is_deleted(self, manager: WorkspaceManager, root: Path) -> None:
        manager.create(a_key())
        leftover = root / f".tmp-{new_id()}"
        (leftover / "half").mkdir(parents=True)
        manager.cleanup([leftover.name])
        assert not leftover.exists()

    @pytest.mark.parametrize("name", ["", ".", "..", "../x", "/tmp", "Documents", "a/b"])
    def test_what_is_not_ours_is_not_deleted(
        self, manager: WorkspaceManager, root: Path, name: str
    ) -> None:
        manager.create(a_key())
        for kept in ("Documents", "a/b", "../x"):
            (root / kept).mkdir(parents=True)
        report = manager.cleanup([name])
        assert list(report.failures) == [name]
        assert all((root / kept).is_dir() for kept in ("Documents", "a/b", "../x"))

    def test_one_that_cannot_be_deleted_does_not_stop_the_others(
        self, manager: WorkspaceManager
    ) -> None:
        first, last = manager.create(a_key()), manager.create(a_key())
        report = manager.cleanup([first.key.job_id, "../x", last.key.job_id])
        assert list(report.deleted) == [first.key.job_id, last.key.job_id]

    def test_a_symlink_is_deleted_and_not_what_it_points_to(
        self, manager: WorkspaceManager, tmp_path: Path
    ) -> None:
        manager.create(a_key())
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside/mine").touch()
        link = manager.path(a_key())
        link.symlink_to(tmp_path / "outside")
        manager.cleanup([link.name])
        assert (link.is_symlink(), (tmp_path / "outside/mine").exists()) == (False, True)

    def test_a_symlink_inside_is_deleted_and_not_what_it_points_to(
        self, manager: WorkspaceManager, tmp_path: Path
    ) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside/mine").touch()
        workspace = manager.create(a_key())
        (workspace.path / "door").symlink_to(tmp_path / "outside")
        manager.cleanup([workspace.key.job_id])
        assert (workspace.path.exists(), (tmp_path / "outside/mine").exists()) == (False, True)

    def test_directories_that_nobody_may_write_to_are_deleted(
        self, manager: WorkspaceManager
    ) -> None:
        workspace = committed(manager, {"a/b/c": "1"})
        (workspace.path / "a/b").chmod(0)
        (workspace.path / "a").chmod(0o500)
        workspace.path.chmod(0o100)
        manager.cleanup([workspace.key.job_id])
        assert not workspace.path.exists()

    def test_files_that_others_share_stay_with_them(self, manager: WorkspaceManager) -> None:
        parent = committed(manager, {"a": "1"})
        child = cloned(manager, parent)
        manager.cleanup([parent.key.job_id])
        assert (child.path / "a").read_text() == "1"
