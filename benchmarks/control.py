"""The control: the same plugin, started by a C program that does nothing else."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grounds import FILES, Grounds

SOURCE: Final = Path(__file__).with_name("control.c")
#: Bytes of a request of the gateway's, give or take; the plugin reads it to the end of its line.
REQUEST: Final = b'{"padding": "' + b"x" * 1000 + b'"}\n'


@dataclass(frozen=True)
class Control:
    """The built program, and what it gives the plugin."""

    program: Path
    request: Path
    directory: Path

    def seconds(self, grounds: Grounds, *, parallel: int, count: int) -> float:
        """How long it takes to run the plugin of these grounds `count` times."""
        words = [self.program, str(parallel), str(count), self.directory, self.request]
        done = subprocess.run(
            [*words, grounds.entrypoint], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"the control failed: {done.stderr}")
        return float(done.stdout)


def build(folder: Path) -> Control:
    """Compile it into a folder."""
    made = Control(folder / "control", folder / "request", folder / "directory")
    done = subprocess.run(
        ["gcc", "-O2", "-pthread", "-o", made.program, SOURCE],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the control cannot be built: {done.stderr}")
    made.request.write_bytes(REQUEST)
    made.directory.mkdir()
    for number in range(1, FILES + 1):
        (made.directory / f"file-{number}").write_text("x")
    return made
