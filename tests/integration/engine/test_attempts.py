"""What single attempts come to, with plugins that behave and plugins that do not."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ductile.model.job import JobStatus
from ductile.model.outcome import LogLine
from ductile.telemetry.signals import FileTainted, JobSettled, JobStarted
from tests.support.clock import START, FakeClock
from tests.support.scripts import KEEP_REQUEST, OK, answer, fails, updates
from tests.support.site import Chain, Site

PLUGINS = Path(__file__).parent.parent.parent / "plugins"
AT_ONCE = {"backoff_base": "1ms"}


def borrow(site: Site, name: str) -> None:
    """One of the plugins that every runner is tried with."""
    folder = site.root / "config" / "plugins" / name
    shutil.copytree(PLUGINS / name, folder)
    folder.chmod(0o755)


def alone(site: Site, plugin: str, **settings: Any) -> Chain:
    """The chain of one job of a plugin, when it has ended."""
    site.config.setdefault("plugins", {})[plugin] = {"retry": AT_ONCE, **settings}
    site.pipeline(f"- {{name: p, on: go, steps: [{{uses: {plugin}}}]}}")
    with site.running() as running:
        return running.finish("go", {"n": 1})


def outcomes(chain: Chain) -> list[str]:
    return [attempt.status for attempt in chain.records.attempts]


# Endings


def test_a_success_is_recorded_with_all_its_evidence(site: Site) -> None:
    log = [{"level": "info", "message": "working"}]
    site.plugin("good", f"echo chatter >&2\n{answer(result='done', logs=log)}")
    chain = alone(site, "good")
    [attempt] = chain.records.attempts
    assert (attempt.status, attempt.exit_code, attempt.error) == ("succeeded", 0, None)
    assert (attempt.result, attempt.stderr) == ("done", "chatter\n")
    assert attempt.logs == (LogLine("info", "working"),)
    assert attempt.started_at <= attempt.completed_at
    [job] = chain.jobs
    assert (job.attempt, job.completed_at) == (1, attempt.completed_at)


def test_a_plugin_gets_the_request_of_protocol_2(site: Site) -> None:
    site.config["plugins"] = {"keep": {"config": {"base": "b"}}}
    site.plugin("keep", KEEP_REQUEST + answer())
    site.pipeline("- {name: p, on: go, steps: [{id: only, uses: keep}]}")
    with site.running() as running:
        chain = running.finish("go", {"n": 1})
        workspace = running.workspace(chain.jobs[0])
        request = json.loads((workspace / "request.json").read_text())
    [job], [event], [run] = chain.jobs, chain.records.events, chain.records.runs
    assert request["event"].items() >= {"id": event.id, "type": "go", "source": "test"}.items()
    assert request["event"]["event_id"] == event.id
    assert request["event"]["payload"]["n"] == 1
    assert request["run"] == {"id": run.id, "pipeline": "p", "step": "only", "hop": 0}
    assert (
        request.items()
        >= {
            "protocol": 2,
            "job_id": job.id,
            "attempt": 1,
            "command": "handle",
            "config": {"base": "b"},
            "state": {},
            "context": dict(chain.baggage_of(job)),
            "workspace_dir": str(workspace),
        }.items()
    )


def test_another_command_than_handle_gets_a_payload_and_no_event(site: Site) -> None:
    site.plugin("keep", KEEP_REQUEST + answer(), commands=[{"name": "poll", "type": "read"}])
    site.pipeline("- {name: p, on: go, steps: [{uses: keep.poll}]}")
    with site.running() as running:
        chain = running.finish("go", {"n": 1})
        request = json.loads((running.workspace(chain.jobs[0]) / "request.json").read_text())
    assert request["payload"]["n"] == 1
    assert "event" not in request


BAD = {
    "fail": ("failed", "it failed on purpose"),
    "two_objects": ("failed", "expected one JSON object on stdout, found more behind it"),
    "flood_stdout": ("failed", "wrote more than 10MiB to stdout"),
    "crash": ("failed", "was ended by SIGSEGV"),
}


@pytest.mark.parametrize("plugin", BAD)
def test_a_bad_plugin_is_tried_again_and_then_fails(site: Site, plugin: str) -> None:
    borrow(site, plugin)
    status, error = BAD[plugin]
    chain = alone(site, plugin, retry={**AT_ONCE, "max_attempts": 2})
    [job] = chain.jobs
    assert outcomes(chain) == [status, status]
    assert (job.status, job.attempt) == (JobStatus.FAILED, 2)
    assert error in str(job.last_error)


@pytest.mark.parametrize(
    "plugin", ["no_input", "sink", "flood_stderr", "grandchild", "write_first"]
)
def test_an_odd_plugin_that_answers_well_succeeds(site: Site, plugin: str) -> None:
    borrow(site, plugin)
    chain = alone(site, plugin)
    assert outcomes(chain) == ["succeeded"]


def test_the_first_64_kib_of_stderr_are_kept(site: Site) -> None:
    borrow(site, "flood_stderr")
    [attempt] = alone(site, "flood_stderr").records.attempts
    assert attempt.stderr == "e\n" * (32 * 1024)


NOT_AGAIN = {
    "exit 78": "echo no token >&2\nexit 78",
    "retry false": fails("hopeless", retry=False),
    "an error and exit 78": f"{fails('hopeless')}exit 78",
}


@pytest.mark.parametrize("script", NOT_AGAIN.values(), ids=NOT_AGAIN)
def test_what_would_not_help_is_not_tried_again(site: Site, script: str) -> None:
    site.plugin("bad", script)
    chain = alone(site, "bad")
    assert (chain.jobs[0].status, chain.jobs[0].attempt) == (JobStatus.FAILED, 1)


def test_a_plugin_that_hangs_is_timed_out_and_tried_again(site: Site) -> None:
    borrow(site, "hang")
    chain = alone(site, "hang", timeouts={"handle": "50ms"}, retry={**AT_ONCE, "max_attempts": 2})
    assert outcomes(chain) == ["timed_out", "timed_out"]
    [job] = chain.jobs
    assert job.status is JobStatus.TIMED_OUT
    assert "plugins.hang.timeouts" in str(job.last_error)
    assert [attempt.exit_code for attempt in chain.records.attempts] == [-15, -15]


def test_a_run_whose_step_timed_out_says_so(site: Site) -> None:
    borrow(site, "hang")
    chain = alone(site, "hang", timeouts={"handle": "50ms"}, retry={**AT_ONCE, "max_attempts": 1})
    [run] = chain.records.runs
    assert str(run.reason).startswith('step "hang" failed: ')


# Trying again


def is_attempt(attempt: str, settled: JobSettled) -> bool:
    return settled.plugin == "bad" and settled.attempt == attempt


def test_a_failed_job_waits_for_its_next_attempt_in_the_queue(site: Site) -> None:
    clock = FakeClock()
    site.plugin("bad", fails("no luck"))
    site.pipeline("- {name: p, on: go, steps: [{uses: bad}]}")
    with site.running(clock=clock) as running:
        event_id = running.send("go").event_id
        settled = running.signals.wait_for(JobSettled)
        [job] = running.chain(event_id).jobs
    assert (job.status, job.attempt, job.last_error) == (JobStatus.QUEUED, 1, "no luck")
    assert job.next_retry_at == settled.next_try
    assert job.next_retry_at is not None
    waits = job.next_retry_at - START
    assert timedelta(seconds=30) <= waits < timedelta(seconds=37.5)


def test_the_wait_doubles_until_the_last_attempt(site: Site) -> None:
    clock = FakeClock()
    site.plugin("bad", fails())
    site.plugin("nudge", OK)
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: bad}]}
        - {name: wake-up, on: nudge, steps: [{uses: nudge}]}
        """
    )
    waits = []
    with site.running(clock=clock) as running:
        event_id = running.send("go").event_id
        for attempt in ("1/4", "2/4", "3/4", "4/4"):
            settled = running.signals.wait_for(JobSettled, partial(is_attempt, attempt))
            if settled.next_try is not None:
                waits.append((settled.next_try - clock.now()).total_seconds())
                clock.advance(settled.next_try - clock.now())
                running.send("nudge")
        [job] = running.ended(event_id).jobs
    assert (job.status, job.attempt, job.next_retry_at) == (JobStatus.FAILED, 4, None)
    for base, wait in zip((30, 60, 120), waits, strict=True):
        assert base <= wait < base * 1.25


