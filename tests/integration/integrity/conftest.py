"""A site whose first step makes a file that later steps inherit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.engine.gate import Gate
from tests.support.scripts import OK
from tests.support.site import Site

#: Changes what it inherited, as a careless script does.
CARELESS = "chmod u+w out.txt && echo more >>out.txt\n" + OK


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.plugin("make", f"echo made >out.txt\n{OK}")
    made.plugin("use", f"echo used >used.txt\n{OK}")
    made.plugin("careless", CARELESS)
    made.pipeline("- {name: p, on: go, steps: [{uses: make}, {uses: use}]}")
    return made


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with closing(Gate(tmp_path / "gate")) as made:
        yield made
