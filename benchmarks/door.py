"""The door: how fast a webhook is answered and done, a start, and what memory it takes."""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from control import Control
from figures import Figure, Goal
from grounds import SLEEP, Grounds, Running, delivery, make, wait_for

#: Connections at one time, each with one request after the other.
CONNECTIONS: Final = 8
STEPS: Final = 5
_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "


# --- from a webhook to the end of its chain --------------------------------------------------


def latency(
    folder: Path, control: Control, port: Callable[[], int], *, deliveries: int
) -> list[Figure]:
    """One delivery after the other to an idle gateway, each until its last step is done."""
    grounds = make(folder / "latency", port=port(), steps=STEPS)
    times, controls = [], []
    with grounds.serving() as running, _connected(running) as connection:
        for number in range(deliveries + 1):
            begun = datetime.now(UTC)
            _ask(connection, delivery(number))
            grounds.wait_until_drained()
            [(ended,)] = grounds.rows("SELECT max(completed_at) FROM job_queue")
            times.append((datetime.fromisoformat(ended) - begun).total_seconds() * 1e3)
            controls.append(control.seconds(grounds, parallel=1, count=STEPS) * 1e3)
    what, control_is = f"webhook to the last of {STEPS} steps", f"{STEPS} spawns of the C control"
    # The first one finds everything cold, here and in the gateway.
    return [Figure("latency", what, "ms", times[1:], controls[1:], control_is, Goal(15))]


# --- many at once ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Flood:
    """What came of many requests."""

    rate: float
    p99: float
    """Milliseconds."""


def ingest(folder: Path, port: Callable[[], int], *, deliveries: int, rounds: int) -> list[Figure]:
    """Signed webhooks over several connections; the gateway has one core, the sender another."""
    server, sender = (sorted(os.sched_getaffinity(0)) * 2)[:2]
    rates, slowest, controls = [], [], []
    requests = [delivery(number) for number in range(deliveries)]
    for number in range(rounds):
        # One job takes the only worker, and no processor; all others wait.
        grounds = make(
            folder / f"ingest-{number}",
            port=port(),
            steps=1,
            plugin=SLEEP,
            max_workers=1,
            shutdown_grace="10ms",
        )
        with grounds.serving() as running, _on(sender):
            running.pin(server)
            found = _flood(running.address, requests)
        rates.append(found.rate)
        slowest.append(found.p99)
        with _nothing(port()) as address, _on(sender):
            controls.append(_flood(address, requests, pin=server).rate)
        [(kept,)] = grounds.rows("SELECT count(*) FROM job_queue")
        if kept != deliveries:
            raise SystemExit(f"expected {deliveries} jobs, found {kept}")
    control_is = "the same requests to a server that does nothing but answer"
    what = f"signed webhooks, {CONNECTIONS} connections, one core"
    goal = Goal(3000, at_least=True)
    return [
        Figure("ingest", what, "per s", rates, controls, control_is, goal),
        Figure("ingest-p99", "the slowest hundredth of them", "ms", slowest, goal=Goal(15)),
    ]


