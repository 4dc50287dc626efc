"""Finding what was changed in place: what every manager promises."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

from ductile.errors import WorkspaceError
from ductile.model.artifact import Artifact, Taint
from ductile.workspace.interfaces import KnownHash, Tainted, Workspace, WorkspaceManager
from tests.contract.workspace_manager.builders import (
    a_key,
    cloned,
    committed,
    held_by,
    knows,
    write,
    write_in_place,
)

Finding: TypeAlias = Callable[[WorkspaceManager, Workspace, KnownHash], list[Taint]]
Check: TypeAlias = Callable[[WorkspaceManager, Workspace], list[Taint]]


def checked(manager: WorkspaceManager, child: Workspace, known: KnownHash) -> list[Taint]:
    return list(manager.check(child, known))


def sealed(manager: WorkspaceManager, child: Workspace, known: KnownHash) -> list[Taint]:
    try:
        manager.seal(child, known)
    except Tainted as found:
        return list(found.taints)
    return []


class TestCheck:
    FILES: Mapping[str, str] = {"a.txt": "twelve bytes", "sub/b.txt": "b"}

    #: A check by itself, and the one that goes with a seal.
    @pytest.fixture(params=[checked, sealed])
    def finding(self, request: pytest.FixtureRequest) -> Finding:
        found: Finding = request.param
        return found

    @pytest.fixture
    def parent(self, manager: WorkspaceManager) -> Workspace:
        return committed(manager, self.FILES)

    @pytest.fixture
    def child(self, manager: WorkspaceManager, parent: Workspace) -> Workspace:
        return cloned(manager, parent)

    @pytest.fixture
    def check(self, finding: Finding) -> Check:
        """Against what the ledger knows of the parent."""
        return lambda manager, child: finding(manager, child, knows(self.FILES))

    def test_an_untouched_workspace_has_no_taint(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        assert check(manager, child) == []

    def test_a_file_that_grew_in_place_is_found(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        write_in_place(child.path / "a.txt", "twenty bytes in place"[:20])
        assert check(manager, child) == [Taint("a.txt", "size 12 became 20")]

    def test_other_bytes_of_the_same_size_are_found_however_soon_they_are_written(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        write_in_place(child.path / "sub/b.txt", "c")
        assert check(manager, child) == [Taint("sub/b.txt", "other content of size 1")]

    def test_a_clock_that_stands_still_hides_nothing(
        self, manager: WorkspaceManager, finding: Finding
    ) -> None:
        parent = manager.create(a_key())
        write(parent, {"a.txt": "first"})
        tick = (0, 1_000_000_000)
        os.utime(parent.path / "a.txt", ns=tick)
        hashes = {found.path: found.blake3 for found in manager.seal(parent)}
        child = cloned(manager, parent)
        write_in_place(child.path / "a.txt", "other")
        os.utime(child.path / "a.txt", ns=tick)
        assert [taint.path for taint in finding(manager, child, hashes.get)] == ["a.txt"]

    def test_a_mere_touch_is_no_taint(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        os.utime(child.path / "a.txt", ns=(0, 0))
        assert check(manager, child) == []

    def test_the_same_bytes_written_again_are_no_taint(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        write_in_place(child.path / "a.txt", self.FILES["a.txt"])
        assert check(manager, child) == []

    def test_a_touched_file_that_the_ledger_does_not_know_is_a_taint(
        self, manager: WorkspaceManager, child: Workspace, finding: Finding
    ) -> None:
        os.utime(child.path / "a.txt", ns=(0, 0))
        assert [taint.path for taint in finding(manager, child, lambda _: None)] == ["a.txt"]

    def test_another_mode_is_no_taint(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        (child.path / "a.txt").chmod(0o750)
        assert check(manager, child) == []

    def test_a_removed_file_is_no_taint(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        (child.path / "a.txt").unlink()
        assert check(manager, child) == []

    def test_a_replaced_file_is_no_taint(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        write(child, {"a.txt": "something else"})
        assert check(manager, child) == []

    def test_a_renamed_file_is_no_taint(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        (child.path / "a.txt").rename(child.path / "sub/c.txt")
        assert check(manager, child) == []

    def test_a_directory_in_the_place_of_a_file_is_no_taint(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        (child.path / "a.txt").unlink()
        write(child, {"a.txt/inside": "x"})
        assert check(manager, child) == []

    def test_a_file_that_was_renamed_and_then_changed_is_found_under_its_old_name(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        (child.path / "a.txt").rename(child.path / "moved")
        write_in_place(child.path / "moved", "")
        assert check(manager, child) == [Taint("a.txt", "size 12 became 0")]

    def test_a_file_that_was_changed_and_then_removed_is_found(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        write_in_place(child.path / "a.txt", "")
        (child.path / "a.txt").unlink()
        assert check(manager, child) == [Taint("a.txt", "size 12 became 0")]

    def test_a_file_that_was_changed_and_then_replaced_is_found(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        write_in_place(child.path / "a.txt", "")
        write(child, {"a.txt": "new"})
        assert check(manager, child) == [Taint("a.txt", "size 12 became 0")]

    def test_a_change_through_another_hard_link_is_found(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        (child.path / "alias").hardlink_to(child.path / "a.txt")
        write_in_place(child.path / "alias", "")
        assert check(manager, child) == [Taint("a.txt", "size 12 became 0")]

    def test_a_change_in_a_directory_that_was_swapped_for_a_symlink_is_found(
        self, manager: WorkspaceManager, child: Workspace, parent: Workspace, check: Check
    ) -> None:
        write_in_place(child.path / "sub/b.txt", "longer")
        (child.path / "sub/b.txt").unlink()
        (child.path / "sub").rmdir()
        (child.path / "sub").symlink_to("/")
        assert check(manager, child) == [Taint("sub/b.txt", "size 1 became 6")]

    def test_a_change_made_by_a_grandchild_is_found_there(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        manager.seal(child)
        grandchild = cloned(manager, child)
        write_in_place(grandchild.path / "a.txt", "")
        assert [taint.path for taint in check(manager, grandchild)] == ["a.txt"]

    def test_all_changes_are_reported_by_path(
        self, manager: WorkspaceManager, child: Workspace, check: Check
    ) -> None:
        for name in ("sub/b.txt", "a.txt"):
            write_in_place(child.path / name, "")
        assert [taint.path for taint in check(manager, child)] == ["a.txt", "sub/b.txt"]

    def test_a_source_that_is_gone_does_not_stop_the_check(
        self, manager: WorkspaceManager, parent: Workspace, child: Workspace, check: Check
    ) -> None:
        manager.cleanup([parent.key.job_id])
        (child.path / "sub/b.txt").unlink()
        write_in_place(child.path / "a.txt", "")
        assert [taint.path for taint in check(manager, child)] == ["a.txt"]


class TestVerify:
    def test_a_committed_workspace_is_what_the_ledger_says(self, manager: WorkspaceManager) -> None:
        first = manager.create(a_key())
        write(first, {"a": "1", "b": "2", "c": "3"})
        (first.path / "link").symlink_to("a")
        hops = [manager.seal(first)]
        for copy in (False, True):
            second = cloned(manager, first, copy=copy)
            write(second, {"b": "new", "d": "4"})
            (second.path / "c").unlink()
            hops.append(manager.seal(second))
            assert manager.verify(second.key, held_by(hops[0], hops[-1])) == []

    @pytest.fixture
    def workspace(self, manager: WorkspaceManager) -> Workspace:
        return manager.create(a_key())

    @pytest.fixture
    def held(self, manager: WorkspaceManager, workspace: Workspace) -> dict[str, Artifact]:
        write(workspace, {"a": "1"})
        (workspace.path / "link").symlink_to("a")
        return held_by(manager.seal(workspace))

    def verify(
        self, manager: WorkspaceManager, workspace: Workspace, held: Mapping[str, Artifact]
    ) -> list[tuple[str, str]]:
        found = manager.verify(workspace.key, held)
        return [(taint.path, taint.detail) for taint in found]

    def test_a_missing_file_is_found(
        self, manager: WorkspaceManager, workspace: Workspace, held: dict[str, Artifact]
    ) -> None:
        (workspace.path / "a").unlink()
        assert self.verify(manager, workspace, held) == [("a", "is missing")]

    def test_a_file_too_many_is_found(
        self, manager: WorkspaceManager, workspace: Workspace, held: dict[str, Artifact]
    ) -> None:
        write(workspace, {"sub/more": "x"})
        assert self.verify(manager, workspace, held) == [("sub/more", "is not in the ledger")]

    def test_other_bytes_of_the_same_size_are_found(
        self, manager: WorkspaceManager, workspace: Workspace, held: dict[str, Artifact]
    ) -> None:
        write_in_place(workspace.path / "a", "2")
        assert self.verify(manager, workspace, held) == [("a", "other content of size 1")]

    def test_another_size_is_found(
        self, manager: WorkspaceManager, workspace: Workspace, held: dict[str, Artifact]
    ) -> None:
        write_in_place(workspace.path / "a", "")
        assert self.verify(manager, workspace, held) == [("a", "size 1 became 0")]

    def test_another_time_alone_is_no_difference(
        self, manager: WorkspaceManager, workspace: Workspace, held: dict[str, Artifact]
    ) -> None:
        os.utime(workspace.path / "a", ns=(0, 0))
        assert self.verify(manager, workspace, held) == []

    def test_a_symlink_with_another_text_is_found(
        self, manager: WorkspaceManager, workspace: Workspace, held: dict[str, Artifact]
    ) -> None:
        (workspace.path / "link").unlink()
        (workspace.path / "link").symlink_to("b")
        assert self.verify(manager, workspace, held) == [("link", "other content of size 1")]

    def test_a_symlink_in_the_place_of_a_file_is_found(
        self, manager: WorkspaceManager, workspace: Workspace, held: dict[str, Artifact]
    ) -> None:
        (workspace.path / "a").unlink()
        (workspace.path / "a").symlink_to("b")
        assert self.verify(manager, workspace, held) == [("a", "is a symlink, was a file")]

    def test_a_pipe_in_the_place_of_a_file_is_found(
        self, manager: WorkspaceManager, workspace: Workspace, held: dict[str, Artifact]
    ) -> None:
        (workspace.path / "a").unlink()
        os.mkfifo(workspace.path / "a")
        assert self.verify(manager, workspace, held) == [("a", "is no file any more")]

    def test_a_missing_workspace_is_an_error(self, manager: WorkspaceManager) -> None:
        manager.create(a_key())
        with pytest.raises(WorkspaceError, match="is missing"):
            manager.verify(a_key(), {})
