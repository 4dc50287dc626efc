"""Sealing and recording: what every manager promises."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from ductile.errors import WorkspaceError
from ductile.model.artifact import Artifact, Change
from ductile.workspace.interfaces import WorkspaceManager
from tests.contract.workspace_manager.builders import (
    a_key,
    changes,
    cloned,
    committed,
    digest,
    write,
)


class TestSeal:
    def test_a_new_file_is_recorded_whole(self, manager: WorkspaceManager) -> None:
        workspace = manager.create(a_key())
        write(workspace, {"sub/a.txt": "hello"})
        (workspace.path / "sub/a.txt").chmod(0o640)
        artifacts = manager.seal(workspace)
        found = (workspace.path / "sub/a.txt").stat()
        assert list(artifacts) == [
            Artifact("sub/a.txt", Change.ADDED, 5, 0o440, digest("hello"), found.st_mtime_ns)
        ]

    @pytest.mark.parametrize(
        ("mode", "sealed"), [(0o644, 0o444), (0o777, 0o555), (0o6755, 0o555), (0o000, 0o400)]
    )
    def test_write_and_set_id_bits_are_taken_off(
        self, manager: WorkspaceManager, mode: int, sealed: int
    ) -> None:
        workspace = manager.create(a_key())
        write(workspace, {"a": "x"})
        (workspace.path / "a").chmod(mode)
        manager.seal(workspace)
        assert stat.S_IMODE((workspace.path / "a").stat().st_mode) == sealed

    def test_changes_are_told_apart(self, manager: WorkspaceManager) -> None:
        child = cloned(manager, committed(manager, {"keep": "1", "new": "2", "gone": "3"}))
        write(child, {"new": "other", "more": "4"})
        (child.path / "gone").unlink()
        assert changes(manager.seal(child)) == {
            "new": Change.REPLACED,
            "more": Change.ADDED,
            "gone": Change.REMOVED,
        }

    def test_a_file_replaced_by_the_same_bytes_is_replaced(self, manager: WorkspaceManager) -> None:
        child = cloned(manager, committed(manager, {"a": "1"}))
        write(child, {"a": "1"})
        assert changes(manager.seal(child)) == {"a": Change.REPLACED}

    def test_changes_come_by_path(self, manager: WorkspaceManager) -> None:
        workspace = manager.create(a_key())
        write(workspace, {"c": "", "a/z": "", "b": "", "a/b/c": ""})
        assert [found.path for found in manager.seal(workspace)] == ["a/b/c", "a/z", "b", "c"]

    def test_inherited_files_are_not_touched(self, manager: WorkspaceManager) -> None:
        child = cloned(manager, committed(manager, {"a": "1"}))
        before = (child.path / "a").stat()
        manager.seal(child)
        after = (child.path / "a").stat()
        assert (before.st_mtime_ns, before.st_ctime_ns) == (after.st_mtime_ns, after.st_ctime_ns)

    def test_a_renamed_file_is_removed_here_and_added_there(
        self, manager: WorkspaceManager
    ) -> None:
        child = cloned(manager, committed(manager, {"a": "1"}))
        (child.path / "a").rename(child.path / "b")
        assert changes(manager.seal(child)) == {"a": Change.REMOVED, "b": Change.ADDED}

    def test_a_renamed_file_keeps_its_time_for_those_who_share_it(
        self, manager: WorkspaceManager
    ) -> None:
        child = cloned(manager, committed(manager, {"a": "1"}))
        (child.path / "a").rename(child.path / "b")
        manager.seal(child)
        assert (child.path / "b").stat().st_mtime_ns == child.shared["a"].mtime_ns

    def test_two_names_of_one_new_file_are_two_artifacts(self, manager: WorkspaceManager) -> None:
        workspace = manager.create(a_key())
        write(workspace, {"a": "1"})
        (workspace.path / "b").hardlink_to(workspace.path / "a")
        first, second = manager.seal(workspace)
        assert (first.blake3, first.mtime_ns) == (second.blake3, second.mtime_ns)

    def test_a_symlink_is_recorded_by_its_text_and_not_followed(
        self, manager: WorkspaceManager
    ) -> None:
        workspace = manager.create(a_key())
        (workspace.path / "out").symlink_to("/etc/passwd")
        (found,) = manager.seal(workspace)
        assert (found.symlink, found.size, found.blake3) == (True, 11, digest("/etc/passwd"))

    @pytest.mark.parametrize("copy", [False, True])
    def test_an_inherited_symlink_is_no_change(self, manager: WorkspaceManager, copy: bool) -> None:
        parent = manager.create(a_key())
        (parent.path / "link").symlink_to("x")
        manager.seal(parent)
        assert manager.seal(cloned(manager, parent, copy=copy)) == []

    def test_a_symlink_with_another_text_is_replaced(self, manager: WorkspaceManager) -> None:
        parent = manager.create(a_key())
        (parent.path / "link").symlink_to("x")
        manager.seal(parent)
        child = cloned(manager, parent)
        (child.path / "link").unlink()
        (child.path / "link").symlink_to("y")
        assert changes(manager.seal(child)) == {"link": Change.REPLACED}

    def test_a_file_behind_a_symlink_to_outside_is_left_alone(
        self, manager: WorkspaceManager, tmp_path: Path
    ) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside/mine").write_text("x")
        (tmp_path / "outside/mine").chmod(0o644)
        workspace = manager.create(a_key())
        (workspace.path / "door").symlink_to(tmp_path / "outside")
        manager.seal(workspace)
        assert stat.S_IMODE((tmp_path / "outside/mine").stat().st_mode) == 0o644

    def test_a_directory_in_the_place_of_a_file_is_a_removal_and_additions(
        self, manager: WorkspaceManager
    ) -> None:
        child = cloned(manager, committed(manager, {"a": "1"}))
        (child.path / "a").unlink()
        write(child, {"a/inside": "x"})
        assert changes(manager.seal(child)) == {"a": Change.REMOVED, "a/inside": Change.ADDED}

    def test_a_directory_that_its_owner_cannot_read_is_sealed_all_the_same(
        self, manager: WorkspaceManager
    ) -> None:
        workspace = manager.create(a_key())
        write(workspace, {"dark/a": "1"})
        (workspace.path / "dark").chmod(0)
        assert changes(manager.seal(workspace)) == {"dark/a": Change.ADDED}

    def test_a_pipe_cannot_be_committed(self, manager: WorkspaceManager) -> None:
        workspace = manager.create(a_key())
        os.mkfifo(workspace.path / "pipe")
        with pytest.raises(WorkspaceError, match=r'"pipe" is a named pipe'):
            manager.seal(workspace)

    def test_a_socket_cannot_be_committed(
        self, manager: WorkspaceManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workspace = manager.create(a_key())
        monkeypatch.chdir(workspace.path)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("door")
        with pytest.raises(WorkspaceError, match=r'"door" is a socket'):
            manager.seal(workspace)

    def test_a_new_file_that_is_linked_from_outside_cannot_be_committed(
        self, manager: WorkspaceManager, tmp_path: Path
    ) -> None:
        (tmp_path / "mine").write_text("x")
        workspace = manager.create(a_key())
        (workspace.path / "linked").hardlink_to(tmp_path / "mine")
        with pytest.raises(WorkspaceError, match=r'"linked" has another name outside'):
            manager.seal(workspace)

    def test_names_that_are_not_text_are_recorded_as_they_are(
        self, manager: WorkspaceManager
    ) -> None:
        workspace = manager.create(a_key())
        Path(os.fsdecode(os.fsencode(workspace.path) + b"/\xff\n")).touch()
        (found,) = manager.seal(workspace)
        assert os.fsencode(found.path) == b"\xff\n"
