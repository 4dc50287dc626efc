"""The floors of the house hold, and the check on them bites."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.repository import ROOT


def check_floors(folder: Path) -> tuple[int, str]:
    """Check the package in `folder/src` against the contracts of `folder/pyproject.toml`."""
    outcome = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
            "--no-logo",
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return outcome.returncode, outcome.stdout + outcome.stderr


def rooms() -> list[str]:
    """List every room that has a floor."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["id"] == "floors")
    return [room for layer in layers for room in re.findall(r"\w+", layer)]


@pytest.fixture
def empty_house(tmp_path: Path) -> Path:
    """Build a package with all the rooms and nothing in them."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    concrete = [
        *("plugin/process", "plugin/warm", "storage/sqlite"),
        *("workspace/audit", "workspace/hard_links"),
    ]
    for room in ["", *rooms(), *concrete]:
        folder = tmp_path / "src" / "ductile" / room
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    return tmp_path


def test_every_import_goes_down() -> None:
    code, output = check_floors(ROOT)
    if code != 0:
        pytest.fail(output, pytrace=False)


def test_an_empty_house_passes(empty_house: Path) -> None:
    code, output = check_floors(empty_house)
    assert code == 0, output


@pytest.mark.parametrize(
    ("module", "source"),
    [
        pytest.param("model", "import ductile.config", id="an import that goes up"),
        pytest.param("queue", "import ductile.ledger", id="a room beside it"),
        pytest.param(
            "router",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import ductile.dispatch",
            id="an import for the type checker",
        ),
        pytest.param("dsl", "def f():\n    import ductile.cli", id="an import in a function"),
        pytest.param("attic", "", id="a room without a floor"),
        pytest.param("cli", "import sqlite3", id="the other sqlite"),
        pytest.param("gateway", "import apsw", id="the database outside its room"),
        pytest.param("http", "import ductile.storage.sqlite", id="wiring outside the gateway"),
    ],
)
def test_the_floors_do_not_allow(empty_house: Path, module: str, source: str) -> None:
    room = empty_house / "src" / "ductile" / module
    room.mkdir(exist_ok=True)
    (room / "__init__.py").write_text(source, encoding="utf-8")
    code, output = check_floors(empty_house)
    assert code == 1, output
    assert module in output


def test_the_database_is_known_in_its_own_room_and_to_the_gateway(empty_house: Path) -> None:
    room = empty_house / "src" / "ductile" / "storage" / "sqlite"
    (room / "__init__.py").write_text("import apsw", encoding="utf-8")
    (room / "connection.py").write_text("import apsw", encoding="utf-8")
    (empty_house / "src" / "ductile" / "gateway" / "__init__.py").write_text(
        "import ductile.storage.sqlite.connection", encoding="utf-8"
    )
    (empty_house / "src" / "ductile" / "cli" / "__init__.py").write_text(
        "import ductile.gateway", encoding="utf-8"
    )
    code, output = check_floors(empty_house)
    assert code == 0, output
