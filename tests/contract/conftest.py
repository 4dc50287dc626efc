"""Every implementation that a contract is tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeAlias

import pytest

from ductile.storage.interfaces import Store
from ductile.storage.sqlite import open_store
from tests.support.clock import FakeClock

Opener: TypeAlias = Callable[[], Store]


@pytest.fixture(params=["sqlite"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens one database, as often as it is called."""
    assert request.param == "sqlite"
    with ExitStack() as opened:

        def open_it() -> Store:
            store = open_store(tmp_path / "ductile.db", FakeClock())
            return opened.enter_context(closing(store))

        yield open_it


@pytest.fixture
def store(opener: Opener) -> Store:
    """A database with nothing in it."""
    return opener()
