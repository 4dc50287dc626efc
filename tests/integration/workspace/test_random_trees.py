"""Random trees and random edits, held against a simple model."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from ductile.model.artifact import Artifact, Change
from ductile.model.clock import SystemClock
from ductile.model.ids import JobId, new_id
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import Workspace, WorkspaceKey


@dataclass(frozen=True)
class Folder:
    """A directory of the model; its entries have paths of their own."""


@dataclass(frozen=True)
class File:
    data: bytes
    executable: bool = False


@dataclass(frozen=True)
class Link:
    text: bytes


#: Path to what is there.
Tree = dict[bytes, Folder | File | Link]

names = st.binary(min_size=1, max_size=12).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)
files = st.builds(File, st.binary(max_size=20), st.booleans())
links = st.builds(
    Link,
    st.sampled_from([b".", b"..", b"/", b"/etc/passwd", b"missing", b"../../..", b"\xff"]) | names,
)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Up to twenty entries, each in one of the directories that are there already."""
    tree: Tree = {}
    folders = [b""]
    for _ in range(draw(st.integers(0, 20))):
        path = draw(st.sampled_from(folders)) + draw(names)
        if path in tree:
            continue
        tree[path] = draw(files | links | st.just(Folder()))
        if isinstance(tree[path], Folder):
            folders.append(path + b"/")
    return tree


@contextmanager
def a_manager() -> Iterator[HardLinkWorkspaces]:
    root = tempfile.mkdtemp()
    try:
        yield HardLinkWorkspaces(Path(root), SystemClock())
    finally:
        shutil.rmtree(root)


def a_key() -> WorkspaceKey:
    return WorkspaceKey(JobId(new_id()))


def plant(workspace: Workspace, tree: Tree) -> None:
    for path, node in tree.items():
        place = os.path.join(os.fsencode(workspace.path), path)
        match node:
            case Folder():
                os.mkdir(place)
            case Link(text):
                os.symlink(text, place)
            case File(data, executable):
                Path(os.fsdecode(place)).write_bytes(data)
                os.chmod(place, 0o755 if executable else 0o644)


def survey(workspace: Workspace) -> Tree:
    """What is really there, by means other than those that are tested."""
    tree: Tree = {}
    top = os.fsencode(workspace.path)
    for folder, below, others in os.walk(top):
        for name in below + others:
            place = os.path.join(folder, name)
            mode = os.lstat(place).st_mode
            path = os.path.relpath(place, top)
            if stat.S_ISLNK(mode):
                tree[path] = Link(os.readlink(place))
            elif stat.S_ISDIR(mode):
                tree[path] = Folder()
            else:
                tree[path] = File(Path(os.fsdecode(place)).read_bytes(), bool(mode & stat.S_IXUSR))
    return tree


def place_of(workspace: Workspace, path: bytes) -> bytes:
    return os.path.join(os.fsencode(workspace.path), path)


def committed(manager: HardLinkWorkspaces, tree: Tree) -> tuple[Workspace, dict[str, Artifact]]:
    workspace = manager.create(a_key())
    plant(workspace, tree)
    return workspace, {found.path: found for found in manager.seal(workspace)}


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
    fresh = draw(st.dictionaries(names, st.binary(max_size=5), max_size=3))
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
