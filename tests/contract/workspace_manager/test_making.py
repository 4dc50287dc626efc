"""Making, opening and cloning workspaces: what every manager promises."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from ductile.errors import WorkspaceError
from ductile.model.artifact import Change
from ductile.model.ids import JobId, new_id
from ductile.workspace.interfaces import WorkspaceKey, WorkspaceManager
from tests.contract.workspace_manager.builders import (
    a_key,
    changes,
    cloned,
    committed,
    knows,
    write,
    write_in_place,
)

AN_ID = "01234567-89ab-7def-8123-456789abcdef"


class TestPaths:
    def test_the_first_attempt_has_the_name_of_its_job(
        self, manager: WorkspaceManager, root: Path
    ) -> None:
        key = a_key()
        assert manager.path(key) == root / key.job_id

    def test_a_later_attempt_has_its_number_in_the_name(
        self, manager: WorkspaceManager, root: Path
    ) -> None:
        key = a_key(attempt=12)
        assert manager.path(key) == root / f"{key.job_id}.12"

    @pytest.mark.parametrize(
        "job_id", ["", ".", "..", "a/b", "../x", "job", "-rf", f"{AN_ID}/..", f"{AN_ID}\n"]
    )
    def test_what_is_no_id_never_becomes_a_path(
        self, manager: WorkspaceManager, job_id: str
    ) -> None:
        with pytest.raises(WorkspaceError, match="expected the id of a job"):
            manager.path(WorkspaceKey(JobId(job_id)))

    def test_attempts_are_counted_from_one(self, manager: WorkspaceManager) -> None:
        with pytest.raises(WorkspaceError, match="counted from 1"):
            manager.path(a_key(attempt=0))


class TestCreate:
    def test_a_new_workspace_is_empty(self, manager: WorkspaceManager) -> None:
        assert list(manager.create(a_key()).path.iterdir()) == []

    def test_nothing_is_made_before_it_is_needed(
        self, manager: WorkspaceManager, root: Path
    ) -> None:
        manager.names()
        manager.cleanup([new_id()])
        assert not root.parent.exists()

    @pytest.mark.parametrize("part", ["data", "data/ws", "workspace"])
    def test_the_root_its_parents_and_the_workspace_are_for_their_owner_only(
        self, manager: WorkspaceManager, tmp_path: Path, part: str
    ) -> None:
        workspace = manager.create(a_key())
        path = workspace.path if part == "workspace" else tmp_path / part
        assert stat.S_IMODE(path.stat().st_mode) == 0o700

    def test_there_is_no_second_workspace_of_one_name(self, manager: WorkspaceManager) -> None:
        key = manager.create(a_key()).key
        with pytest.raises(WorkspaceError, match="already"):
            manager.create(key)

    def test_two_attempts_of_one_job_do_not_meet(self, manager: WorkspaceManager) -> None:
        first = manager.create(a_key())
        write(first, {"left.txt": "by the first"})
        second = manager.create(WorkspaceKey(first.key.job_id, 2))
        assert list(second.path.iterdir()) == []


class TestOpen:
    def test_a_workspace_that_is_there_opens(self, manager: WorkspaceManager) -> None:
        made = manager.create(a_key())
        assert manager.open(made.key) == made

    def test_a_missing_workspace_is_an_error(self, manager: WorkspaceManager) -> None:
        manager.create(a_key())
        with pytest.raises(WorkspaceError, match="is missing"):
            manager.open(a_key())

    def test_a_missing_root_is_an_error(self, manager: WorkspaceManager) -> None:
        with pytest.raises(WorkspaceError, match=r"workspace\.root names is missing"):
            manager.open(a_key())

    def test_a_symlink_is_no_workspace(self, manager: WorkspaceManager, tmp_path: Path) -> None:
        manager.create(a_key())
        key = a_key()
        manager.path(key).symlink_to(tmp_path)
        with pytest.raises(WorkspaceError, match="to be a directory"):
            manager.open(key)

    def test_a_file_is_no_workspace(self, manager: WorkspaceManager) -> None:
        manager.create(a_key())
        key = a_key()
        manager.path(key).touch()
        with pytest.raises(WorkspaceError, match="to be a directory"):
            manager.open(key)


class TestClone:
    def test_a_clone_holds_the_same_bytes(self, manager: WorkspaceManager) -> None:
        child = cloned(manager, committed(manager, {"deep/er/a.txt": "hello"}))
        assert (child.path / "deep/er/a.txt").read_text() == "hello"

    def test_files_are_linked_not_copied(self, manager: WorkspaceManager) -> None:
        parent = committed(manager, {"a.txt": "hello"})
        child = cloned(manager, parent)
        assert (child.path / "a.txt").samefile(parent.path / "a.txt")

    def test_empty_directories_are_kept(self, manager: WorkspaceManager) -> None:
        parent = manager.create(a_key())
        (parent.path / "nothing/here").mkdir(parents=True)
        assert (cloned(manager, parent).path / "nothing/here").is_dir()

    def test_executable_files_stay_executable(self, manager: WorkspaceManager) -> None:
        parent = manager.create(a_key())
        write(parent, {"run.sh": "#!/bin/sh"})
        (parent.path / "run.sh").chmod(0o755)
        manager.seal(parent)
        assert os.access(cloned(manager, parent).path / "run.sh", os.X_OK)

    @pytest.mark.parametrize("text", ["a.txt", "missing", "/etc/passwd", "../..", "loop"])
    @pytest.mark.parametrize("copy", [False, True])
    def test_a_symlink_is_made_anew_with_the_same_text(
        self, manager: WorkspaceManager, text: str, copy: bool
    ) -> None:
        parent = committed(manager, {"a.txt": "hello"})
        (parent.path / "loop").symlink_to(text)
        assert (cloned(manager, parent, copy=copy).path / "loop").readlink() == Path(text)

    def test_a_symlink_keeps_its_time(self, manager: WorkspaceManager) -> None:
        parent = manager.create(a_key())
        (parent.path / "link").symlink_to("x")
        manager.seal(parent)
        child = cloned(manager, parent)
        times = [(w.path / "link").lstat().st_mtime_ns for w in (parent, child)]
        assert times[0] == times[1]

    def test_nothing_is_found_behind_a_symlink_to_a_directory(
        self, manager: WorkspaceManager, tmp_path: Path
    ) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside/secret").touch()
        parent = manager.create(a_key())
        (parent.path / "door").symlink_to(tmp_path / "outside")
        assert set(cloned(manager, parent).inherited) == {"door"}

    def test_it_tells_which_files_are_shared(self, manager: WorkspaceManager) -> None:
        parent = committed(manager, {"a.txt": "hello"})
        (parent.path / "link").symlink_to("a.txt")
        child = cloned(manager, parent)
        assert (set(child.shared), set(child.inherited)) == ({"a.txt"}, {"a.txt", "link"})

    def test_it_tells_where_the_files_come_from(self, manager: WorkspaceManager) -> None:
        parent = committed(manager, {})
        assert cloned(manager, parent).sources == (parent.key,)

    def test_a_missing_source_is_an_error(self, manager: WorkspaceManager) -> None:
        manager.create(a_key())
        with pytest.raises(WorkspaceError, match="is missing"):
            manager.clone(a_key(), a_key())

    def test_a_target_that_is_there_is_an_error(self, manager: WorkspaceManager) -> None:
        parent, other = committed(manager, {"a": "1"}), manager.create(a_key())
        with pytest.raises(WorkspaceError, match="already"):
            manager.clone(parent.key, other.key)

    def test_an_empty_target_is_not_replaced(self, manager: WorkspaceManager) -> None:
        parent, other = committed(manager, {"a": "1"}), manager.create(a_key())
        with pytest.raises(WorkspaceError):
            manager.clone(parent.key, other.key)
        assert list(other.path.iterdir()) == []

    @pytest.mark.parametrize("copy", [False, True])
    def test_a_pipe_is_refused_by_name(self, manager: WorkspaceManager, copy: bool) -> None:
        parent = manager.create(a_key())
        (parent.path / "sub").mkdir()
        os.mkfifo(parent.path / "sub/pipe")
        with pytest.raises(WorkspaceError, match=r'"sub/pipe" is a named pipe'):
            cloned(manager, parent, copy=copy)

    def test_after_an_error_nothing_is_left_behind(
        self, manager: WorkspaceManager, root: Path
    ) -> None:
        parent = committed(manager, {"a/b/c.txt": "hello"})
        os.mkfifo(parent.path / "a/pipe")
        with pytest.raises(WorkspaceError):
            cloned(manager, parent)
        assert [path.name for path in root.iterdir()] == [parent.key.job_id]

    def test_a_clone_of_a_clone_shares_the_first_bytes(self, manager: WorkspaceManager) -> None:
        first = committed(manager, {"a.txt": "hello"})
        third = cloned(manager, cloned(manager, first))
        assert (third.path / "a.txt").samefile(first.path / "a.txt")


class TestCopy:
    def test_copies_share_nothing(self, manager: WorkspaceManager) -> None:
        parent = committed(manager, {"a.txt": "hello"})
        child = cloned(manager, parent, copy=True)
        write_in_place(child.path / "a.txt", "changed")
        assert ((parent.path / "a.txt").read_text(), dict(child.shared)) == ("hello", {})

    def test_copies_of_sealed_files_can_be_written_by_their_owner(
        self, manager: WorkspaceManager
    ) -> None:
        child = cloned(manager, committed(manager, {"a.txt": "hello"}), copy=True)
        assert (child.path / "a.txt").stat().st_mode & stat.S_IWUSR

    def test_copies_stay_executable(self, manager: WorkspaceManager) -> None:
        parent = committed(manager, {"run.sh": "#!/bin/sh"})
        (parent.path / "run.sh").chmod(0o555)
        child = cloned(manager, parent, copy=True)
        assert stat.S_IMODE((child.path / "run.sh").stat().st_mode) == 0o755

    def test_copies_keep_their_time(self, manager: WorkspaceManager) -> None:
        parent = committed(manager, {"a.txt": "hello"})
        child = cloned(manager, parent, copy=True)
        times = [(w.path / "a.txt").stat().st_mtime_ns for w in (parent, child)]
        assert times[0] == times[1]

    def test_large_files_are_copied_whole(self, manager: WorkspaceManager) -> None:
        parent = manager.create(a_key())
        data = os.urandom(3 << 20) + b"end"
        (parent.path / "big").write_bytes(data)
        child = cloned(manager, parent, copy=True)
        assert hashlib.sha256((child.path / "big").read_bytes()).digest() == (
            hashlib.sha256(data).digest()
        )

    def test_only_changed_copies_are_recorded(self, manager: WorkspaceManager) -> None:
        child = cloned(manager, committed(manager, {"a": "1", "b": "2"}), copy=True)
        write_in_place(child.path / "a", "3")
        assert changes(manager.seal(child)) == {"a": Change.REPLACED}

    def test_unchanged_copies_are_sealed_too(self, manager: WorkspaceManager) -> None:
        child = cloned(manager, committed(manager, {"a": "1"}), copy=True)
        manager.seal(child)
        assert stat.S_IMODE((child.path / "a").stat().st_mode) & 0o222 == 0

    def test_a_second_name_for_a_copy_does_not_make_it_a_change(
        self, manager: WorkspaceManager
    ) -> None:
        child = cloned(manager, committed(manager, {"m": "1"}), copy=True)
        for name in "abcdwxyz":
            (child.path / name).hardlink_to(child.path / "m")
        assert changes(manager.seal(child)) == dict.fromkeys("abcdwxyz", Change.ADDED)

    def test_changed_copies_are_no_taint(self, manager: WorkspaceManager) -> None:
        child = cloned(manager, committed(manager, {"a": "1"}), copy=True)
        write_in_place(child.path / "a", "other")
        assert manager.check(child, knows({"a": "1"})) == ()


class TestProbe:
    def test_a_root_that_can_be_used_is_well_and_stays_empty(
        self, manager: WorkspaceManager, root: Path
    ) -> None:
        manager.probe()
        assert list(root.iterdir()) == []

    def test_a_root_that_was_there_and_is_gone_is_not_made_anew(
        self, manager: WorkspaceManager, root: Path
    ) -> None:
        key = a_key()
        manager.create(key)
        root.rename(root.with_name("away"))
        for use in (manager.probe, lambda: manager.create(a_key())):
            with pytest.raises(WorkspaceError, match="has vanished"):
                use()
        assert not root.exists()

    def test_a_root_that_is_back_is_used_again(self, manager: WorkspaceManager, root: Path) -> None:
        key = a_key()
        manager.create(key)
        root.rename(root.with_name("away"))
        with pytest.raises(WorkspaceError):
            manager.probe()
        root.with_name("away").rename(root)
        manager.probe()
        assert manager.open(key).key == key

    def test_what_is_in_the_place_of_the_root_is_no_root(
        self, manager: WorkspaceManager, root: Path
    ) -> None:
        root.parent.mkdir(exist_ok=True)
        root.write_text("a file")
        with pytest.raises(WorkspaceError, match=r"workspace\.root"):
            manager.probe()
