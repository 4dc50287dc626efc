"""The process runner: feeds, reads and, where it must, stops one plugin process."""

from __future__ import annotations

import math
import os
import select
import signal
from typing import Final

from ductile.model.clock import Clock
from ductile.plugin.interfaces import Ended, Ending, Invocation, Spawned, Spawner, StopToken
from ductile.plugin.spawn import ColdSpawner

#: Bytes taken from a pipe at once: what a pipe holds unless told otherwise.
_CHUNK: Final = 64 * 1024
#: Chunks read after the exit: what the largest pipe may hold (fs.pipe-max-size).
_LAST_CHUNKS: Final = 16
_LONGEST_POLL_MS: Final = 2**31 - 1


class ProcessRunner:
    """Runs plugins as processes of this machine, with the promises of `PluginRunner`."""

    def __init__(self, clock: Clock, spawner: Spawner | None = None) -> None:
        self._clock = clock
        self._spawner: Spawner = spawner or ColdSpawner()

    def run(self, invocation: Invocation, stop: StopToken) -> Ended:
        """Like `PluginRunner.run`; nothing is spawned when `stop` is set already."""
        started_at = self._clock.now()
        if stop.is_set():
            return Ended(Ending.STOPPED, -signal.SIGTERM, b"", b"", started_at, started_at)
        spawned = self._spawner.spawn(invocation)
        try:
            watch = _Watch(spawned, invocation, self._clock)
            try:
                watch.until_exit(stop)
            finally:
                # Before the leader is reaped: until then nobody else can be given its number.
                spawned.signal_group(signal.SIGKILL)
                watch.read_rest()
                exit_code = spawned.reap()
        finally:
            spawned.close()
        return Ended(
            ending=watch.ending,
            exit_code=exit_code,
            stdout=watch.stdout.kept(),
            stderr=watch.stderr.kept(),
            started_at=started_at,
            completed_at=self._clock.now(),
        )


class _Output:
    """One output stream: the first bytes are kept, the rest is read and thrown away."""

    def __init__(self, fd: int, limit: int) -> None:
        self._fd = fd
        self._limit = limit
        self._chunks: list[bytes] = []
        self._held = 0
        self.over = False
        """Whether more came than is kept."""

    def read(self) -> int | None:
        """Take one chunk: how many bytes came, 0 at the end, None if there is nothing now."""
        try:
            chunk = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return None
        room = self._limit - self._held
        if len(chunk) > room:
            self.over = True
        if chunk and room > 0:
            self._chunks.append(chunk[:room])
            self._held += len(self._chunks[-1])
        return len(chunk)

    def read_rest(self) -> None:
        """Take what is in the pipe now, without waiting for whoever still holds it open."""
        for _ in range(_LAST_CHUNKS):
            if self.read() != _CHUNK:
                return

    def kept(self) -> bytes:
        return b"".join(self._chunks)


class _Watch:
    """One process under way: what it was sent, what it wrote, and why it has to end."""

    def __init__(self, spawned: Spawned, invocation: Invocation, clock: Clock) -> None:
        self.ending = Ending.EXITED
        self.stdout = _Output(spawned.streams.stdout, invocation.max_stdout)
        self.stderr = _Output(spawned.streams.stderr, invocation.max_stderr)
        self._spawned = spawned
        self._unsent = memoryview(invocation.request)
        self._grace = invocation.grace.total_seconds()
        self._clock = clock
        self._poll = select.poll()
        self._deadline: float | None = clock.monotonic() + invocation.timeout.total_seconds()

    def until_exit(self, stop: StopToken) -> None:
        """Feed and read the process until it has exited; it is not reaped yet."""
        exited = self._spawned.exited
        for fd in (
            exited,
            stop.fileno(),
            self._spawned.streams.stdout,
            self._spawned.streams.stderr,
        ):
            self._poll.register(fd, select.POLLIN)
        # Most requests fit into the pipe: they are sent without being polled for.
        self._poll.register(self._spawned.streams.stdin, select.POLLOUT)
        self._feed()
        while True:
            ready = [fd for fd, _ in self._poll.poll(self._patience_ms())]
            for fd in ready:
                self._attend(fd, stop)
            # The exit comes before the clock: who ended at the last moment ended by itself.
            if exited in ready:
                return
            if self._deadline is not None and self._clock.monotonic() >= self._deadline:
                self._expire()

    def read_rest(self) -> None:
        """Read what is in the pipes after the exit."""
        self.stdout.read_rest()
        self.stderr.read_rest()
        if self.stdout.over and self.ending is Ending.EXITED:
            self.ending = Ending.FLOODED

    def _attend(self, fd: int, stop: StopToken) -> None:
        if fd == self._spawned.streams.stdout:
            self._read(self.stdout, fd)
            if self.stdout.over:
                self._terminate(Ending.FLOODED)
        elif fd == self._spawned.streams.stderr:
            self._read(self.stderr, fd)
        elif fd == self._spawned.streams.stdin:
            self._feed()
        elif fd == stop.fileno():
            self._poll.unregister(fd)
            self._terminate(Ending.STOPPED)

    def _read(self, output: _Output, fd: int) -> None:
        if output.read() == 0:
            self._poll.unregister(fd)

    def _feed(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self._spawned.streams.stdin, self._unsent) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            # The plugin ended, or closed its input, without reading it: its right.
            pass
        self._poll.unregister(self._spawned.streams.stdin)
        self._spawned.streams.close_stdin()

    def _terminate(self, ending: Ending) -> None:
        """Ask the group to end, for the first reason that there is; the grace period begins."""
        if self.ending is not Ending.EXITED:
            return
        self.ending = ending
        self._deadline = self._clock.monotonic() + self._grace
        self._spawned.signal_group(signal.SIGTERM)

    def _expire(self) -> None:
        if self.ending is Ending.EXITED:
            self._terminate(Ending.TIMED_OUT)
        else:
            self._deadline = None
            self._spawned.signal_group(signal.SIGKILL)

    def _patience_ms(self) -> int | None:
        if self._deadline is None:
            return None
        left = math.ceil((self._deadline - self._clock.monotonic()) * 1000)
        return min(max(left, 0), _LONGEST_POLL_MS)
