"""Merging what was cloned from one base: what was only handed on undoes no change."""

from __future__ import annotations

from pathlib import Path

import pytest

from ductile.errors import WorkspaceError
from ductile.workspace.interfaces import Workspace, WorkspaceManager
from tests.contract.workspace_manager.builders import (
    a_key,
    cloned,
    committed,
    found_in,
    knows,
    write,
)


def merged(
    manager: WorkspaceManager, *sources: Workspace, base: Workspace, copy: bool = False
) -> Workspace:
    keys = [source.key for source in sources]
    return manager.merge(keys, a_key(), bases=[base.key], copy=copy)


@pytest.fixture
def base(manager: WorkspaceManager) -> Workspace:
    return committed(manager, {"a": "base", "sub/b": "base", "c": "base"})


@pytest.fixture(params=[False, True], ids=["clones", "copies"])
def untouched(
    manager: WorkspaceManager, base: Workspace, request: pytest.FixtureRequest
) -> Workspace:
    clone = cloned(manager, base, copy=request.param)
    manager.seal(clone)
    return clone


def changed_in(manager: WorkspaceManager, base: Workspace, files: dict[str, str]) -> Workspace:
    clone = cloned(manager, base)
    write(clone, files)
    manager.seal(clone)
    return clone


@pytest.mark.parametrize("copy", [False, True])
def test_a_change_survives_a_later_source_that_left_the_file_alone(
    manager: WorkspaceManager, base: Workspace, untouched: Workspace, copy: bool
) -> None:
    changed = changed_in(manager, base, {"a": "new", "sub/b": "newer"})
    union = merged(manager, changed, untouched, base=base, copy=copy)
    assert found_in(union) == {"a": "new", "sub/b": "newer", "c": "base"}


def test_of_two_changes_the_later_wins(
    manager: WorkspaceManager, base: Workspace, untouched: Workspace
) -> None:
    changes = [changed_in(manager, base, {"a": text}) for text in ("first", "second")]
    union = merged(manager, *changes, untouched, base=base)
    assert found_in(union)["a"] == "second"


def test_what_one_source_removed_another_one_still_brings(
    manager: WorkspaceManager, base: Workspace, untouched: Workspace
) -> None:
    clone = cloned(manager, base)
    (clone.path / "a").unlink()
    manager.seal(clone)
    assert found_in(merged(manager, untouched, clone, base=base))["a"] == "base"


def test_what_all_sources_removed_is_gone(manager: WorkspaceManager, base: Workspace) -> None:
    clones = [cloned(manager, base) for _ in range(2)]
    for clone in clones:
        (clone.path / "a").unlink()
        manager.seal(clone)
    assert set(found_in(merged(manager, *clones, base=base))) == {"sub/b", "c"}


def test_a_directory_in_place_of_a_file_survives_a_later_source_that_has_the_file(
    manager: WorkspaceManager, base: Workspace, untouched: Workspace
) -> None:
    clone = cloned(manager, base)
    (clone.path / "a").unlink()
    write(clone, {"a/deep": "new"})
    manager.seal(clone)
    union = merged(manager, clone, untouched, base=base)
    assert found_in(union) == {"a/deep": "new", "sub/b": "base", "c": "base"}


def test_a_file_in_place_of_a_directory_survives_a_later_source_that_has_the_directory(
    manager: WorkspaceManager, base: Workspace, untouched: Workspace
) -> None:
    clone = cloned(manager, base)
    (clone.path / "sub/b").unlink()
    (clone.path / "sub").rmdir()
    write(clone, {"sub": "new"})
    manager.seal(clone)
    union = merged(manager, clone, untouched, base=base)
    assert found_in(union) == {"a": "base", "sub": "new", "c": "base"}


def test_a_changed_symlink_survives_a_later_source_that_left_it_alone(
    manager: WorkspaceManager,
) -> None:
    base = manager.create(a_key())
    (base.path / "link").symlink_to("old")
    manager.seal(base)
    untouched, changed = cloned(manager, base), cloned(manager, base)
    (changed.path / "link").unlink()
    (changed.path / "link").symlink_to("newer")
    for clone in (untouched, changed):
        manager.seal(clone)
    union = merged(manager, changed, untouched, base=base)
    assert (union.path / "link").readlink() == Path("newer")


def test_a_change_of_the_same_size_is_told_by_its_time(
    manager: WorkspaceManager, base: Workspace, untouched: Workspace
) -> None:
    changed = changed_in(manager, base, {"a": "BASE"})
    assert found_in(merged(manager, changed, untouched, base=base))["a"] == "BASE"


def test_the_base_may_be_one_of_the_sources(manager: WorkspaceManager, base: Workspace) -> None:
    changed = changed_in(manager, base, {"a": "new", "d": "more"})
    union = merged(manager, changed, base, base=base)
    assert found_in(union) == {"a": "new", "sub/b": "base", "c": "base", "d": "more"}


def test_new_files_of_all_sources_are_there(manager: WorkspaceManager, base: Workspace) -> None:
    sources = [changed_in(manager, base, {f"sub/{name}": name}) for name in "xyz"]
    union = merged(manager, *sources, base=base)
    assert set(found_in(union)) == {"a", "c", "sub/b", "sub/x", "sub/y", "sub/z"}


def test_what_wins_is_linked_from_the_source_that_made_it(
    manager: WorkspaceManager, base: Workspace, untouched: Workspace
) -> None:
    changed = changed_in(manager, base, {"sub/b": "new"})
    union = merged(manager, changed, untouched, base=base)
    assert (union.path / "sub/b").samefile(changed.path / "sub/b")
    assert (union.path / "a").samefile(untouched.path / "a")
    assert list(manager.check(union, knows({}))) == []


def test_a_missing_base_is_an_error_and_leaves_nothing_behind(
    manager: WorkspaceManager, base: Workspace, root: Path
) -> None:
    sources = [cloned(manager, base) for _ in range(2)]
    manager.cleanup([base.key.job_id])
    with pytest.raises(WorkspaceError, match=f"{base.key.job_id}.*is missing"):
        merged(manager, *sources, base=base)
    assert {path.name for path in root.iterdir()} == {w.key.job_id for w in sources}
