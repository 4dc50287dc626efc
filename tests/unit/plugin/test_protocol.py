"""The request that a plugin reads, and the meaning of its end."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ductile.errors import PluginError
from ductile.model.context import Context
from ductile.model.event import Event
from ductile.model.ids import ChainId, ContextId, EventId, JobId, PipelineHash, RunId
from ductile.model.job import Job
from ductile.model.json import Json, JsonObject, decode
from ductile.model.outcome import Failed, Interrupted, LogLine, Response, Succeeded, TimedOut
from ductile.model.run import Run
from ductile.plugin.interfaces import Ended, Ending
from ductile.plugin.protocol import Reading, build_request, interpret

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
OK = b'{"status":"ok"}'


def a_request(
    *,
    command: str = "handle",
    run: bool = True,
    dedupe_key: str | None = None,
    config: JsonObject | None = None,
) -> bytes:
    job = Job(
        id=JobId("job"),
        chain_id=ChainId("chain"),
        plugin="fetch",
        command=command,
        event_context_id=ContextId("context"),
        source_event_id=EventId("event"),
        submitted_by="test",
        created_at=NOON,
        max_attempts=4,
        step_id="get",
        attempt=2,
    )
    return build_request(
        job=job,
        event=Event(
            EventId("event"), "a.b", {"own": 1}, "cli", NOON, ChainId("chain"), None, dedupe_key
        ),
        payload={"own": 1, "channel": "c"},
        context=Context(ContextId("context"), None, 3, {"channel": "c"}, NOON),
        run=Run(
            RunId("run"), ChainId("chain"), "news", PipelineHash("blake3:0"), EventId("e"), 1, NOON
        )
        if run
        else None,
        config={"token": "t"} if config is None else config,
        state={"cursor": 7},
        workspace_dir=Path("/ws/job.2"),
        deadline=NOON + timedelta(minutes=2),
    )


def read(request: bytes) -> dict[str, Json]:
    value: dict[str, Json] = decode(request)
    return value


def an_end(
    stdout: bytes = b"",
    *,
    ending: Ending = Ending.EXITED,
    exit_code: int = 0,
    stderr: bytes = b"",
) -> Ended:
    return Ended(ending, exit_code, stdout, stderr, NOON, NOON + timedelta(seconds=30))


def test_a_request_to_handle_holds_the_event_and_what_the_plugin_is_to_see_of_it() -> None:
    assert read(a_request()) == {
        "protocol": 2,
        "job_id": "job",
        "attempt": 2,
        "command": "handle",
        "config": {"token": "t"},
        "state": {"cursor": 7},
        "context": {"channel": "c"},
        "workspace_dir": "/ws/job.2",
        "deadline_at": "2026-01-02T12:02:00.000000Z",
        "event": {
            "id": "event",
            "event_id": "event",
            "type": "a.b",
            "payload": {"own": 1, "channel": "c"},
            "source": "cli",
            "timestamp": "2026-01-02T12:00:00.000000Z",
        },
        "run": {"id": "run", "pipeline": "news", "step": "get", "hop": 3},
    }


def test_a_request_for_another_command_holds_a_payload_and_no_event() -> None:
    request = read(a_request(command="poll"))

    assert request["payload"] == {"own": 1, "channel": "c"}
    assert "event" not in request


def test_a_job_outside_any_pipeline_has_no_run_in_its_request() -> None:
    assert "run" not in read(a_request(run=False))


def test_a_dedupe_key_is_handed_on_when_there_is_one() -> None:
    assert read(a_request(dedupe_key="k"))["event"]["dedupe_key"] == "k"


def test_a_request_is_one_line() -> None:
    request = a_request()

    assert request.endswith(b"}\n")
    assert request.count(b"\n") == 1


@pytest.mark.parametrize("value", [2**70, "\udc80"], ids=["huge number", "lone surrogate"])
def test_a_value_that_json_cannot_carry_is_explained(value: Any) -> None:
    with pytest.raises(PluginError, match='the request to plugin "fetch" cannot be written'):
        a_request(config={"n": value})


def test_an_answer_that_is_ok_succeeds() -> None:
    stdout = b'{"status":"ok","result":"done","logs":[{"level":"info","message":"m"}]}'

    reading = interpret("fetch", an_end(stdout, stderr=b"noise\n\xff"))

    assert reading == Reading(
        Succeeded(Response("done")), "done", (LogLine("info", "m"),), "noise\n�"
    )


def test_an_answer_that_is_an_error_fails_with_its_words() -> None:
    stdout = b'{"status":"error","error":"gone","result":"half","retry":false}'

    assert interpret("fetch", an_end(stdout)) == Reading(Failed("gone", retry=False), "half")


def test_an_error_counts_the_same_with_an_exit_code() -> None:
    ended = an_end(b'{"status":"error","error":"gone"}', exit_code=1)

    assert interpret("fetch", ended).outcome == Failed("gone", retry=True)


def test_an_ok_with_an_exit_code_is_a_failure() -> None:
    ended = an_end(OK, exit_code=3, stderr=b"first\nlast\n\n")

    assert interpret("fetch", ended).outcome == Failed(
        'plugin "fetch" answered "ok" but exited with code 3; one of the two is wrong; the last '
        "line on stderr: last"
    )


def test_an_exit_code_without_an_answer_is_a_failure() -> None:
    ended = an_end(b"Traceback", exit_code=1, stderr=b"KeyError: 'token'\n")

    assert interpret("fetch", ended).outcome == Failed(
        "plugin \"fetch\" exited with code 1; the last line on stderr: KeyError: 'token'"
    )


@pytest.mark.parametrize("stdout", [b"", OK, b'{"status":"error","error":"no token"}'])
def test_exit_code_78_is_not_tried_again(stdout: bytes) -> None:
    outcome = interpret("fetch", an_end(stdout, exit_code=78)).outcome

    assert isinstance(outcome, Failed)
    assert not outcome.retry


@pytest.mark.parametrize("stdout", [b"", OK, b'{"status":"error","error":"gone"}'])
def test_a_signal_is_named(stdout: bytes) -> None:
    ended = an_end(stdout, exit_code=-signal.SIGSEGV)

    assert interpret("fetch", ended).outcome == Failed('plugin "fetch" was ended by SIGSEGV')


def test_a_signal_without_a_name_has_its_number() -> None:
    ended = an_end(exit_code=-40)

    assert interpret("fetch", ended).outcome == Failed('plugin "fetch" was ended by signal 40')


def test_a_broken_answer_is_a_failure_with_the_reason() -> None:
    ended = an_end(b"", stderr=b"command not found\n")

    assert interpret("fetch", ended).outcome == Failed(
        'plugin "fetch" broke the protocol: expected one JSON object on stdout, found nothing; '
        "print the answer before the end; the last line on stderr: command not found"
    )


def test_a_long_last_line_is_cut() -> None:
    outcome = interpret("fetch", an_end(exit_code=1, stderr=b"x" * 1000)).outcome

    assert isinstance(outcome, Failed)
    assert outcome.error.endswith(f": {'x' * 300}…")


def test_a_flood_fails_and_names_the_limit() -> None:
    ended = an_end(b"y" * 1024, ending=Ending.FLOODED, exit_code=-15)

    assert interpret("fetch", ended).outcome == Failed(
        'plugin "fetch" wrote more than 1KiB to stdout; write large results to files, or raise '
        "plugins.fetch.max_stdout"
    )


def test_running_out_of_time_is_an_outcome_of_its_own_whatever_was_answered() -> None:
    ended = an_end(OK, ending=Ending.TIMED_OUT)

    assert interpret("fetch", ended).outcome == TimedOut(
        'plugin "fetch" did not end in time and was stopped after 30.0 s; make it quicker, or '
        "give it longer under plugins.fetch.timeouts"
    )


def test_being_stopped_by_a_shutdown_is_an_interruption() -> None:
    ended = an_end(OK, ending=Ending.STOPPED)

    assert interpret("fetch", ended).outcome == Interrupted(
        'plugin "fetch" was stopped after 30.0 s because of a shutdown'
    )
