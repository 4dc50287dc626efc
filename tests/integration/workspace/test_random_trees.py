"""Random trees and random edits, held against a simple model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from ductile.model.artifact import Change
from ductile.workspace.interfaces import Workspace
from tests.integration.workspace.trees import (
    File,
    Folder,
    Link,
    Tree,
    a_key,
    a_manager,
    any_names,
    committed,
    place_of,
    plant,
    survey,
    trees,
)


@given(trees(), st.booleans())
def test_a_clone_holds_what_its_source_holds(tree: Tree, copy: bool) -> None:
    with a_manager() as manager:
        parent, _ = committed(manager, tree)
        assert survey(manager.clone(parent.key, a_key(), copy=copy)) == tree


@given(trees(), st.booleans())
def test_a_clone_shares_all_its_files_and_a_copy_none(tree: Tree, copy: bool) -> None:
    with a_manager() as manager:
        parent, _ = committed(manager, tree)
        child = manager.clone(parent.key, a_key(), copy=copy)
        for path, node in tree.items():
            if isinstance(node, File):
                inodes = [os.lstat(place_of(w, path)).st_ino for w in (parent, child)]
                assert (inodes[0] == inodes[1]) is not copy


@given(trees())
def test_everything_is_sealed_with_the_hash_of_its_bytes(tree: Tree) -> None:
    with a_manager() as manager:
        _, artifacts = committed(manager, tree)
        expected = {
            path: node.text if isinstance(node, Link) else node.data
            for path, node in tree.items()
            if not isinstance(node, Folder)
        }
        assert {os.fsencode(path): found.blake3 for path, found in artifacts.items()} == {
            path: blake3(data).hexdigest() for path, data in expected.items()
        }


@given(trees(), st.booleans())
def test_cleaning_up_a_clone_changes_nothing_elsewhere(tree: Tree, copy: bool) -> None:
    with a_manager() as manager:
        parent, artifacts = committed(manager, tree)
        child = manager.clone(parent.key, a_key(), copy=copy)
        report = manager.cleanup([child.key.job_id])
        assert (dict(report.failures), survey(parent)) == ({}, tree)
        assert manager.verify(parent.key, artifacts) == []


@dataclass(frozen=True)
class Edits:
    """What a job does to what it inherited: path to the act."""

    acts: Mapping[bytes, str]
    fresh: Mapping[bytes, bytes]


@st.composite
def edited_trees(draw: st.DrawFn) -> tuple[Tree, Edits]:
    tree = draw(trees())
    acts = {
        path: draw(st.sampled_from(["keep", "touch", "replace", "remove", "edit", "edit+remove"]))
        for path, node in tree.items()
        if isinstance(node, File)
    }
    fresh = draw(st.dictionaries(any_names, st.binary(max_size=5), max_size=3))
    return tree, Edits(acts, {path: data for path, data in fresh.items() if path not in tree})


def carry_out(child: Workspace, tree: Tree, edits: Edits) -> None:
    for path, act in edits.acts.items():
        place = place_of(child, path)
        if act == "touch":
            os.utime(place, ns=(0, 0))
        if act.startswith("edit"):
            os.chmod(place, 0o755)
            with open(place, "ab") as file:
                file.write(b"more")
        if act in ("replace", "edit+remove", "remove"):
            os.unlink(place)
        if act == "replace":
            node = tree[path]
            assert isinstance(node, File)
            plant(child, {path: replace(node, data=b"replaced")})
    plant(child, {path: File(data) for path, data in edits.fresh.items()})


@given(edited_trees())
def test_edits_in_place_and_only_they_are_found(case: tuple[Tree, Edits]) -> None:
    tree, edits = case
    with a_manager() as manager:
        parent, artifacts = committed(manager, tree)
        child = manager.clone(parent.key, a_key())
        carry_out(child, tree, edits)
        taints = manager.check(child, lambda path: artifacts[path].blake3)
        assert {os.fsencode(taint.path) for taint in taints} == {
            path for path, act in edits.acts.items() if act.startswith("edit")
        }


@given(edited_trees(), st.booleans())
def test_every_change_is_recorded_as_what_it_is(case: tuple[Tree, Edits], copy: bool) -> None:
    tree, edits = case
    with a_manager() as manager:
        parent, _ = committed(manager, tree)
        child = manager.clone(parent.key, a_key(), copy=copy)
        carry_out(child, tree, edits)
        meaning = {
            "replace": Change.REPLACED,
            "remove": Change.REMOVED,
            "edit+remove": Change.REMOVED,
        }
        if copy:
            # Copies are the job's own: what it does to them in place is a change like any other.
            meaning |= {"edit": Change.REPLACED, "touch": Change.REPLACED}
        expected = {path: meaning[act] for path, act in edits.acts.items() if act in meaning}
        expected |= dict.fromkeys(edits.fresh, Change.ADDED)
        recorded = {os.fsencode(found.path): found.change for found in manager.seal(child)}
        assert recorded == expected


@given(edited_trees(), st.booleans())
def test_what_the_ledger_folds_is_what_is_there(case: tuple[Tree, Edits], copy: bool) -> None:
    tree, edits = case
    with a_manager() as manager:
        parent, held = committed(manager, tree)
        child = manager.clone(parent.key, a_key(), copy=copy)
        carry_out(child, tree, replace(edits, acts=_without_edits(edits.acts, copy=copy)))
        for found in manager.seal(child):
            if found.change is Change.REMOVED:
                del held[found.path]
            else:
                held[found.path] = found
        assert manager.verify(child.key, held) == []


def _without_edits(acts: Mapping[bytes, str], *, copy: bool) -> Mapping[bytes, str]:
    return acts if copy else {path: act for path, act in acts.items() if "edit" not in act}
