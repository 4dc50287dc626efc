"""A plugin to run warm and cold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.warm import WarmAndCold


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[WarmAndCold]:
    made = WarmAndCold(tmp_path)
    try:
        yield made
    finally:
        made.spawner.close()
