"""More than a gateway can do at once: it says so, keeps what it took, and stays small."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from ductile.dispatch.interfaces import Trigger
from ductile.model.job import JobStatus
from tests.support import ledger
from tests.support.client import Answer, get, post, signed
from tests.support.line import SECRET, STEPS, Line, settled
from tests.support.process import GatewayProcess, gateway, run
from tests.support.site import Site

# --- the limit of the queue ------------------------------------------------------------------

LIMIT: Final = 4
JSON: Final = {"Content-Type": "application/json"}


@dataclass
class Full:
    """A gateway whose only worker is at a gate, and whose queue is full."""

    line: Line
    process: GatewayProcess
    accepted: list[str]


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Full]:
    line = Line(tmp_path)
    line.site.config["service"] = {"max_workers": 1, "queue_limit": LIMIT}
    with line.running() as process:
        accepted = [line.send(process, "block")]
        line.blocker.reached()
        # The first one counts as waiting until the next look at the queue.
        while len(accepted) <= LIMIT:
            answer = line.post(process)
            if answer.status == 202:
                accepted.append(answer.json["event_id"])
        yield Full(line, process, accepted)


def test_a_webhook_is_refused_for_now(full: Full) -> None:
    answer = full.line.post(full.process)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert "send it again later" in answer.json["error"]


def test_the_log_says_which_limit_it_is(full: Full) -> None:
    full.line.post(full.process)
    full.process.wait_for("webhook refused.* status=503 .*service.queue_limit")


@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/pipelines/line/runs"])
def test_the_api_refuses_for_now(full: Full, path: str) -> None:
    body = {"type": "line.begun"} if path.endswith("events") else {}
    answer = post(full.process.address, path, json.dumps(body).encode(), JSON)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")


def test_the_command_line_refuses_and_says_what_to_do(full: Full) -> None:
    config = str(full.line.site.root / "config")
    asked = run("--config", config, "pipeline", "run", "line")
    assert asked.code == 1
    assert "service.queue_limit" in asked.errors
    assert full.line.rows("SELECT count(*) FROM event WHERE chain_id = id") == [(1 + LIMIT,)]


def test_what_was_accepted_goes_on_through_a_flood_that_is_not(full: Full) -> None:
    over = threading.Event()
    answers: list[Answer] = []

    def flood() -> None:
        while not over.is_set():
            answers.append(full.line.post(full.process))

    senders = [threading.Thread(target=flood) for _ in range(4)]
    for sender in senders:
        sender.start()
    full.line.blocker.let_through()
    for event_id in full.accepted:
        settled(full.process, event_id)
    over.set()
    for sender in senders:
        sender.join()
    let_in = [each.json["event_id"] for each in answers if each.status == 202]
    for event_id in let_in:
        settled(full.process, event_id)
    for event_id in (*full.accepted[1:], *let_in):
        jobs = full.line.chain(event_id).jobs
        assert [(job.plugin, job.status) for job in jobs] == [
            (name, JobStatus.SUCCEEDED) for name in STEPS
        ]
    assert {each.status for each in answers} == {202, 503}


# --- memory ----------------------------------------------------------------------------------

#: MiB that no gateway of four workers and usual limits needs; `docs/promises.md` says the same.
BOUND: Final = 384
#: MiB that it needs less than where nobody sends or writes much, however many jobs wait.
QUIET: Final = 128
CHAINS: Final = 10_000
ENDPOINTS: Final = 1_000
SLOW: Final = 400
BODY: Final = b'{"channel_id": "C1"}'


@dataclass(frozen=True)
class Pressed:
    """A gateway with everything at the same time: what it answered, and what it needed."""

    answers: list[int]
    """Of the first and the last endpoint, of four floods, and of healthz under slow bodies."""
    quiet: int
    """MiB at the most, before bodies and floods."""
    peak: int
    """MiB at the most, after all."""
    loud: list[tuple[str, str]]
    """Status and error of the jobs that wrote 100 MB to stdout."""


def _peak(process: GatewayProcess) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) // 1024


def _endpoint(name: str, event: str) -> dict[str, object]:
    signature = {"scheme": "hmac-sha256", "secret": SECRET}
    return {"name": name, "event": event, "signature": signature}


def _site(root: Path) -> Site:
    site = Site(root)
    site.plugin("quick", 'cat >/dev/null; echo \'{"status": "ok"}\'')
    site.plugin("loud", "cat >/dev/null; head -c 100000000 /dev/zero")
    site.pipeline("""
        - name: quick
          on: quick.begun
          steps: [{uses: quick}, {uses: quick}]
        - name: loud
          on: loud.begun
          steps: [{uses: loud}]
    """)
    site.config["plugins"] = {"loud": {"retry": {"max_attempts": 1}}, "quick": {"parallelism": 2}}
    endpoints = [_endpoint(f"quick-{number}", "quick.begun") for number in range(ENDPOINTS)]
    site.config["webhooks"] = {"endpoints": [*endpoints, _endpoint("loud", "loud.begun")]}
    return site


def _post(process: GatewayProcess, name: str) -> int:
    return post(process.address, f"/webhooks/{name}", BODY, signed(SECRET, BODY)).status


def _send_slowly(process: GatewayProcess, stack: ExitStack) -> None:
    """Begin a body of 1 MiB, send nearly all of it, and leave it at that."""
    connection = stack.enter_context(socket.create_connection(process.address, timeout=0.2))
    head = f"POST /webhooks/quick-1 HTTP/1.1\r\nHost: a\r\nContent-Length: {1 << 20}\r\n\r\n"
    # What the gateway does not take any more is as good a burden.
    with suppress(OSError):
        connection.sendall(head.encode() + bytes(1_000_000))


@pytest.fixture(scope="module")
def pressed(tmp_path_factory: pytest.TempPathFactory) -> Pressed:
    root = tmp_path_factory.mktemp("pressed")
    site = _site(root)
    with site.running(start=False) as running:
        triggers = (Trigger("quick.begun", {"number": n}, "test") for n in range(CHAINS))
        for waiting in [running.gateway.intake.submit(trigger) for trigger in triggers]:
            waiting.result()
    with gateway(site.write()) as process, ExitStack() as slow:
        process.wait_until(lambda: process.count("job settled") >= 50)
        answers = [_post(process, f"quick-{number}") for number in (0, ENDPOINTS - 1)]
        quiet = _peak(process)
        answers += [_post(process, "loud") for _ in range(4)]
        for _ in range(SLOW):
            _send_slowly(process, slow)
        answers.append(get(process.address, "/healthz").status)
        process.wait_until(lambda: process.count("job settled.* plugin=loud") == 4)
        peak = _peak(process)
    question = "SELECT status, last_error FROM job_queue WHERE plugin = 'loud'"
    loud = ledger.rows(root / "data" / "ductile.db", question)
    return Pressed(answers, quiet, peak, [(status, error) for status, error in loud])


def test_each_of_a_thousand_endpoints_answers(pressed: Pressed) -> None:
    assert pressed.answers[:2] == [202, 202]


def test_ten_thousand_chains_that_wait_take_no_memory(pressed: Pressed) -> None:
    assert pressed.quiet < QUIET


def test_it_is_well_under_as_many_slow_bodies_as_there_may_be(pressed: Pressed) -> None:
    assert pressed.answers[2:] == [202, 202, 202, 202, 200]


def test_a_plugin_that_floods_its_output_fails_clearly(pressed: Pressed) -> None:
    assert {status for status, _ in pressed.loud} == {"failed"}
    assert all("stdout" in error for _, error in pressed.loud)


def test_memory_stays_below_its_bound(pressed: Pressed) -> None:
    assert pressed.peak < BOUND
