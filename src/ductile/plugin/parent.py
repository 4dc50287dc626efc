"""One warm parent as the gateway sees it: a process, and the socket over which it is asked."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ductile.plugin import warm_parent
from ductile.plugin.orphans import JOB_ID_VARIABLE
from ductile.plugin.shebang import Interpreter, NotWarm
from ductile.plugin.spawn import wait_for_group
from ductile.plugin.streams import Streams

_START_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 5.0
_MESSAGE_BYTES: Final = 4096
_SCRIPT: Final = Path(warm_parent.__file__)


class Stale(Exception):
    """A file that the parent has imported is another by now; nothing was forked."""


class Refused(NotWarm):
    """The parent is well and cannot fork now; nothing was forked."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What two jobs must have in common to be forked from one parent."""

    interpreter: Interpreter
    entrypoint: Path
    preload: tuple[str, ...]
    environment: frozenset[tuple[str, str]]
    """All but the id of the job, of which only the length is kept."""


class Parent:
    """One process that forks jobs. Safe to use from many threads."""

    def __init__(self, kind: Kind) -> None:
        """Start it and wait until all is imported. Raises NotWarm, with the reason."""
        self._lock = threading.Lock()
        self._retired = False
        self.living = 0
        """Processes that it forked and that are not reaped."""
        self.forked = 0
        try:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError as error:
            raise NotWarm(str(error.strerror)) from error
        try:
            self._process = _start(kind, theirs.fileno())
        except (OSError, ValueError) as error:
            self._control.close()
            raise NotWarm(f"its warm parent cannot be started: {error}") from error
        finally:
            theirs.close()
        try:
            self.exited = os.pidfd_open(self._process.pid)
        except OSError as error:
            self._control.close()
            self._process.kill()
            self._process.wait()
            raise NotWarm(f"its warm parent cannot be watched: {error}") from error
        self._control.settimeout(_START_SECONDS)
        try:
            self._heard()
        except NotWarm:
            self.end()
            raise
        self._control.settimeout(_ANSWER_SECONDS)

    def fork(self, job_id: str, descriptors: Sequence[int]) -> int:
        """A new process for this job, on these streams and in this directory; returns its id.

        Raises Stale and Refused when nothing was forked, NotWarm when it is not known.
        """
        with self._lock:
            pid = int(self._ask(warm_parent.FORK + job_id.encode(), descriptors))
            self.living += 1
            self.forked += 1
            return pid

    def reap(self, pid: int) -> int:
        """The exit code of a process that it forked and that has exited; its number is free then.

        Negative for the number of a signal, and as if killed when the parent is gone.
        """
        try:
            with self._lock:
                self.living -= 1
                status = int(self._ask(warm_parent.REAP + str(pid).encode()))
                return os.waitstatus_to_exitcode(status)
        except NotWarm:
            return -signal.SIGKILL
        finally:
            if self._retired and not self.living:
                self.end()

    def retire(self) -> None:
        """Fork no more; it ends with the last of its processes."""
        self._retired = True
        if not self.living:
            self.end()

    def end(self) -> None:
        """End it, and whatever it forked, now. Harmless when called again."""
        with self._lock:
            if self._control.fileno() < 0:
                return
            # It kills and reaps its own first: only it can, without a race for their numbers.
            self._control.close()
            try:
                self._process.wait(_ANSWER_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            os.close(self.exited)

    def kill(self) -> None:
        """End it without being polite, since it does not answer."""
        self._process.kill()
        self.end()

    def _ask(self, message: bytes, descriptors: Sequence[int] = ()) -> bytes:
        try:
            if descriptors:
                socket.send_fds(self._control, [message], list(descriptors))
            else:
                self._control.send(message)
        except OSError as error:
            raise NotWarm(f"its warm parent does not listen: {error}") from error
        return self._heard()

    def _heard(self) -> bytes:
        try:
            answer = self._control.recv(_MESSAGE_BYTES)
        except OSError as error:
            # It may still answer, and the next who asks would take that for the answer to theirs:
            # another's exit status for a process id, whose group is then killed.
            with suppress(OSError):
                self._control.shutdown(socket.SHUT_RDWR)
            raise NotWarm(f"its warm parent does not answer: {error}") from error
        kind, text = answer[:1], answer[1:]
        if kind == warm_parent.DONE:
            return text
        if kind == warm_parent.STALE:
            raise Stale(text.decode(errors="replace"))
        if kind == warm_parent.REFUSED:
            raise Refused(f"its warm parent says: {text.decode(errors='replace')}")
        raise NotWarm("its warm parent has ended")


def _start(kind: Kind, control: int) -> subprocess.Popen[bytes]:
    # Pipes, as a plugin has: the streams that Python makes of them at its start are the jobs' too.
    read, write = os.pipe()
    try:
        return subprocess.Popen(
            [
                *kind.interpreter.argv,
                os.fspath(_SCRIPT),
                str(control),
                os.fspath(kind.entrypoint),
                *kind.preload,
            ],
            executable=kind.interpreter.path,
            stdin=read,
            stdout=write,
            stderr=write,
            cwd=os.fspath(kind.entrypoint.parent),
            env=dict(kind.environment),
            pass_fds=(control,),
            start_new_session=True,
        )
    finally:
        os.close(read)
        os.close(write)


@dataclass(slots=True)
class ForkedProcess:
    """A `Spawned` that is a child of a warm parent, which reaps it when it is told to."""

    streams: Streams
    parent: Parent
    pid: int
    pidfd: int
    ends: select.epoll
    """Ready when the process has exited, or its parent."""

    @property
    def exited(self) -> int:
        return self.ends.fileno()

    def close(self) -> None:
        self.streams.close()
        self.ends.close()
        os.close(self.pidfd)

    def signal_group(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                # Just forked: it does not lead its group yet.
                signal.pidfd_send_signal(self.pidfd, number)

    def reap(self) -> int:
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        poll.poll()
        exit_code = self.parent.reap(self.pid)
        wait_for_group(self.pid)
        return exit_code


def placeholder(job_id: str) -> tuple[str, str]:
    """What stands for the job's id in the environment of a parent: as long, and nobody's."""
    return JOB_ID_VARIABLE, "-" * len(job_id.encode())
