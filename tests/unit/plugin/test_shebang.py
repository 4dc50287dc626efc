"""Which Python an entrypoint's first line names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ductile.plugin.shebang import Interpreter, NotWarm, interpreter_of


def entrypoint(folder: Path, first: str, *, mode: int = 0o755) -> Path:
    path = folder / "plugin.py"
    path.write_text(f"{first}\nprint(1)\n")
    path.chmod(mode)
    return path


def a_python(folder: Path, name: str = "python3") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.touch(mode=0o755)
    return path


@pytest.mark.parametrize("first", ["#!/usr/bin/env python3", "#! /bin/env  python3 "])
def test_env_looks_on_the_path_of_the_plugin(tmp_path: Path, first: str) -> None:
    python = a_python(tmp_path / "bin")
    found = interpreter_of(entrypoint(tmp_path, first), {"PATH": f"/none:{python.parent}"})
    assert found == Interpreter(str(python), ("python3",))


def test_a_path_is_that_of_the_interpreter(tmp_path: Path) -> None:
    python = a_python(tmp_path / "venv", "python3.12")
    found = interpreter_of(entrypoint(tmp_path, f"#!{python}"), {})
    assert found == Interpreter(str(python), (str(python),))


def test_options_that_a_parent_can_have_too_are_kept(tmp_path: Path) -> None:
    found = interpreter_of(entrypoint(tmp_path, "#!/usr/bin/python3 -I"), {})
    assert found.argv == ("/usr/bin/python3", "-I")


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ("#!/bin/sh", '"/bin/sh", which is no Python found'),
        ("#!/usr/bin/env node", '"node", which is no Python found'),
        ("#!/usr/bin/env python3", '"python3", which is no Python found'),
        ("#!/usr/bin/env -S python3 -u", "which is no Python found"),
        ("#!/usr/bin/python3 -u", 'has the option "-u"'),
        ("#!/usr/bin/python2", "which is no Python found"),
        ("print(0)", "names no interpreter"),
        ("", "names no interpreter"),
    ],
)
def test_what_names_no_python_is_not_warm(tmp_path: Path, first: str, reason: str) -> None:
    with pytest.raises(NotWarm, match=reason):
        interpreter_of(entrypoint(tmp_path, first), {"PATH": str(tmp_path)})


def test_a_file_that_cannot_be_executed_is_left_to_a_start(tmp_path: Path) -> None:
    path = entrypoint(tmp_path, "#!/usr/bin/python3", mode=0o644)
    with pytest.raises(NotWarm, match="not executable"):
        interpreter_of(path, {})
    os.remove(path)
    with pytest.raises(NotWarm, match="cannot be read"):
        interpreter_of(path, {})
