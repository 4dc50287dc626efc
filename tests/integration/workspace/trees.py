"""Random trees: what is planted in workspaces, and found in them by other means."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from ductile.model.artifact import Artifact
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

any_names = st.binary(min_size=1, max_size=12).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)
files = st.builds(File, st.binary(max_size=20), st.booleans())
links = st.builds(
    Link,
    st.sampled_from([b".", b"..", b"/", b"/etc/passwd", b"missing", b"../../..", b"\xff"])
    | any_names,
)


@st.composite
def trees(draw: st.DrawFn, names: st.SearchStrategy[bytes] = any_names) -> Tree:
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