def test_every_attempt_has_a_row_of_its_own_in_the_log(site: Site) -> None:
    site.plugin("bad", f"echo attempt >&2\n{fails('no luck')}")
    chain = alone(site, "bad")
    assert [(row.attempt, row.status, row.error, row.stderr) for row in chain.records.attempts] == [
        (n, "failed", "no luck", "attempt\n") for n in (1, 2, 3, 4)
    ]


# What step and settings decide


def test_a_step_overrides_timeout_and_retry_of_its_plugin(site: Site) -> None:
    borrow(site, "hang")
    site.config["plugins"] = {"hang": {"timeouts": {"handle": "1h"}}}
    site.pipeline(
        """
        - name: p
          on: go
          steps:
            - {uses: hang, timeout: 50ms, retry: {max_attempts: 2, backoff_base: 1ms}}
        """
    )
    with site.running() as running:
        chain = running.finish("go")
    assert outcomes(chain) == ["timed_out", "timed_out"]


def test_output_beyond_the_plugins_own_limit_fails_the_job(site: Site) -> None:
    site.plugin("chatty", "head -c 3000 /dev/zero | tr '\\0' ' '\n" + answer())
    chain = alone(site, "chatty", max_stdout="2KiB", retry={"max_attempts": 1})
    assert "plugins.chatty.max_stdout" in str(chain.jobs[0].last_error)


