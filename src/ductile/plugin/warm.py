"""Warm parents: Python plugins without the start of Python."""

from __future__ import annotations

import os
import select
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from ductile.model.clock import Clock
from ductile.model.ids import JobId
from ductile.plugin.interfaces import Invocation, Spawned
from ductile.plugin.orphans import JOB_ID_VARIABLE, kill_orphans
from ductile.plugin.parent import ForkedProcess, Kind, Parent, Refused, Stale, placeholder
from ductile.plugin.shebang import NotWarm, interpreter_of
from ductile.plugin.spawn import ColdSpawner
from ductile.plugin.streams import open_pipes
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import WarmParentFailed

#: How many parents there are at once; a plugin beyond that is started cold.
MAX_PARENTS: Final = 8
#: Jobs of one parent; then it is replaced, and with it the hash seed that they share.
MAX_FORKS: Final = 1_000
#: A parent that was not asked for so long is ended.
IDLE: Final = timedelta(minutes=2)
#: Between two looks for such parents.
LOOK_INTERVAL: Final = timedelta(seconds=30)
#: How long to start cold after a first failure; doubled with each further one.
_FIRST_PAUSE: Final = timedelta(seconds=5)
_LONGEST_PAUSE: Final = timedelta(minutes=10)


@dataclass(slots=True)
class _Place:
    """Where the parent of one kind is, or is not."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    parent: Parent | None = None
    used_at: float = 0.0
    failures: int = 0
    cold_until: float = 0.0


class WarmSpawner:
    """A `Spawner` that forks from warm parents what asks for it, and starts the rest cold.

    A process that cannot be forked is started cold, and the reason is told once. Whatever
    happens, a job's process is started once: what may have been forked without an answer is
    killed first, by the mark that its environment bears.
    """

    def __init__(self, clock: Clock, telemetry: Telemetry) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._cold = ColdSpawner()
        self._lock = threading.Lock()
        self._places: dict[Kind, _Place] = {}
        self._told: dict[Path, str] = {}
        self._closed = False

    def spawn(self, invocation: Invocation) -> Spawned:
        job_id = invocation.environment.get(JOB_ID_VARIABLE)
        # Without an id nobody could find the process after a crash.
        if invocation.preload is None or not job_id or self._closed:
            return self._cold.spawn(invocation)
        try:
            kind = _kind(invocation, job_id)
        except NotWarm as reason:
            self._tell(invocation.entrypoint, str(reason))
            return self._cold.spawn(invocation)
        place = self._place(kind)
        with place.lock:
            forked = self._fork(place, kind, invocation, job_id)
        return forked or self._cold.spawn(invocation)

    def run_once(self) -> int:
        """End parents that nobody has needed for long; returns how many."""
        limit = self._clock.monotonic() - IDLE.total_seconds()
        ended = 0
        with self._lock:
            for kind, place in list(self._places.items()):
                if place.used_at > limit or not place.lock.acquire(blocking=False):
                    continue
                try:
                    if place.parent is None:
                        if place.cold_until <= self._clock.monotonic():
                            del self._places[kind]
                    elif not place.parent.living:
                        place.parent.end()
                        place.parent = None
                        ended += 1
                finally:
                    place.lock.release()
        return ended

    def close(self) -> None:
        """End all parents and what they forked; what is spawned later is started cold."""
        self._closed = True
        with self._lock:
            places = list(self._places.values())
        for place in places:
            with place.lock:
                if place.parent is not None:
                    place.parent.end()
                    place.parent = None

    def _place(self, kind: Kind) -> _Place:
        with self._lock:
            place = self._places.setdefault(kind, _Place())
            place.used_at = self._clock.monotonic()
            return place

    def _fork(
        self, place: _Place, kind: Kind, invocation: Invocation, job_id: str
    ) -> ForkedProcess | None:
        if self._closed or self._clock.monotonic() < place.cold_until:
            return None
        try:
            for _ in range(2):
                parent = self._parent(place, kind)
                try:
                    forked = _forked(parent, invocation, job_id)
                    place.failures = 0
                    return forked
                except Stale:
                    place.parent = None
                    parent.retire()
            raise NotWarm("its files change faster than they can be imported")
        except Refused as reason:
            self._failed(place, kind, reason)
        except NotWarm as reason:
            lost, place.parent = place.parent, None
            if lost is not None:
                lost.kill()
                # The answer may be all that is missing. Nothing may run beside its successor.
                kill_orphans({JobId(job_id)}.__contains__, invocation.directory.parent)
            self._failed(place, kind, reason)
        except OSError:
            pass  # of this job's own pipes or directory: a cold start explains it
        return None

    def _parent(self, place: _Place, kind: Kind) -> Parent:
        if place.parent is not None and place.parent.forked >= MAX_FORKS:
            place.parent.retire()
            place.parent = None
        if place.parent is None:
            self._make_room(place)
            place.parent = Parent(kind)
        return place.parent

    def _make_room(self, own: _Place) -> None:
        """End the parent that was idle for the longest time, if there are too many."""
        with self._lock:
            others = [each for each in self._places.values() if each.parent and each is not own]
            if len(others) < MAX_PARENTS:
                return
            for place in sorted(others, key=lambda each: each.used_at):
                if not place.lock.acquire(blocking=False):
                    continue
                try:
                    if place.parent is not None and not place.parent.living:
                        place.parent.end()
                        place.parent = None
                        return
                finally:
                    place.lock.release()
        raise NotWarm(f"{MAX_PARENTS} warm parents are at work already")

    def _tell(self, entrypoint: Path, reason: str) -> None:
        """Why it can never be forked, once."""
        if self._told.get(entrypoint) != reason:
            self._told[entrypoint] = reason
            self._telemetry.emit(WarmParentFailed(entrypoint.name, reason))

    def _failed(self, place: _Place, kind: Kind, reason: NotWarm) -> None:
        pause = min(_FIRST_PAUSE * 2 ** min(place.failures, 10), _LONGEST_PAUSE)
        place.failures += 1
        place.cold_until = self._clock.monotonic() + pause.total_seconds()
        self._telemetry.emit(WarmParentFailed(kind.entrypoint.name, str(reason), pause))


def _kind(invocation: Invocation, job_id: str) -> Kind:
    interpreter = interpreter_of(invocation.entrypoint, invocation.environment)
    name, none = placeholder(job_id)
    environment = {**invocation.environment, name: none}
    return Kind(
        interpreter,
        invocation.entrypoint,
        invocation.preload or (),
        frozenset(environment.items()),
    )


def _forked(parent: Parent, invocation: Invocation, job_id: str) -> ForkedProcess:
    """Raises what `Parent.fork` raises, and OSError for what concerns this job alone."""
    with ExitStack() as theirs, ExitStack() as ours:
        given, streams = open_pipes()
        ours.callback(streams.close)
        for each in given:
            theirs.callback(os.close, each)
        directory = os.open(invocation.directory, os.O_RDONLY | os.O_DIRECTORY)
        theirs.callback(os.close, directory)
        ends = select.epoll(2)
        ours.callback(ends.close)
        ends.register(parent.exited, select.EPOLLIN)
        pid = parent.fork(job_id, [*given, directory])
        try:
            pidfd = os.pidfd_open(pid)
        except OSError as error:
            raise NotWarm(f"what its warm parent forked cannot be watched: {error}") from error
        ours.callback(os.close, pidfd)
        ends.register(pidfd, select.EPOLLIN)
        ours.pop_all()
        return ForkedProcess(streams, parent, pid, pidfd, ends)
