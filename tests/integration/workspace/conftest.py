"""Real obstacles for workspaces: other file systems, full ones, other users."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ductile.model.clock import SystemClock
from ductile.model.ids import JobId, new_id
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import WorkspaceKey

_NOBODY = 65534


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "ws"


@pytest.fixture
def manager(root: Path) -> HardLinkWorkspaces:
    return HardLinkWorkspaces(root, SystemClock())


@pytest.fixture
def new_key() -> Callable[[], WorkspaceKey]:
    return lambda: WorkspaceKey(JobId(new_id()))


#: Runs mount commands, `{}` standing for an empty directory, and gives the path to see it by.
Mount = Callable[[str], Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts that only one process sees, so that no privilege is needed and none is left over.

    A namespace's files are reached from outside through its process's entry in /proc.
    """
    with ExitStack() as mounts:
        yield lambda commands: mounts.enter_context(_mounted(commands, tmp_path))


@contextmanager
def _mounted(commands: str, tmp_path: Path) -> Iterator[Path]:
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    place = tmp_path / f"mount-{new_id()}"
    place.mkdir()
    script = f"{commands.replace('{}', str(place))} && echo mounted && read end"
    with subprocess.Popen(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != b"mounted\n":
            pytest.skip(f"mounting is not permitted here: {holder.stderr.read().decode().strip()}")
        yield Path(f"/proc/{holder.pid}/root{place}")
        holder.communicate(b"\n")


@pytest.fixture
def ordinary_root() -> Iterator[Path]:
    """A directory for an ordinary user, who runs the test until its end."""
    # Not in tmp_path: what root makes there is closed to others.
    home = Path(tempfile.mkdtemp(prefix="ductile-"))
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(home, _NOBODY, _NOBODY)
        os.setegid(_NOBODY)
        os.seteuid(_NOBODY)
    try:
        yield home
    finally:
        if is_root:
            os.seteuid(0)
            os.setegid(0)
        home.chmod(0o700)
        shutil.rmtree(home)
