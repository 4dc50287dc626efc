"""Orphans: processes of attempts whose gateway is gone."""

from __future__ import annotations

import os
import select
import signal
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from ductile.model.ids import JobId

#: Set in the environment of every plugin; children inherit it, whatever group they are in.
JOB_ID_VARIABLE: Final = "DUCTILE_JOB_ID"

_DEATH_TIMEOUT_MS: Final = 5_000


def kill_orphans(job_ids: Collection[JobId], *, proc: Path = Path("/proc")) -> Mapping[JobId, int]:
    """Kill every process of this user that was started for one of these jobs, and see it end.

    They are found by their environment, not by a recorded process id: there is no moment
    between a spawn and its record, and no id that somebody else may have by now. Repeats
    until none is found, since a process may fork meanwhile. Returns how many per job.
    """
    wanted = {f"{JOB_ID_VARIABLE}={job_id}".encode(): job_id for job_id in job_ids}
    killed: Counter[JobId] = Counter()
    seen: set[int] = set()
    while found := {pid: job for pid, job in _processes(wanted, proc) if pid not in seen}:
        for pid, job_id in found.items():
            killed[job_id] += _kill(pid)
        seen |= found.keys()
    return killed


def _processes(wanted: Mapping[bytes, JobId], proc: Path) -> Iterator[tuple[int, JobId]]:
    if not wanted or not proc.is_dir():
        return
    for entry in proc.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
        for pair in environment:
            if pair in wanted:
                yield int(entry.name), wanted[pair]
                break


def _kill(pid: int) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        waiting.poll(_DEATH_TIMEOUT_MS)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
