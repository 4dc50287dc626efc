"""The gate: plugins say that they run, and wait until a test lets them through."""

from __future__ import annotations

import os
import select
from pathlib import Path

from tests.support.signals import PATIENCE


class Gate:
    """Two FIFOs, both held open here, so that neither side waits for the other to open one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._started = _fifo(folder / "started")
        self._open = _fifo(folder / "open")
        self.announce = f'echo "$DUCTILE_JOB_ID" >"{folder / "started"}"\n'
        """Shell: tell the test which job this is."""
        self.wait = f'{self.announce}read -r _ <"{folder / "open"}"\n'
        """Shell: tell it, and wait to be let through."""

    def arrival(self) -> str:
        """The id of the next job that has come; waits for it."""
        if not select.select([self._started], [], [], PATIENCE)[0]:
            raise AssertionError(f"no job came to the gate in {PATIENCE:.0f} s")
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(self._started, 1)
        return line.decode().strip()

    @property
    def empty(self) -> bool:
        """Whether no job has come that `arrival` did not tell of."""
        return not select.select([self._started], [], [], 0)[0]

    def let_through(self, jobs: int = 1) -> None:
        """Let so many jobs through, now or when they come."""
        # A line without text: readers take byte by byte, and must not share one.
        os.write(self._open, b"\n" * jobs)

    def close(self) -> None:
        os.close(self._started)
        os.close(self._open)


def _fifo(path: Path) -> int:
    os.mkfifo(path)
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)
