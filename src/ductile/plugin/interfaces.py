"""The seam between an attempt and the process that does its work."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from ductile.plugin.streams import Streams


class Ending(StrEnum):
    """How a process came to its end."""

    EXITED = "exited"
    """By itself, whatever its exit code."""
    TIMED_OUT = "timed_out"
    """Stopped because its time was up."""
    FLOODED = "flooded"
    """Stopped because it wrote more to stdout than it may."""
    STOPPED = "stopped"
    """Stopped because the worker shuts down."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """All that one process needs."""

    entrypoint: Path
    request: bytes
    """Written to stdin, followed by EOF."""
    directory: Path
    """Working directory of the process."""
    environment: Mapping[str, str]
    """The whole environment; nothing is inherited."""
    timeout: timedelta
    max_stdout: int = 10 * 1024 * 1024
    """Bytes; one more stops the process."""
    max_stderr: int = 64 * 1024
    """Bytes that are kept, from the start; the rest is read and thrown away."""
    grace: timedelta = timedelta(seconds=5)
    """Between the polite signal and the one that cannot be refused."""
    preload: tuple[str, ...] | None = None
    """Modules that a warm parent has imported before the process is forked from it; None: the
    entrypoint is executed."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What is left of a process."""

    ending: Ending
    exit_code: int
    """Negative for the number of the signal that ended it."""
    stdout: bytes
    stderr: bytes
    started_at: datetime
    completed_at: datetime


class StopToken(Protocol):
    """Asks everything that holds it to stop, once and for good."""

    def set(self) -> None:
        """Ask. Harmless when asked already."""

    def is_set(self) -> bool:
        """Whether it was asked."""

    def fileno(self) -> int:
        """A descriptor that becomes readable when it is asked."""

    def close(self) -> None:
        """Let go of the descriptor, when nobody holds the token any more."""


class PluginRunner(Protocol):
    """Runs one plugin to its end.

    Blocks its thread, and may be called from many at once. No shell is involved. When it
    returns, no process of the plugin's group is left, so nothing of the plugin can write
    any more; a descendant that left the group and still holds the pipes open is not
    waited for. Both output streams are read at all times, whatever their volume. A plugin
    that ends without reading its input is no error.
    """

    def run(self, invocation: Invocation, stop: StopToken) -> Ended:
        """Spawn, feed, read, wait. Raises PluginError when the process cannot be started."""


class Spawned(Protocol):
    """A process that leads its own group."""

    @property
    def streams(self) -> Streams:
        """This side's ends of its pipes."""

    @property
    def exited(self) -> int:
        """A descriptor that becomes readable when the process has exited, or must be given up."""

    def signal_group(self, number: signal.Signals) -> None:
        """Signal all of the group. Only before `reap`: afterwards the number may be another's."""

    def reap(self) -> int:
        """Wait for the leader, then for all others of its group, which were killed before.

        Returns the exit code, negative for the number of a signal.
        """

    def close(self) -> None:
        """Let go of all descriptors."""


class Spawner(Protocol):
    """Starts the processes that a runner then feeds, reads and ends; many threads at once."""

    def spawn(self, invocation: Invocation) -> Spawned:
        """Start the process. Raises PluginError, which says what to do."""
