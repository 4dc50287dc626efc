"""Orphans: processes of attempts whose gateway is gone."""

from __future__ import annotations

import os
import select
import signal
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ductile.model.ids import JobId, is_id

#: Set in the environment of every plugin; children inherit it, whatever group they are in.
JOB_ID_VARIABLE: Final = "DUCTILE_JOB_ID"

_MARK: Final = f"{JOB_ID_VARIABLE}=".encode()
_DEATH_TIMEOUT_MS: Final = 5_000
#: Looks at all processes before those that fork faster than they are found are left alone.
_LOOKS: Final = 100
#: Looks that are made again when some process may have been between two programs, and how far
#: apart.
_VAIN_LOOKS: Final = 2
_MOMENT_MS: Final = 10


def kill_orphans(
    wanted: Callable[[JobId], bool], root: Path, *, proc: Path = Path("/proc")
) -> Mapping[JobId, int]:
    """Kill every process of this user that belongs to a wanted job, and see it end.

    It belongs to a job if its environment says so, or, for one that has emptied it, if it has
    no terminal and works in a workspace of the job under `root` or has a file open for writing
    there. None is found by a recorded process id: there is no moment between a spawn and its
    record, and no id that somebody else may have by now. Looks again until none is found,
    since a process may fork meanwhile. Returns how many per job.
    """
    look = _Look(wanted, Path(os.path.realpath(root)), proc)
    killed: Counter[JobId] = Counter()
    seen: set[int] = set()
    vain = 0
    for _ in range(_LOOKS):
        found = [(pid, job) for pid, job in look.all() if pid not in seen]
        for pid, job_id in found:
            gone = look.kill(pid)
            killed[job_id] += gone
            # One that was just becoming another program by then is looked at once more.
            if gone or pid not in look.blank:
                seen.add(pid)
        vain = 0 if found else vain + 1
        # A process that is just becoming another program shows no environment for a moment.
        if vain > (_VAIN_LOOKS if look.blank else 0):
            break
        if vain:
            select.poll().poll(_MOMENT_MS)
    return killed


@dataclass(frozen=True)
class _Look:
    """At the processes of this machine, as far as this user may."""

    wanted: Callable[[JobId], bool]
    root: Path
    proc: Path
    blank: set[int] = field(default_factory=set)
    """Those of the latest look that had no environment and are no part of the kernel."""

    def all(self) -> Iterator[tuple[int, JobId]]:
        """All that belong to a wanted job."""
        self.blank.clear()
        if not self.proc.is_dir():
            return
        for entry in self.proc.iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                job_id = self._job_of(entry)
                if job_id is not None:
                    yield int(entry.name), job_id

    def kill(self, pid: int) -> bool:
        """Kill one, if it still is what it was when it was found; says whether it was."""
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return False
        try:
            # Once more: until there was a descriptor the number could go to somebody else.
            if self._job_of(self.proc / str(pid)) is None:
                return False
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            waiting = select.poll()
            waiting.register(descriptor, select.POLLIN)
            waiting.poll(_DEATH_TIMEOUT_MS)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True

    def _job_of(self, entry: Path) -> JobId | None:
        try:
            for job_id in self._candidates(entry):
                if is_id(job_id) and self.wanted(JobId(job_id)):
                    return JobId(job_id)
        except OSError:  # it ended meanwhile, or is somebody else's
            pass
        return None

    def _candidates(self, entry: Path) -> Iterator[str]:
        """What may be the ids of jobs that the process belongs to, the surest first."""
        environment = (entry / "environ").read_bytes()
        if not environment and os.readlink(entry / "exe"):
            self.blank.add(int(entry.name))
        for pair in environment.split(b"\0"):
            if pair.startswith(_MARK):
                yield pair.removeprefix(_MARK).decode("ascii", "replace")
        # Somebody who looks around in a workspace, from a shell, is no orphan.
        if not _has_terminal(entry):
            yield from self._within(os.readlink(entry / "cwd"))
            for descriptor in (entry / "fd").iterdir():
                if descriptor.lstat().st_mode & stat.S_IWUSR:
                    yield from self._within(os.readlink(descriptor))

    def _within(self, path: str) -> Iterator[str]:
        place = Path(path)
        if place != self.root and place.is_relative_to(self.root):
            # Of a directory that is deleted, the kernel says so behind its name.
            name = place.relative_to(self.root).parts[0].removesuffix(" (deleted)")
            yield name.partition(".")[0]


def _has_terminal(entry: Path) -> bool:
    # The name in parentheses may hold anything: state, parent, group, session and terminal follow.
    terminal = (entry / "stat").read_bytes().rpartition(b")")[2].split()[4]
    return terminal != b"0"