def _flood(
    address: tuple[str, int], requests: Sequence[bytes], *, pin: int | None = None
) -> _Flood:
    queues = [list(requests[n::CONNECTIONS])[::-1] for n in range(CONNECTIONS)]
    times: list[float] = []
    with selectors.DefaultSelector() as waiting:
        begun = time.perf_counter()
        for queue in queues:
            connection = socket.create_connection(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            waiting.register(connection, selectors.EVENT_READ, _Sender(connection, queue, times))
        for key in list(waiting.get_map().values()):
            key.data.next()
        while waiting.get_map():
            for key, _ in waiting.select():
                if not key.data.read():
                    waiting.unregister(key.fileobj)
                    key.data.connection.close()
        took = time.perf_counter() - begun
    times.sort()
    return _Flood(len(requests) / took, times[len(times) * 99 // 100] * 1e3)


class _Sender:
    """One connection: the next request goes out when the answer to the last has come."""

    def __init__(self, connection: socket.socket, queue: list[bytes], times: list[float]) -> None:
        self.connection = connection
        self._queue = queue
        self._times = times
        self._answer = b""
        self._begun = 0.0

    def next(self) -> bool:
        """Send one more; False if there is none."""
        if not self._queue:
            return False
        self._begun = time.perf_counter()
        self.connection.sendall(self._queue.pop())
        return True

    def read(self) -> bool:
        """Take what came; False when all is answered."""
        self._answer += self.connection.recv(65536)
        if not _whole(self._answer):
            return True
        if not self._answer.startswith(b"HTTP/1.1 202"):
            raise SystemExit(f"expected a 202, found {self._answer[:300]!r}")
        self._times.append(time.perf_counter() - self._begun)
        self._answer = b""
        return self.next()


def _whole(answer: bytes) -> bool:
    head, end, body = answer.partition(_END_OF_HEAD)
    if not end:
        return False
    length = head.lower().partition(_LENGTH)[2].split(b"\r\n")[0]
    return len(body) >= int(length or 0)


@contextmanager
def _connected(running: Running) -> Iterator[socket.socket]:
    with closing(socket.create_connection(running.address)) as connection:
        yield connection


def _ask(connection: socket.socket, request: bytes) -> None:
    connection.sendall(request)
    answer = b""
    while not _whole(answer):
        answer += connection.recv(65536)
    if not answer.startswith(b"HTTP/1.1 202"):
        raise SystemExit(f"expected a 202, found {answer[:300]!r}")


@contextmanager
def _on(core: int) -> Iterator[None]:
    """This process on one core, for as long as it lasts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _nothing(port: int) -> Iterator[tuple[str, int]]:
    """A server that answers 202 to everything, on the first core."""
    core = min(os.sched_getaffinity(0))
    command = [sys.executable, Path(__file__).with_name("nothing.py"), str(port), str(core)]
    process = subprocess.Popen(command)
    address = ("127.0.0.1", port)
    try:
        wait_for(lambda: _answers(address) or process.poll() is not None, look=0.005)
        yield address
    finally:
        process.terminate()
        process.wait()


def _answers(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address).close()
    except OSError:
        return False
    return True


# --- starting, and memory --------------------------------------------------------------------


def starting(folder: Path, port: Callable[[], int], *, rounds: int) -> list[Figure]:
    """From nothing to a green `healthz`, and what it holds when it has nothing to do."""
    grounds = make(folder / "start", port=port(), steps=1)
    times, controls, idle = [], [], []
    with grounds.serving():
        pass  # makes the database, and compiles what was not compiled
    for _ in range(rounds):
        begun = time.perf_counter()
        with grounds.serving() as running:
            times.append((time.perf_counter() - begun) * 1e3)
            idle.append(running.resident())
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        controls.append((time.perf_counter() - begun) * 1e3)
    control_is = "a Python that does nothing"
    return [
        Figure(
            "start", "start until healthz is green", "ms", times, controls, control_is, Goal(300)
        ),
        Figure("idle", "memory when idle", "MB", idle, goal=Goal(60)),
    ]


def memory(folder: Path, port: Callable[[], int], *, chains: int) -> list[Figure]:
    """What a gateway holds after a tenth of so many chains, and after all of them."""
    grounds = make(folder / "memory", port=port(), steps=1)
    early, late = _held(grounds, chains)
    what = f"memory after {chains:,} chains"
    control_is = f"memory after {chains // 10:,} chains"
    return [Figure("memory", what, "MB", [late], [early], control_is, Goal(1.05, of_control=True))]


def _held(grounds: Grounds, chains: int) -> tuple[float, float]:
    grounds.queue(chains)
    with grounds.serving() as running:
        grounds.wait_until_drained(left=chains * 9 // 10)
        early = running.resident()
        grounds.wait_until_drained()
        return early, running.resident()
