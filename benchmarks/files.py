"""Workspaces: a clone of many files, as every hop makes one, against `cp -al`."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from figures import Figure, Goal

from ductile.model.clock import SystemClock
from ductile.model.ids import JobId, new_id
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import WorkspaceKey

T = TypeVar("T")

#: Milliseconds for so many files: half of what the earlier system took.
GOALS = {1_000: 7.5, 10_000: 81.0}


def cloning(folder: Path, *, files: int, rounds: int) -> list[Figure]:
    """Clone a sealed workspace and seal the clone again, checks included."""
    root = folder / f"clone-{files}"
    workspaces = HardLinkWorkspaces(root / "workspaces", SystemClock())
    source = WorkspaceKey(JobId(new_id()), 1)
    made = workspaces.create(source)
    for number in range(files):
        (made.path / f"file-{number}").write_text(str(number))
    workspaces.seal(made, lambda path: None)
    times, controls, both = [], [], []
    for number in range(rounds):
        copy = root / f"copy-{number}"
        controls.append(_timed(partial(_link_all, made.path, copy))[0])
        # A file with a name outside would not be sealed.
        shutil.rmtree(copy)
        key = WorkspaceKey(JobId(new_id()), 1)
        cloned, clone = _timed(partial(workspaces.clone, source, key))
        sealed, _ = _timed(partial(workspaces.seal, clone, lambda path: None))
        times.append(cloned)
        both.append(cloned + sealed)
    goal = Goal(GOALS[files]) if files in GOALS else None
    return [
        Figure(
            f"clone-{files}", f"clone of {files:,} files", "ms", times, controls, "cp -al", goal
        ),
        Figure(f"hop-{files}", "the same, and sealed again", "ms", both, controls, "cp -al"),
    ]


def _link_all(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-al", source, target], check=True)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    begun = time.perf_counter()
    result = work()
    return (time.perf_counter() - begun) * 1e3, result
