"""Unions of random trees, held against a simple model."""

from __future__ import annotations

import os

from hypothesis import example, given
from hypothesis import strategies as st

from ductile.model.artifact import Artifact, Change
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import Workspace
from tests.integration.workspace.trees import (
    File,
    Folder,
    Tree,
    a_key,
    a_manager,
    committed,
    place_of,
    survey,
    trees,
)

#: So few names that trees meet under most of them.
several_trees = st.lists(trees(st.sampled_from([b"a", b"b", b"c"])), max_size=4)

#: The file in the middle loses to the last directory, and yet takes what is in the first one.
SANDWICH: list[Tree] = [
    {b"a": Folder(), b"a/old": File(b"1")},
    {b"a": File(b"2")},
    {b"a": Folder(), b"a/new": File(b"3")},
]


def winners(sources: list[Tree]) -> dict[bytes, int]:
    """Path to the number of the source whose entry is there in the end, by going through them."""
    union: dict[bytes, int] = {}
    for number, tree in enumerate(sources):
        for path, node in tree.items():
            both_folders = isinstance(node, Folder) and (
                path in union and isinstance(sources[union[path]][path], Folder)
            )
            if not both_folders:
                for gone in [old for old in union if old.startswith(path + b"/")]:
                    del union[gone]
            union[path] = number
    return union


def committed_all(manager: HardLinkWorkspaces, sources: list[Tree]) -> list[Workspace]:
    return [committed(manager, tree)[0] for tree in sources]


@given(several_trees, st.booleans())
@example(SANDWICH, False)
def test_a_union_holds_what_the_last_source_of_each_path_holds(
    sources: list[Tree], copy: bool
) -> None:
    with a_manager() as manager:
        keys = [workspace.key for workspace in committed_all(manager, sources)]
        expected = {path: sources[number][path] for path, number in winners(sources).items()}
        assert survey(manager.merge(keys, a_key(), copy=copy)) == expected


@given(several_trees, st.booleans())
def test_every_file_of_a_union_is_that_of_its_winner_and_of_a_copy_its_own(
    sources: list[Tree], copy: bool
) -> None:
    with a_manager() as manager:
        held = committed_all(manager, sources)
        union = manager.merge([workspace.key for workspace in held], a_key(), copy=copy)
        for path, number in winners(sources).items():
            if isinstance(sources[number][path], File):
                inodes = [os.lstat(place_of(w, path)).st_ino for w in (held[number], union)]
                assert (inodes[0] == inodes[1]) is not copy


@given(several_trees, st.booleans())
def test_merging_and_deleting_the_union_change_no_source(sources: list[Tree], copy: bool) -> None:
    with a_manager() as manager:
        held = [committed(manager, tree) for tree in sources]
        union = manager.merge([workspace.key for workspace, _ in held], a_key(), copy=copy)
        manager.cleanup([union.key.job_id])
        for tree, (workspace, artifacts) in zip(sources, held, strict=True):
            assert survey(workspace) == tree
            assert manager.verify(workspace.key, artifacts) == []


@given(several_trees, st.booleans())
def test_a_union_that_is_left_alone_has_no_taint_and_no_change_but_what_was_displaced(
    sources: list[Tree], copy: bool
) -> None:
    with a_manager() as manager:
        keys = [workspace.key for workspace in committed_all(manager, sources)]
        union = manager.merge(keys, a_key(), copy=copy)
        assert list(manager.check(union, lambda _: None)) == []
        assert {(found.path, found.change) for found in manager.seal(union)} == {
            (path, Change.REMOVED) for path in union.displaced
        }


@given(several_trees, st.booleans())
@example(SANDWICH, False)
@example([{b"a": File(b"1")}, {b"a": Folder()}], False)
def test_what_the_ledger_folds_is_what_is_there(sources: list[Tree], copy: bool) -> None:
    with a_manager() as manager:
        held = [committed(manager, tree) for tree in sources]
        keys = [workspace.key for workspace, _ in held]
        union = manager.merge(keys, a_key(), copy=copy)
        folded = united([artifacts for _, artifacts in held])
        for removed in manager.seal(union):
            folded.pop(removed.path, None)
        assert manager.verify(union.key, folded) == []


def united(sources: list[dict[str, Artifact]]) -> dict[str, Artifact]:
    """The union as far as those know it who have heard of files only, not of directories."""
    trees: list[Tree] = [
        {os.fsencode(path): File(b"") for path in artifacts} for artifacts in sources
    ]
    for tree in trees:
        for path in list(tree):
            parts = path.split(b"/")
            tree.update({b"/".join(parts[:end]): Folder() for end in range(1, len(parts))})
    union: dict[str, Artifact] = {}
    for name, number in winners([dict(sorted(tree.items())) for tree in trees]).items():
        if artifact := sources[number].get(os.fsdecode(name)):
            union[artifact.path] = artifact
    return union


@given(several_trees, st.data())
def test_what_is_changed_and_then_lost_is_found_through_its_source(
    sources: list[Tree], data: st.DataObject
) -> None:
    with a_manager() as manager:
        held = [committed(manager, tree) for tree in sources]
        union = manager.merge([workspace.key for workspace, _ in held], a_key())
        by_path = winners(sources)
        files = [path for path, number in by_path.items() if _is_file(sources[number], path)]
        edited = data.draw(st.sets(st.sampled_from(files))) if files else set()
        for path in files:
            place = place_of(union, path)
            if path in edited:
                os.chmod(place, 0o600)  # an ordinary user has to break the seal first
                os.truncate(place, 100)
            os.unlink(place)
        taints = manager.check(union, lambda path: held[by_path[os.fsencode(path)]][1][path].blake3)
        assert {os.fsencode(taint.path) for taint in taints} == edited


def _is_file(tree: Tree, path: bytes) -> bool:
    return isinstance(tree[path], File)
