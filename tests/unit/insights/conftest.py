"""A database of its own for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ductile.storage.sqlite.store import open_store
from tests.support.clock import FakeClock
from tests.unit.insights.story import Story


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def story(tmp_path: Path, clock: FakeClock) -> Iterator[Story]:
    store = open_store(tmp_path / "ductile.db", clock)
    yield Story(store, clock)
    store.close()
