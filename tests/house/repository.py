"""The files of this repository, and how breaches in them are reported."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from tests.house.checks import Finding, is_program

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".git", ".tools", ".venv", "__pycache__", "dist"}


@cache
def files() -> tuple[str, ...]:
    """List every file that is or would be committed, as paths from the root."""
    listing = subprocess.run(
        # Whoever owns the checkout, reading it is safe.
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode != 0:
        return tuple(_walk())
    names = listing.stdout.decode().split("\0")
    return tuple(sorted({name for name in names if name and (ROOT / name).is_file()}))


def _walk() -> Iterable[str]:
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = sorted(
            name for name in subfolders if name not in NOT_OURS and not name.endswith("_cache")
        )
        yield from ((Path(folder) / name).relative_to(ROOT).as_posix() for name in sorted(names))


def texts() -> Iterable[tuple[str, str]]:
    """Give every text file with its content."""
    for name in files():
        try:
            yield name, (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def python(*folders: str) -> Iterable[tuple[str, str]]:
    """Give every Python file below these folders with its source."""
    return (
        (name, text)
        for name, text in texts()
        if name.endswith(".py") and name.startswith(tuple(f"{folder}/" for folder in folders))
    )


def modules(*folders: str) -> Iterable[tuple[str, str]]:
    """Give every module below these folders with its source; programs are none."""
    return ((name, text) for name, text in python(*folders) if not is_program(text))


def expect_none(findings: Iterable[Finding]) -> None:
    """Fail with one line per finding."""
    lines = [str(finding) for finding in findings]
    if lines:
        pytest.fail("\n".join([f"{len(lines)} found:", *lines]), pytrace=False)


def expect_only_exempt(findings: Iterable[Finding], exempt: dict[str, str]) -> None:
    """Fail for every finding that is not exempt, and for every exemption without a finding."""
    found = list(findings)
    expect_none(finding for finding in found if finding.name not in exempt)
    stale = sorted(set(exempt) - {finding.name for finding in found})
    assert not stale, f"exempt, but within the rule by now; remove from the list: {stale}"
    assert all(reason.strip() for reason in exempt.values()), "an exemption needs a reason"
