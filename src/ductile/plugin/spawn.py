"""Spawning: a plugin's process in a group of its own, and the end of that group."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from ductile.errors import PluginError
from ductile.plugin.interfaces import Invocation
from ductile.plugin.posix_spawn import posix_spawn
from ductile.plugin.streams import Streams, open_pipes

#: How long to wait for killed processes that the kernel cannot end at once.
_STRAGGLERS_MS: Final = 5_000


@dataclass(slots=True)
class ChildProcess:
    """A `Spawned` that is a child of this process."""

    streams: Streams
    pid: int
    wait: Callable[[], int]
    """Reaps it; returns the exit code, a signal as its negative number."""
    exited: int = -1

    def close(self) -> None:
        self.streams.close()
        os.close(self.exited)

    def signal_group(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            # Gone already, or running as another user through a setuid file: nothing to be done.
            return

    def reap(self) -> int:
        exit_code = self.wait()
        wait_for_group(self.pid)
        return exit_code


class ColdSpawner:
    """A `Spawner` that executes the entrypoint."""

    def spawn(self, invocation: Invocation) -> ChildProcess:
        return spawn(invocation)


def spawn(invocation: Invocation) -> ChildProcess:
    """Start the process. Raises PluginError, which says what to do."""
    try:
        # Own pipes rather than Popen's: it leaks those already made when the next one fails.
        given, streams = open_pipes()
    except OSError as error:
        raise PluginError(_explain(error, invocation)) from error
    try:
        spawned = _execute(invocation, given, streams)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        streams.close()
        raise PluginError(_explain(error, invocation)) from error
    finally:
        for fd in given:
            os.close(fd)
    try:
        spawned.exited = os.pidfd_open(spawned.pid)
    except OSError as error:
        spawned.signal_group(signal.SIGKILL)
        spawned.reap()
        streams.close()
        raise PluginError(_explain(error, invocation)) from error
    return spawned


def _execute(invocation: Invocation, given: tuple[int, int, int], streams: Streams) -> ChildProcess:
    file, directory, environment = (
        invocation.entrypoint,
        invocation.directory,
        invocation.environment,
    )
    pid = posix_spawn(file, directory, environment, given)
    if pid is not None:
        return ChildProcess(streams, pid, partial(_wait_for, pid))
    process = subprocess.Popen(
        [os.fspath(file)],
        stdin=given[0],
        stdout=given[1],
        stderr=given[2],
        cwd=os.fspath(directory),
        env=environment,
        start_new_session=True,
    )
    return ChildProcess(streams, process.pid, process.wait)


def _wait_for(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def wait_for_group(group: int) -> None:
    """Wait until no process of a killed group runs; zombies that nobody reaps do not count."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return
    except PermissionError:
        pass
    poll = select.poll()
    pidfds: set[int] = set()
    try:
        for pid in _members(group):
            try:
                pidfd = os.pidfd_open(pid)
            except OSError:
                continue
            pidfds.add(pidfd)
            poll.register(pidfd, select.POLLIN)
        waiting = set(pidfds)
        while waiting and (ended := poll.poll(_STRAGGLERS_MS)):
            for pidfd, _ in ended:
                poll.unregister(pidfd)
                waiting.discard(pidfd)
    finally:
        for pidfd in pidfds:
            os.close(pidfd)


def _members(group: int) -> list[int]:
    found: list[int] = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            stat = Path("/proc", name, "stat").read_bytes()
        except OSError:
            continue
        # The name in parentheses may hold anything: state, parent and group follow the last one.
        state, _, pgrp = stat.rpartition(b")")[2].split()[:3]
        if int(pgrp) == group and state not in b"ZX":
            found.append(int(name))
    return found


_REMEDIES: Final = {
    errno.EACCES: 'make it executable ("chmod +x") and its folders searchable, on a file system '
    "that is not mounted noexec",
    errno.ENOEXEC: 'begin it with a line that names its interpreter, such as "#!/bin/sh"',
    errno.ETXTBSY: "somebody has it open for writing; write a new file and rename it over this one",
    errno.E2BIG: 'its environment is too large; list fewer or shorter variables under "env"',
    errno.EMFILE: 'raise the limit on open files ("ulimit -n") or lower service.max_workers',
    errno.ENFILE: "the machine is out of open files; raise fs.file-max or lower "
    "service.max_workers",
    errno.EAGAIN: 'raise the limit on processes ("ulimit -u") or lower service.max_workers',
    errno.ENOMEM: "the machine is out of memory; lower service.max_workers",
    errno.ENOSYS: "plugins need Linux 5.3 or later",
}


def _explain(error: Exception, invocation: Invocation) -> str:
    # Names, not paths: the text ends up in the database, which holds no absolute path.
    entrypoint = invocation.entrypoint
    start = f'plugin file "{entrypoint.name}" cannot be started'
    if not isinstance(error, OSError):
        return f"{start}: {error}; correct the names and values of its environment variables"
    if error.filename == os.fspath(invocation.directory):
        return (
            f'{start}: its working directory "{invocation.directory.name}" cannot be entered '
            f"({error.strerror}); nothing else may delete or change workspaces"
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{start}: {_missing(entrypoint)}"
    remedy = _REMEDIES.get(error.errno or 0, "check the file and the machine's limits")
    return f"{start}: {error.strerror}; {remedy}"


def _missing(entrypoint: Path) -> str:
    """The kernel says "not found" for the file and for its interpreter alike."""
    try:
        with entrypoint.open("rb") as file:
            first = file.readline(256)
    except OSError:
        return "the file is gone; put it back or install the plugin again"
    if first.startswith(b"#!"):
        # A carriage return is shown: with one at its end, the name looks right and is not.
        interpreter = first[2:].decode(errors="replace").strip(" \t\n").replace("\r", "\\r")
        return f'its interpreter "{interpreter}" is missing; install it or correct the first line'
    return "the loader that it was built for is missing; build it for this machine"
