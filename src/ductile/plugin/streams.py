"""The three streams of a plugin's process, as pipes."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(slots=True)
class Streams:
    """This side's ends; they do not block."""

    stdin: int
    """-1 once it is closed."""
    stdout: int
    stderr: int

    def close_stdin(self) -> None:
        """Let the process see the end of its input; harmless when called again."""
        fd, self.stdin = self.stdin, -1
        if fd >= 0:
            os.close(fd)

    def close(self) -> None:
        """Let go of all three."""
        self.close_stdin()
        os.close(self.stdout)
        os.close(self.stderr)


def open_pipes() -> tuple[tuple[int, int, int], Streams]:
    """The ends of the process, from stdin on, and ours. Raises OSError with none left open."""
    ends: list[int] = []
    try:
        for _ in range(3):
            ends.extend(os.pipe())
    except OSError:
        for fd in ends:
            os.close(fd)
        raise
    streams = Streams(ends[1], ends[2], ends[4])
    for fd in (streams.stdin, streams.stdout, streams.stderr):
        os.set_blocking(fd, False)
    return (ends[0], ends[3], ends[5]), streams
