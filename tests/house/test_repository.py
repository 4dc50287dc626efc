"""What holds for every file of the repository."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house import checks
from tests.house.repository import (
    ROOT,
    expect_none,
    expect_only_exempt,
    modules,
    python,
    texts,
)

CLOCK = "src/ductile/model/clock.py"
LOCKS = {"requirements.lock": [], "requirements-dev.lock": ["dev", "build"]}

# name -> reason
LONGER_DOCSTRINGS: dict[str, str] = {
    "src/ductile/errors.py": "draws the tree of exceptions",
}


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    expect_none(each for name, text in texts() for each in checks.foreign_places(name, text))


def test_every_module_says_in_one_sentence_what_is_in_it() -> None:
    sources = modules("src")
    found = [each for name, source in sources for each in checks.docstring_breaches(name, source)]
    expect_only_exempt(found, LONGER_DOCSTRINGS)


def test_every_module_postpones_the_evaluation_of_annotations() -> None:
    sources = modules("src", "tests")
    expect_none(
        each for name, source in sources for each in checks.missing_annotations_import(name, source)
    )


def test_only_the_clock_reads_the_time_or_sleeps() -> None:
    sources = (each for each in modules("src") if each[0] != CLOCK)
    expect_none(
        each
        for name, source in sources
        for each in checks.uses_of(checks.CLOCK_READS, name, source)
    )


def test_no_test_sleeps() -> None:
    sources = modules("tests")
    expect_none(
        each for name, source in sources for each in checks.uses_of(checks.SLEEPS, name, source)
    )


def test_every_silenced_tool_is_silenced_for_a_reason() -> None:
    sources = python("src", "tests", "benchmarks", "docs", "examples", "plugins")
    expect_none(
        each for name, source in sources for each in checks.unexplained_suppressions(name, source)
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_versions_and_hashes_only(lock: str) -> None:
    expect_none(checks.lock_breaches(lock, (ROOT / lock).read_text(encoding="utf-8")))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_locks_every_dependency(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = (ROOT / lock).read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))
    unlocked = [
        str(wanted)
        for wanted in _dependencies(project, LOCKS[lock])
        if not wanted.specifier.contains(locked.get(canonicalize_name(wanted.name), "0"))
    ]
    assert not unlocked, f"in pyproject.toml but not in {lock}; lock again: {unlocked}"


def test_the_build_is_locked_as_it_is_required() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["dependency-groups"]["build"] == project["build-system"]["requires"]


def _dependencies(project: dict[str, Any], groups: list[str]) -> list[Requirement]:
    wanted: list[str] = list(project["project"]["dependencies"])
    for group in groups:
        wanted += [each for each in project["dependency-groups"][group] if isinstance(each, str)]
    return [Requirement(each) for each in wanted]
