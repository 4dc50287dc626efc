"""The workspace managers that the contract is held against."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ductile.model.clock import Clock
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import WorkspaceManager
from tests.contract.workspace_manager.builders import StoppedClock


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ws"


@pytest.fixture(params=[HardLinkWorkspaces])
def manager(request: pytest.FixtureRequest, root: Path, clock: StoppedClock) -> WorkspaceManager:
    make: Callable[[Path, Clock], WorkspaceManager] = request.param
    return make(root, clock)
