"""The shim: a library that is loaded into a real gateway, and does at a named point as asked."""

from __future__ import annotations

import ctypes
import errno
import mmap
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.chaos.points import NAMES, POINTS, Moment

SOURCE: Final = Path(__file__).with_name("shim.c")
_NOTHING: Final = 0
_KILL: Final = {Moment.BEFORE: 1, Moment.AFTER: 2}
_FAIL: Final = 3


class _Control(ctypes.Structure):
    """The same fields, in the same order, as in `shim.c`."""

    _fields_ = (
        ("action", ctypes.c_uint32),
        ("point", ctypes.c_uint32),
        ("left", ctypes.c_uint64),
        ("error", ctypes.c_uint32),
        ("fired", ctypes.c_uint32),
        ("passed", ctypes.c_uint64 * len(POINTS)),
    )

    action: int
    point: int
    left: int
    error: int
    fired: int
    passed: ctypes.Array[ctypes.c_uint64]


def build(folder: Path) -> Path:
    """Compile the shim into a folder. Raises RuntimeError where that cannot be done."""
    constants = [f"#define {point.constant} {number}" for number, point in enumerate(POINTS)]
    header = [*constants, f"#define POINTS {len(POINTS)}"]
    (folder / "points.h").write_text("\n".join([*header, ""]))
    library = folder / "shim.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-I", str(folder), "-o", str(library)]
    try:
        subprocess.run([*command, str(SOURCE), "-ldl"], check=True, capture_output=True, text=True)
    except OSError as error:
        raise RuntimeError('expected a C compiler, "cc", on PATH; install gcc') from error
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{SOURCE.name} cannot be compiled:\n{error.stderr}") from error
    return library


class Shim:
    """What is asked of one shim, and what it counted; both may be used while it is at work."""

    def __init__(self, library: Path, control: Path) -> None:
        self._library = library
        self._file = control
        control.write_bytes(bytes(ctypes.sizeof(_Control)))
        with control.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._control = _Control.from_buffer(self._memory)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a gateway needs in its environment to have the shim between it and the system."""
        return {"LD_PRELOAD": str(self._library), "CHAOS_CONTROL": str(self._file)}

    @property
    def fired(self) -> bool:
        """Whether what was asked for last has happened."""
        return bool(self._control.fired)

    def passed(self) -> dict[str, int]:
        """How often each point was passed, in all gateways so far."""
        return dict(zip(NAMES, self._control.passed, strict=True))

    def kill(self, point: str | None, moment: Moment, passage: int) -> None:
        """Kill the gateway at the n-th passage from now on; None stands for any point."""
        self._ask(_KILL[moment], len(NAMES) if point is None else NAMES.index(point), passage)

    def fail(self, point: str, error: int = errno.EIO) -> None:
        """Let every call at a point fail from now on."""
        self._ask(_FAIL, NAMES.index(point), 0, error)

    def rest(self) -> None:
        """Let everything pass."""
        self._control.action = _NOTHING

    def _ask(self, action: int, point: int, left: int, error: int = 0) -> None:
        self.rest()
        self._control.point, self._control.left = point, left
        self._control.error, self._control.fired = error, 0
        self._control.action = action
