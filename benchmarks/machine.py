"""Where something was measured: machine, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import apsw

ROOT: Final = Path(__file__).resolve().parents[1]


def facts(folder: Path) -> dict[str, Any]:
    """The machine and the file system of the folder that was worked in."""
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": _first("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "file_system": _file_system(folder),
        "date": datetime.now(UTC).date().isoformat(),
    }


def versions() -> dict[str, str]:
    """Of what the figures depend on."""
    return {
        "ductile": version("ductile-gateway"),
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
    }


def commit() -> str | None:
    """What is checked out, with a plus if files differ from it; None where git knows nothing."""
    command = ["git", "-c", "safe.directory=*", "describe", "--always", "--abbrev=40"]
    command += ["--exclude=*", "--dirty=+"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _first(file: str, name: str) -> str | None:
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _file_system(folder: Path) -> str | None:
    found, where = None, ""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, kind, *_ = line.split()
        if folder.resolve().is_relative_to(point) and len(point) >= len(where):
            found, where = kind, point
    return found
