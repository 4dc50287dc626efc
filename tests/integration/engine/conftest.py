"""A site for the engine, who may work on it, and a gate that its plugins may wait at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.engine.gate import Gate
from tests.integration.engine.parts import Member, Members, member
from tests.support.clock import FakeClock
from tests.support.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with closing(Gate(tmp_path / "gate")) as made:
        yield made


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def members(site: Site, clock: FakeClock) -> Iterator[Members]:
    """Opens one process after the other on the site's database."""
    with ExitStack() as opened:

        def open_one(name: str, **parts: Any) -> Member:
            return opened.enter_context(closing(member(site, name, clock, **parts)))

        yield open_one