def test_the_environment_is_the_minimal_one_and_what_the_settings_list(site: Site) -> None:
    site.environment |= {
        "HOME": "/home/somebody",
        "TZ": "UTC",
        "LISTED": "yes",
        "UNLISTED": "no",
        "LD_PRELOAD": "",
    }
    site.plugin("look", "tr '\\0' '\\n' </proc/$$/environ >environment\n" + answer())
    site.config["plugins"] = {"look": {"env": ["LISTED", "ABSENT"]}}
    site.pipeline("- {name: p, on: go, steps: [{uses: look}]}")
    with site.running() as running:
        chain = running.finish("go")
        [job] = chain.jobs
        lines = (running.workspace(job) / "environment").read_text().splitlines()
    assert dict(line.split("=", 1) for line in lines) == {
        "PATH": "/usr/bin:/bin",
        "HOME": "/home/somebody",
        "TZ": "UTC",
        "LISTED": "yes",
        "DUCTILE_JOB_ID": job.id,
    }


def test_the_working_directory_is_the_workspace(site: Site) -> None:
    site.plugin("look", "pwd -P >here\n" + answer())
    site.pipeline("- {name: p, on: go, steps: [{uses: look}]}")
    with site.running() as running:
        workspace = running.workspace(running.finish("go").jobs[0])
        assert (workspace / "here").read_text().strip() == str(workspace.resolve())


def test_a_plugin_that_vanished_after_loading_fails_its_job_alone(site: Site) -> None:
    program = site.plugin("gone", OK)
    site.plugin("end", OK)
    site.config["plugins"] = {"gone": {"retry": {"max_attempts": 1}}}
    site.pipeline("- {name: p, on: go, steps: [{split: [{uses: gone}, {uses: end}]}]}")
    with site.running() as running:
        program.unlink()
        chain = running.finish("go")
    assert chain.job("end").status is JobStatus.SUCCEEDED
    assert chain.job("gone").status is JobStatus.FAILED
    assert "the file is gone; put it back" in str(chain.job("gone").last_error)


