"""`ductile serve`: what it says, what it answers, and how it ends."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from ductile.model.job import JobStatus
from tests.support.client import Answer, get, post, signed
from tests.support.line import SECRET, STEPS, Line, settled
from tests.support.process import GatewayProcess, run

STOPPING: Final = "gateway stopping"
#: The others are emitted by jobs.
ACCEPTED: Final = "SELECT count(*) FROM event WHERE job_id IS NULL"
BODY: Final = b'{"channel_id": "C1"}'


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Line:
    """The site of the gateway that is only asked."""
    line = Line(tmp_path_factory.mktemp("serve"))
    line.endpoint("thankful", event="line.begun", respond={"status": 201, "body": "thanks"})
    line.endpoint("direct", plugin="first")
    line.endpoint("small", event="line.begun", max_body="16B")
    return line


@pytest.fixture(scope="module")
def process(busy: Line) -> Iterator[GatewayProcess]:
    with busy.running() as process:
        yield process


def send(process: GatewayProcess, endpoint: str, body: bytes = BODY) -> Answer:
    return post(process.address, f"/webhooks/{endpoint}", body, signed(SECRET, body))


# --- what it says ----------------------------------------------------------------------------


def test_it_says_what_it_loaded_and_from_where(process: GatewayProcess, busy: Line) -> None:
    process.wait_for(f"^loaded 2 pipelines and 6 plugins from {busy.site.root / 'config'}$")


def test_it_says_where_each_endpoint_is(process: GatewayProcess) -> None:
    host, port = process.address
    process.wait_for(f"^POST http://{host}:{port}/webhooks/thankful$")


def test_it_logs_one_line_when_a_job_starts_and_one_when_it_settles(
    process: GatewayProcess, busy: Line
) -> None:
    event_id = busy.send(process)
    settled(process, event_id)
    job = busy.chain(event_id).job("third")
    assert process.count(f"job started.* job={job.id} plugin=third .* attempt=1/20") == 1
    assert process.count(f"job settled.* job={job.id} plugin=third .* outcome=succeeded") == 1


def test_it_logs_no_payload_and_no_secret(process: GatewayProcess, busy: Line) -> None:
    settled(process, busy.send(process))
    assert process.count(f"C1|{SECRET}") == 0


# --- what it answers -------------------------------------------------------------------------


def test_it_says_that_it_is_well(process: GatewayProcess) -> None:
    answer = get(process.address, "/healthz")
    assert (answer.status, answer.json["status"]) == (200, "ok")


def test_an_accepted_event_is_answered_with_its_ids(process: GatewayProcess, busy: Line) -> None:
    answer = send(process, "line")
    records = busy.chain(answer.json["event_id"]).records
    assert answer.status == 202
    assert answer.json["job_ids"] == [records.jobs[0].id]
    assert answer.json["run_ids"] == [records.runs[0].id]


def test_the_ids_are_in_the_headers_too(process: GatewayProcess) -> None:
    answer = send(process, "line")
    headers = [answer.headers[f"x-ductile-{name}"] for name in ("event-id", "job-ids", "run-ids")]
    ids = answer.json
    assert headers == [ids["event_id"], ",".join(ids["job_ids"]), ",".join(ids["run_ids"])]


def test_a_sender_that_insists_on_an_answer_gets_it(process: GatewayProcess) -> None:
    answer = send(process, "thankful")
    assert (answer.status, answer.body) == (201, b"thanks")
    assert answer.headers["x-ductile-event-id"]


def test_an_endpoint_can_start_with_a_plugin_instead_of_an_event_type(
    process: GatewayProcess, busy: Line
) -> None:
    answer = send(process, "direct")
    process.wait_for(f"job settled.* chain={answer.json['event_id']}")
    [job] = busy.chain(answer.json["event_id"]).jobs
    assert (job.plugin, job.run_id, job.status) == ("first", None, JobStatus.SUCCEEDED)


@pytest.mark.parametrize(
    ("endpoint", "body", "secret", "status"),
    [
        ("line", BODY, "guessed", 401),
        ("line", b"no JSON", SECRET, 400),
        ("small", BODY, SECRET, 413),
        ("nowhere", BODY, SECRET, 404),
    ],
)
def test_what_is_not_accepted_is_answered_with_the_reason_and_leaves_nothing(
    process: GatewayProcess, busy: Line, endpoint: str, body: bytes, secret: str, status: int
) -> None:
    before = busy.rows(ACCEPTED)
    answer = post(process.address, f"/webhooks/{endpoint}", body, signed(secret, body))
    assert (answer.status, list(answer.json)) == (status, ["error"])
    assert busy.rows(ACCEPTED) == before


# --- how it ends -----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_plugin_may_finish_within_the_grace_time(line: Line, number: signal.Signals) -> None:
    gate = line.gate("third")
    with line.running() as process:
        event_id = line.send(process)
        gate.reached()
        process.send_signal(number)
        process.wait_for(STOPPING)
        gate.let_through()
        ended = process.ended()
    jobs = line.chain(event_id).jobs
    assert ended.code == 0
    # The fourth is not begun any more, but it is on the list.
    assert [(job.plugin, job.status) for job in jobs[2:]] == [
        ("third", JobStatus.SUCCEEDED),
        ("fourth", JobStatus.QUEUED),
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_a_stop_cuts_off_is_finished_later_without_using_up_an_attempt(
    line: Line, number: signal.Signals
) -> None:
    line.site.config["service"] = {"shutdown_grace": "50ms"}
    line.site.config["plugins"]["third"]["retry"] = {"max_attempts": 1}
    gate = line.gate("third")
    with line.running() as process:
        event_id = line.send(process)
        gate.reached()
        ended = process.stop(number)
    given_back = line.chain(event_id).job("third")
    with line.running() as process:
        gate.reached()
        gate.let_through()
        settled(process, event_id)
    chain = line.chain(event_id)
    third = chain.job("third")
    attempts = [each.status for each in chain.records.attempts if each.job_id == third.id]
    assert ended.code == 0
    assert (given_back.status, given_back.tries) == (JobStatus.QUEUED, 0)
    assert attempts == ["interrupted", "succeeded"]
    assert [(job.plugin, job.status) for job in chain.jobs] == [
        (name, JobStatus.SUCCEEDED) for name in STEPS
    ]


def test_a_second_signal_ends_it_at_once(line: Line) -> None:
    gate = line.gate("third")
    with line.running() as process:
        line.send(process)
        gate.reached()
        process.send_signal(signal.SIGTERM)
        process.wait_for("a second signal stops at once")
        ended = process.stop(signal.SIGTERM)
    assert ended.code == -signal.SIGTERM


def test_an_event_that_was_answered_is_there_after_a_kill(line: Line) -> None:
    with line.running() as process:
        answer = line.post(process)
        process.kill()
    [(event_id, payload)] = line.rows("SELECT id, payload FROM event")
    assert (answer.status, answer.json["event_id"]) == (202, event_id)
    assert json.loads(payload)["channel_id"] == "C1"


# --- when it cannot start --------------------------------------------------------------------


def test_a_second_gateway_on_the_same_database_is_refused_with_the_process_of_the_first(
    process: GatewayProcess, busy: Line
) -> None:
    second = run("--config", str(busy.site.root / "config"), "serve")
    assert second.code == 1
    assert f"served by another gateway, process {process.pid}" in second.errors


def test_a_port_in_use_is_a_matter_of_configuration(process: GatewayProcess, line: Line) -> None:
    host, port = process.address
    line.site.config["http"] = {"listen": f"{host}:{port}"}
    second = run("--config", str(line.site.write()), "serve")
    assert second.code == 3
    assert f'cannot listen on "{host}:{port}": the port is in use' in second.errors


def test_a_gateway_that_finds_its_port_in_use_begins_nothing(
    process: GatewayProcess, line: Line
) -> None:
    with line.running() as first:
        event_id = line.send(first, "block")
        line.blocker.reached()
        first.kill()
    host, port = process.address
    line.site.config["http"] = {"listen": f"{host}:{port}"}
    run("--config", str(line.site.write()), "serve")
    # Taken back from the one that was killed, and left alone.
    [job] = line.chain(event_id).jobs
    assert (job.status, job.attempt) == (JobStatus.QUEUED, 1)
