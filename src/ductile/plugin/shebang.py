"""The interpreter that an entrypoint's first line names, found as the kernel would find it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PYTHON: Final = re.compile(r"python(3(\.\d+)?)?")
#: Options that a warm parent can be started with and leave all else as it is.
_OPTIONS: Final = re.compile(r"-[BEIOPRsS]+")
_ENV: Final = ("/usr/bin/env", "/bin/env")


class NotWarm(Exception):
    """Why a process is not forked from a warm parent but executed; the text is for people."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python, and how the kernel would call it."""

    path: str
    argv: tuple[str, ...]
    """Its name and options; what it runs follows."""


def interpreter_of(entrypoint: Path, environment: Mapping[str, str]) -> Interpreter:
    """The Python that executing the entrypoint would start. Raises NotWarm if it is none."""
    try:
        with entrypoint.open("rb") as file:
            first = file.readline(256)
        executable = os.access(entrypoint, os.X_OK)
    except OSError as error:
        raise NotWarm(f"the file cannot be read: {error.strerror}") from error
    if not executable or not first.startswith(b"#!"):
        raise NotWarm("the file is not executable, or its first line names no interpreter")
    name, _, option = first[2:].decode(errors="replace").rstrip("\n").strip(" \t").partition(" ")
    option = option.strip(" \t")
    if name in _ENV:
        found = shutil.which(option, path=environment.get("PATH", os.defpath))
        interpreter = Interpreter(found or "", (option,))
    else:
        interpreter = Interpreter(name, (name, option) if option else (name,))
        if option and not _OPTIONS.fullmatch(option):
            raise NotWarm(f'its first line has the option "{option}", which only a start reads')
    if not interpreter.path or not _PYTHON.fullmatch(Path(interpreter.argv[0]).name):
        raise NotWarm(f'its first line names "{interpreter.argv[0]}", which is no Python found')
    return interpreter