@pytest.mark.parametrize("change", ["disabled", "removed"])
def test_a_job_whose_plugin_is_not_to_be_run_any_more_fails_with_a_remedy(
    site: Site, change: str
) -> None:
    site.config["plugins"] = {"bad": {"retry": {**AT_ONCE, "max_attempts": 3}}}
    site.plugin("bad", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: bad}]}")
    with site.running(start=False) as running:
        event_id = running.send("go").event_id
    site.pipeline("- {name: other, on: other, steps: [{uses: end}]}")
    site.plugin("end", OK)
    if change == "disabled":
        site.config["plugins"]["bad"]["enabled"] = False
    else:
        site.config["plugins"] = {}
        shutil.rmtree(site.root / "config" / "plugins" / "bad")
    expected = {"disabled": "plugins.bad.enabled", "removed": "put it back"}[change]
    with site.running() as running:
        settled = running.signals.wait_for(JobSettled)
        assert running.chain(event_id).jobs[0].attempt >= 1
    assert expected in str(settled.error)


# Files


def test_an_edit_in_place_fails_the_job_at_once_and_marks_the_artifact(site: Site) -> None:
    borrow(site, "edit_in_place")
    site.plugin("make", f"echo original >file\n{OK}")
    site.config["plugins"] = {"edit_in_place": {"retry": AT_ONCE}}
    site.pipeline("- {name: p, on: go, steps: [{uses: make}, {uses: edit_in_place}]}")
    with site.running() as running:
        chain = running.finish("go")
        told = running.signals.wait_for(FileTainted)
    make, edit = chain.jobs
    assert (edit.status, edit.attempt) == (JobStatus.FAILED, 1)
    assert '"file"' in str(edit.last_error)
    assert "write a new file and rename it over" in str(edit.last_error)
    assert '"workspace: copy"' in str(edit.last_error)
    [artifact] = chain.records.artifacts[make.id]
    assert (artifact.path, artifact.tainted_by) == ("file", edit.id)
    assert (told.job, told.path) == (edit.id, "file")


def test_a_failed_attempt_that_edited_in_place_is_not_tried_again_either(site: Site) -> None:
    site.plugin("make", f"echo original >file\n{OK}")
    site.plugin("edit", f"chmod u+w file; echo more >>file\n{fails('its own reason')}")
    site.config["plugins"] = {"edit": {"retry": AT_ONCE}}
    site.pipeline("- {name: p, on: go, steps: [{uses: make}, {uses: edit}]}")
    with site.running() as running:
        chain = running.finish("go")
    assert (chain.job("edit").status, chain.job("edit").attempt) == (JobStatus.FAILED, 1)
    assert "in place" in str(chain.job("edit").last_error)


def test_a_plugin_that_hung_and_edited_in_place_is_caught(site: Site) -> None:
    site.plugin("make", f"echo original >file\n{OK}")
    site.plugin("edit", "chmod u+w file; echo more >>file\nexec sleep infinity")
    site.config["plugins"] = {"edit": {"retry": AT_ONCE, "timeouts": {"handle": "500ms"}}}
    site.pipeline("- {name: p, on: go, steps: [{uses: make}, {uses: edit}]}")
    with site.running() as running:
        chain = running.finish("go")
    assert (chain.job("edit").status, chain.job("edit").attempt) == (JobStatus.FAILED, 1)
    [artifact] = chain.records.artifacts[chain.job("make").id]
    assert artifact.tainted_by == chain.job("edit").id


def test_one_line_is_told_when_a_job_starts_and_one_when_it_settles(site: Site) -> None:
    site.plugin("good", updates(a=1))
    site.pipeline("- {name: p, on: go, steps: [{id: s, uses: good}]}")
    with site.running() as running:
        job = running.finish("go").jobs[0]
        [started] = running.signals.of(JobStarted)
        [settled] = running.signals.of(JobSettled)
    assert (started.job, started.plugin, started.step, started.attempt) == (
        job.id,
        "good",
        "s",
        "1/4",
    )
    assert (settled.job, settled.outcome, settled.attempt) == (job.id, "succeeded", "1/4")
