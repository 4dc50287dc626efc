"""Every implementation that a contract is tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeAlias

import pytest

from ductile.storage.interfaces import Store
from tests.contract.stores import STORES

Opener: TypeAlias = Callable[[], Store]


@pytest.fixture(params=STORES)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens one database, as often as it is called."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(closing(STORES[request.param](tmp_path)))


@pytest.fixture
def store(opener: Opener) -> Store:
    """A database with nothing in it."""
    return opener()
