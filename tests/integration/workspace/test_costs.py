"""What cloning costs: counted, so that nothing creeps in."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import Workspace, WorkspaceKey

NewKey = Callable[[], WorkspaceKey]

_CLONE = """
import sys
from pathlib import Path
from ductile.model.clock import SystemClock
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.layout import key_of
manager = HardLinkWorkspaces(Path(sys.argv[1]), SystemClock())
manager.clone(key_of(sys.argv[2]), key_of(sys.argv[3]))
"""


def a_tree(manager: HardLinkWorkspaces, key: WorkspaceKey, files: int, folders: int) -> Workspace:
    workspace = manager.create(key)
    for n in range(files):
        (workspace.path / f"file{n}").touch()
    for n in range(folders):
        (workspace.path / f"folder{n}").mkdir()
    manager.seal(workspace)
    return workspace


def unknown(_: str) -> None:
    """The hash of a file that the ledger does not know."""


def calls_of(work: Callable[[], object]) -> Counter[str]:
    """How often `work` calls each function that is written in C."""
    calls: Counter[str] = Counter()

    def count(_: FrameType, event: str, called: Any) -> None:
        if event == "c_call":
            calls[called.__name__] += 1

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def test_a_clone_calls_link_and_stat_once_per_file_and_mkdir_once_per_directory(
    manager: HardLinkWorkspaces, new_key: NewKey
) -> None:
    less = a_tree(manager, new_key(), files=10, folders=10)
    more = a_tree(manager, new_key(), files=40, folders=17)
    base, calls = (calls_of(partial(manager.clone, w.key, new_key())) for w in (less, more))
    calls.subtract(base)
    assert (calls["link"], calls["mkdir"], calls["stat"]) == (30, 7, 30)


def test_a_union_calls_link_and_stat_only_for_what_is_there_in_the_end(
    manager: HardLinkWorkspaces, new_key: NewKey
) -> None:
    lost = a_tree(manager, new_key(), files=40, folders=17)
    won = a_tree(manager, new_key(), files=50, folders=20)
    base = calls_of(partial(manager.merge, [won.key], new_key()))
    calls = calls_of(partial(manager.merge, [lost.key, won.key], new_key()))
    names = ("link", "mkdir", "unlink", "rmdir")
    assert [calls[name] for name in names] == [base[name] for name in names]
    # One look at the root more: nothing is asked of any file that lost.
    assert calls["stat"] - base["stat"] <= 1


def test_a_check_calls_stat_once_per_shared_file(
    manager: HardLinkWorkspaces, new_key: NewKey
) -> None:
    less = manager.clone(a_tree(manager, new_key(), files=10, folders=7).key, new_key())
    more = manager.clone(a_tree(manager, new_key(), files=40, folders=7).key, new_key())
    for n in range(50):
        (more.path / f"new{n}").touch()
    base, calls = (calls_of(partial(manager.check, w, unknown)) for w in (less, more))
    calls.subtract(base)
    assert (calls["stat"], calls["read"]) == (30, 0)


def test_sealing_reads_only_what_is_new(manager: HardLinkWorkspaces, new_key: NewKey) -> None:
    parent = a_tree(manager, new_key(), files=30, folders=7)
    child = manager.clone(parent.key, new_key())
    (child.path / "new").write_text("some bytes")
    calls = calls_of(lambda: manager.seal(child))
    assert (calls["fchmod"], calls["read"]) == (1, 2)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_kernel_is_asked_for_one_link_and_one_stat_per_file_and_one_mkdir_per_directory(
    manager: HardLinkWorkspaces, new_key: NewKey, root: Path, tmp_path: Path
) -> None:
    few = a_tree(manager, new_key(), files=10, folders=10)
    more_files = a_tree(manager, new_key(), files=110, folders=10)
    more_folders = a_tree(manager, new_key(), files=10, folders=60)
    base, with_files, with_folders = (
        _system_calls(root, source.key, new_key(), tmp_path / "trace")
        for source in (few, more_files, more_folders)
    )
    assert {name: with_files[name] - base[name] for name in ("link", "stat", "mkdir")} == {
        "link": 100,
        "stat": 100,
        "mkdir": 0,
    }
    assert with_folders["mkdir"] - base["mkdir"] == 50


def _system_calls(
    root: Path, source: WorkspaceKey, target: WorkspaceKey, trace: Path
) -> Counter[str]:
    """System calls that name something in a directory, without fstat in any of its forms."""
    python = [sys.executable, "-c", _CLONE, str(root), source.job_id, target.job_id]
    strace = ["strace", "-f", "-o", str(trace), "-e", "trace=file"]
    traced = subprocess.run([*strace, *python], capture_output=True, check=False)
    if traced.returncode:
        pytest.skip(f"strace is not permitted here: {traced.stderr.decode()[-200:]}")
    calls: Counter[str] = Counter()
    for line in trace.read_text().splitlines():
        if "AT_EMPTY_PATH" not in line and (
            found := re.search(r"(link|stat|mkdir)(at)?\d*\(", line)
        ):
            calls[found[1]] += 1
    return calls
