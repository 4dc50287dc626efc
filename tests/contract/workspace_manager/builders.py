"""Workspaces with something in them, for those who test a workspace manager."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from blake3 import blake3

from ductile.model.artifact import Artifact, Change
from ductile.model.ids import JobId, new_id
from ductile.workspace.interfaces import Workspace, WorkspaceKey, WorkspaceManager


class StoppedClock:
    """Stands where it is put."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0


def a_key(attempt: int = 1) -> WorkspaceKey:
    return WorkspaceKey(JobId(new_id()), attempt)


def write(workspace: Workspace, files: Mapping[str, str]) -> None:
    """Put each file there as a new one, as programs do that write aside and rename."""
    for name, text in files.items():
        path = workspace.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name("aside")
        aside.write_text(text)
        aside.rename(path)


def write_in_place(path: Path, text: str) -> None:
    """What a job must not do to inherited files, write bits or not."""
    path.chmod(path.stat().st_mode | stat.S_IWUSR)
    with path.open("r+") as file:
        file.truncate()
        file.write(text)


def committed(manager: WorkspaceManager, files: Mapping[str, str]) -> Workspace:
    workspace = manager.create(a_key())
    write(workspace, files)
    manager.seal(workspace)
    return workspace


def cloned(manager: WorkspaceManager, parent: Workspace, *, copy: bool = False) -> Workspace:
    return manager.clone(parent.key, a_key(), copy=copy)


def found_in(workspace: Workspace) -> dict[str, str]:
    """All files by path, with their text."""
    return {
        str(path.relative_to(workspace.path)): path.read_text()
        for path in workspace.path.rglob("*")
        if path.is_file()
    }


def digest(text: str) -> str:
    return blake3(text.encode()).hexdigest()


def knows(files: Mapping[str, str]) -> Callable[[str], str | None]:
    hashes = {name: digest(text) for name, text in files.items()}
    return hashes.get


def changes(artifacts: Sequence[Artifact]) -> dict[str, Change]:
    return {artifact.path: artifact.change for artifact in artifacts}


def held_by(*hops: Sequence[Artifact]) -> dict[str, Artifact]:
    """The changes of several jobs folded, as the ledger does it."""
    held: dict[str, Artifact] = {}
    for hop in hops:
        for artifact in hop:
            if artifact.change is Change.REMOVED:
                del held[artifact.path]
            else:
                held[artifact.path] = artifact
    return held
