"""A site for pipelines, and a gate that their plugins may wait at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.engine.gate import Gate
from tests.support.scripts import KEEP_REQUEST, OK, fails, updates
from tests.support.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """With plugins that succeed, fail, keep their request, and give the key `by` a value."""
    made = Site(tmp_path)
    made.plugin("ok", OK)
    made.plugin("bad", fails("no luck", retry=False))
    made.plugin("keep", KEEP_REQUEST + 'echo \'{"status": "ok"}\'\n')
    for name in ("one", "two", "three"):
        made.plugin(name, updates(**{name: True, "by": name}))
    return made


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with closing(Gate(tmp_path / "gate")) as made:
        yield made
