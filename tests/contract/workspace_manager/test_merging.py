"""Merging several workspaces into one: what every manager promises."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ductile.errors import WorkspaceError
from ductile.model.artifact import Artifact, Change, Taint
from ductile.workspace.interfaces import Workspace, WorkspaceManager
from tests.contract.workspace_manager.builders import (
    a_key,
    changes,
    cloned,
    committed,
    found_in,
    held_by,
    knows,
    write,
    write_in_place,
)


def merged(manager: WorkspaceManager, *sources: Workspace, copy: bool = False) -> Workspace:
    return manager.merge([source.key for source in sources], a_key(), copy=copy)


class TestUnion:
    def test_it_holds_the_files_of_all_sources(self, manager: WorkspaceManager) -> None:
        first = committed(manager, {"a": "1", "sub/b": "2"})
        second = committed(manager, {"c": "3", "sub/d": "4"})
        assert found_in(merged(manager, first, second)) == {
            "a": "1",
            "sub/b": "2",
            "c": "3",
            "sub/d": "4",
        }

    def test_of_two_files_under_one_path_the_later_wins(self, manager: WorkspaceManager) -> None:
        sources = [committed(manager, {"a": text}) for text in ("first", "second", "third")]
        assert found_in(merged(manager, *sources)) == {"a": "third"}

    def test_a_later_file_replaces_a_directory_and_all_that_is_in_it(
        self, manager: WorkspaceManager
    ) -> None:
        first = committed(manager, {"a/deep/b": "1", "a/c": "2"})
        second = committed(manager, {"a": "file"})
        assert found_in(merged(manager, first, second)) == {"a": "file"}

    def test_a_later_directory_replaces_a_file(self, manager: WorkspaceManager) -> None:
        first = committed(manager, {"a": "file"})
        second = committed(manager, {"a/b": "1"})
        assert found_in(merged(manager, first, second)) == {"a/b": "1"}

    def test_an_empty_later_directory_replaces_a_file(self, manager: WorkspaceManager) -> None:
        first, second = committed(manager, {"a": "file"}), manager.create(a_key())
        (second.path / "a").mkdir()
        assert (merged(manager, first, second).path / "a").is_dir()

    def test_what_a_file_replaced_does_not_come_back_with_a_later_directory(
        self, manager: WorkspaceManager
    ) -> None:
        sources = [committed(manager, files) for files in ({"a/b": "1"}, {"a": "2"}, {"a/c": "3"})]
        assert found_in(merged(manager, *sources)) == {"a/c": "3"}

    def test_a_later_symlink_replaces_a_directory_and_is_not_followed(
        self, manager: WorkspaceManager, tmp_path: Path
    ) -> None:
        (tmp_path / "outside").mkdir()
        first, second = committed(manager, {"a/b": "1"}), manager.create(a_key())
        (second.path / "a").symlink_to(tmp_path / "outside")
        union = merged(manager, first, second)
        assert (union.path / "a").readlink() == tmp_path / "outside"
        assert list((tmp_path / "outside").iterdir()) == []

    def test_a_later_directory_replaces_a_symlink_and_does_not_fill_what_it_led_to(
        self, manager: WorkspaceManager, tmp_path: Path
    ) -> None:
        (tmp_path / "outside").mkdir()
        first, second = manager.create(a_key()), committed(manager, {"a/b": "1"})
        (first.path / "a").symlink_to(tmp_path / "outside")
        assert not (merged(manager, first, second).path / "a").is_symlink()
        assert list((tmp_path / "outside").iterdir()) == []

    def test_a_source_that_is_named_twice_counts_as_the_last(
        self, manager: WorkspaceManager
    ) -> None:
        one, two = committed(manager, {"a": "one"}), committed(manager, {"a": "two"})
        union = merged(manager, one, two, one)
        assert (found_in(union), union.sources) == ({"a": "one"}, (two.key, one.key))

    def test_without_sources_it_is_empty(self, manager: WorkspaceManager) -> None:
        key = a_key()
        assert manager.merge([], key) == Workspace(key, manager.path(key))
        assert list(manager.path(key).iterdir()) == []

    @pytest.mark.parametrize("copy", [False, True])
    def test_of_one_source_it_is_a_clone(self, manager: WorkspaceManager, copy: bool) -> None:
        parent = committed(manager, {"a": "1", "sub/b": "2"})
        (parent.path / "link").symlink_to("a")
        clone, union = cloned(manager, parent, copy=copy), merged(manager, parent, copy=copy)
        assert (union.sources, set(union.inherited)) == (clone.sources, set(clone.inherited))
        assert (union.shared, found_in(union)) == (clone.shared, found_in(clone))


class TestWhatIsShared:
    @pytest.fixture
    def sources(self, manager: WorkspaceManager) -> list[Workspace]:
        files = ({"a": "old", "b": "1"}, {"a": "new", "c": "2"})
        return [committed(manager, each) for each in files]

    def test_files_share_their_bytes_with_the_winner(
        self, manager: WorkspaceManager, sources: list[Workspace]
    ) -> None:
        union = merged(manager, *sources)
        winners = {"a": sources[1], "b": sources[0], "c": sources[1]}
        assert all((union.path / n).samefile(w.path / n) for n, w in winners.items())

    def test_what_loses_is_never_linked(
        self, manager: WorkspaceManager, sources: list[Workspace]
    ) -> None:
        before = (sources[0].path / "a").stat()
        merged(manager, *sources)
        after = (sources[0].path / "a").stat()
        assert (after.st_nlink, after.st_ctime_ns) == (before.st_nlink, before.st_ctime_ns)

    def test_it_tells_what_it_inherited_and_from_where(
        self, manager: WorkspaceManager, sources: list[Workspace]
    ) -> None:
        union = merged(manager, *sources)
        assert union.sources == tuple(source.key for source in sources)
        assert {path: before.inode for path, before in union.shared.items()} == {
            path: (union.path / path).stat().st_ino for path in "abc"
        }

    def test_copies_share_nothing(
        self, manager: WorkspaceManager, sources: list[Workspace]
    ) -> None:
        union = merged(manager, *sources, copy=True)
        for name in "abc":
            write_in_place(union.path / name, "changed")
        assert dict(union.shared) == {}
        assert [found_in(source) for source in sources] == [
            {"a": "old", "b": "1"},
            {"a": "new", "c": "2"},
        ]

    def test_copies_can_be_written_by_their_owner(
        self, manager: WorkspaceManager, sources: list[Workspace]
    ) -> None:
        union = merged(manager, *sources, copy=True)
        assert (union.path / "b").stat().st_mode & stat.S_IWUSR


class TestRefusals:
    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_any_missing_source_is_an_error(self, manager: WorkspaceManager, place: int) -> None:
        keys = [committed(manager, {f"{n}": ""}).key for n in range(2)]
        keys.insert(place, a_key())
        with pytest.raises(WorkspaceError, match=f"{keys[place].job_id}.*is missing"):
            manager.merge(keys, a_key())

    def test_a_target_that_is_there_is_an_error(self, manager: WorkspaceManager) -> None:
        parent, other = committed(manager, {"a": "1"}), manager.create(a_key())
        with pytest.raises(WorkspaceError, match="already"):
            manager.merge([parent.key, parent.key], other.key)

    def test_an_empty_union_does_not_replace_an_empty_workspace(
        self, manager: WorkspaceManager
    ) -> None:
        with pytest.raises(WorkspaceError, match="already"):
            manager.merge([], manager.create(a_key()).key)

    @pytest.mark.parametrize("place", [0, 1])
    def test_after_an_error_nothing_is_left_behind(
        self, manager: WorkspaceManager, root: Path, place: int
    ) -> None:
        sources = [committed(manager, {f"sub/{n}": ""}) for n in range(2)]
        os.mkfifo(sources[place].path / "sub/pipe")
        with pytest.raises(WorkspaceError, match=r'"sub/pipe" is a named pipe'):
            merged(manager, *sources)
        assert {path.name for path in root.iterdir()} == {w.key.job_id for w in sources}

    def test_what_loses_is_not_looked_at(self, manager: WorkspaceManager) -> None:
        first, second = manager.create(a_key()), committed(manager, {"a": "1"})
        os.mkfifo(first.path / "a")
        assert found_in(merged(manager, first, second)) == {"a": "1"}


class TestCheckAndSeal:
    @pytest.fixture
    def sources(self, manager: WorkspaceManager) -> list[Workspace]:
        files = (
            {"both": "first", "left": "l"},
            {"both": "later", "middle": "m"},
            {"right": "r"},
        )
        return [committed(manager, each) for each in files]

    @pytest.fixture
    def union(self, manager: WorkspaceManager, sources: list[Workspace]) -> Workspace:
        return merged(manager, *sources)

    def check(self, manager: WorkspaceManager, union: Workspace) -> list[Taint]:
        known = knows({"both": "later", "left": "l", "middle": "m", "right": "r"})
        return list(manager.check(union, known))

    @pytest.mark.parametrize("name", ["left", "middle", "right"])
    @pytest.mark.parametrize("lost", [False, True])
    def test_a_change_in_place_is_found_whichever_source_the_file_is_from(
        self, manager: WorkspaceManager, union: Workspace, name: str, lost: bool
    ) -> None:
        write_in_place(union.path / name, "")
        if lost:
            (union.path / name).unlink()
        assert self.check(manager, union) == [Taint(name, "size 1 became 0")]

    def test_a_change_of_what_won_is_found_behind_what_lost(
        self, manager: WorkspaceManager, union: Workspace
    ) -> None:
        write_in_place(union.path / "both", "other")
        write(union, {"both": "new"})
        assert self.check(manager, union) == [Taint("both", "other content of size 5")]

    def test_a_change_of_what_lost_is_no_business_of_the_union(
        self, manager: WorkspaceManager, sources: list[Workspace], union: Workspace
    ) -> None:
        write_in_place(sources[0].path / "both", "")
        (union.path / "both").unlink()
        assert self.check(manager, union) == []

    def test_changes_through_several_sources_come_by_path(
        self, manager: WorkspaceManager, union: Workspace
    ) -> None:
        for name in ("right", "middle", "left"):
            write_in_place(union.path / name, "")
            (union.path / name).unlink()
        assert [taint.path for taint in self.check(manager, union)] == ["left", "middle", "right"]

    def test_a_source_that_is_gone_does_not_hide_what_another_one_shows(
        self, manager: WorkspaceManager, sources: list[Workspace], union: Workspace
    ) -> None:
        manager.cleanup([sources[2].key.job_id])
        write_in_place(union.path / "left", "")
        for name in ("left", "right"):
            (union.path / name).unlink()
        assert [taint.path for taint in self.check(manager, union)] == ["left"]

    def test_a_file_that_two_sources_inherited_is_one_taint(
        self, manager: WorkspaceManager
    ) -> None:
        first = committed(manager, {"a": "1"})
        union = merged(manager, cloned(manager, first), cloned(manager, first))
        write_in_place(union.path / "a", "")
        (union.path / "a").unlink()
        assert list(manager.check(union, knows({"a": "1"}))) == [Taint("a", "size 1 became 0")]

    def test_only_what_the_job_did_to_the_union_is_recorded(
        self, manager: WorkspaceManager, union: Workspace
    ) -> None:
        write(union, {"both": "mine", "more": "x"})
        (union.path / "right").unlink()
        assert changes(manager.seal(union)) == {
            "both": Change.REPLACED,
            "more": Change.ADDED,
            "right": Change.REMOVED,
        }

    def test_a_file_that_lost_its_place_to_a_directory_is_recorded_as_removed(
        self, manager: WorkspaceManager
    ) -> None:
        first, second = committed(manager, {"a": "1"}), manager.create(a_key())
        (second.path / "a").mkdir()
        union = merged(manager, first, second)
        assert union.displaced == {"a"}
        assert changes(manager.seal(union)) == {"a": Change.REMOVED}

    def test_a_file_in_the_place_of_a_directory_that_displaced_one_is_added(
        self, manager: WorkspaceManager
    ) -> None:
        first, second = committed(manager, {"a": "1"}), manager.create(a_key())
        (second.path / "a").mkdir()
        union = merged(manager, first, second)
        (union.path / "a").rmdir()
        write(union, {"a": "2"})
        assert changes(manager.seal(union)) == {"a": Change.ADDED}

    def test_a_committed_union_is_its_sources_folded_in_order(
        self, manager: WorkspaceManager
    ) -> None:
        hops: list[list[Artifact]] = []
        sources = [manager.create(a_key()) for _ in range(2)]
        for source, files in zip(sources, ({"a": "1", "b": "2"}, {"a": "3"}), strict=True):
            write(source, files)
            hops.append(list(manager.seal(source)))
        union = merged(manager, *sources)
        (union.path / "b").unlink()
        hops.append(list(manager.seal(union)))
        assert manager.verify(union.key, held_by(*hops)) == []
