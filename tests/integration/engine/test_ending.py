"""Runs that are ended before their time: cancelled, or too slow."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ductile.errors import NotFound, UsageError
from ductile.model.ids import EventId, RunId, new_id
from ductile.model.job import JobStatus
from ductile.model.run import RunStatus
from tests.integration.engine.gate import Gate
from tests.support.clock import FakeClock
from tests.support.scripts import OK, emits
from tests.support.site import Running, Site

CHAIN = """
- name: p
  on: go
  steps: [{uses: waits}, {id: after, uses: end}]
"""
WITH_FINALLY = f"{CHAIN}  finally: [{{id: tidy, uses: end}}]\n"


def begun(site: Site, gate: Gate, running: Running) -> tuple[RunId, EventId]:
    """A run whose first step waits at the gate."""
    accepted = running.send("go")
    gate.arrival()
    return accepted.run_ids[0], accepted.event_id


@pytest.fixture
def waiting(site: Site, gate: Gate) -> Site:
    site.plugin("waits", gate.wait + OK)
    site.plugin("end", OK)
    site.environment["GATE"] = "1"
    return site


def test_a_running_plugin_is_stopped_and_nothing_follows(waiting: Site, gate: Gate) -> None:
    waiting.pipeline(CHAIN)
    with waiting.running() as running:
        run_id, event_id = begun(waiting, gate, running)
        running.gateway.ender.cancel(run_id)
        chain = running.ended(event_id)
    [job] = chain.jobs
    [run] = chain.records.runs
    assert (job.status, run.status, run.reason) == (
        JobStatus.CANCELLED,
        RunStatus.CANCELLED,
        "cancelled",
    )
    [attempt] = chain.records.attempts
    assert attempt.error == "the run was ended: cancelled"


def test_what_waits_for_its_next_attempt_is_cancelled_at_once(site: Site) -> None:
    site.plugin("fails", 'echo \'{"status": "error", "error": "not today"}\'')
    site.pipeline("- {name: p, on: go, steps: [{uses: fails}]}")
    with site.running() as running:
        accepted = running.send("go")
        running.signals.wait_until(
            lambda: running.chain(accepted.event_id).jobs[0].next_retry_at is not None
        )
        run = running.gateway.ender.cancel(accepted.run_ids[0])
        [job] = running.chain(accepted.event_id).jobs
    assert (job.status, run.status) == (JobStatus.CANCELLED, RunStatus.CANCELLED)


def test_what_finally_says_is_done_after_a_cancel(waiting: Site, gate: Gate) -> None:
    waiting.pipeline(WITH_FINALLY)
    with waiting.running() as running:
        run_id, event_id = begun(waiting, gate, running)
        running.gateway.ender.cancel(run_id)
        chain = running.ended(event_id)
    assert [(job.step_id, job.status) for job in chain.jobs] == [
        ("waits", JobStatus.CANCELLED),
        ("tidy", JobStatus.SUCCEEDED),
    ]
    assert chain.records.runs[0].status is RunStatus.CANCELLED


def test_a_run_that_takes_longer_than_its_timeout_is_timed_out(waiting: Site, gate: Gate) -> None:
    waiting.pipeline(CHAIN.replace("on: go", "on: go\n  timeout: 10m"))
    clock = FakeClock()
    with waiting.running(clock=clock) as running:
        _, event_id = begun(waiting, gate, running)
        clock.advance(timedelta(minutes=10))
        running.gateway.ender.run_once()
        chain = running.ended(event_id)
    [run] = chain.records.runs
    assert run.status is RunStatus.TIMED_OUT
    assert run.reason == "not finished within 10m, the timeout of the pipeline"


def test_the_runs_that_a_cancelled_one_has_started_go_on(site: Site, gate: Gate) -> None:
    site.plugin("starts", emits(("more", {})))
    site.plugin("waits", gate.wait + OK)
    site.plugin("end", OK)
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: starts}, {uses: waits}]}
        - {name: q, on: more, steps: [{uses: end}]}
        """
    )
    with site.running() as running:
        run_id, event_id = begun(site, gate, running)
        running.gateway.ender.cancel(run_id)
        chain = running.ended(event_id)
    assert {run.pipeline_name: run.status for run in chain.records.runs} == {
        "p": RunStatus.CANCELLED,
        "q": RunStatus.SUCCEEDED,
    }


def test_cancelling_twice_changes_nothing_and_what_is_over_cannot_be_cancelled(
    waiting: Site, gate: Gate
) -> None:
    waiting.pipeline(WITH_FINALLY)
    with waiting.running() as running:
        run_id, event_id = begun(waiting, gate, running)
        running.gateway.ender.cancel(run_id)
        running.ended(event_id)
        with pytest.raises(UsageError, match="is over: it ended as cancelled"):
            running.gateway.ender.cancel(run_id)


def test_a_run_that_there_is_none_of_cannot_be_cancelled(site: Site) -> None:
    with site.running() as running, pytest.raises(NotFound, match="ductile run list"):
        running.gateway.ender.cancel(RunId(new_id()))


def test_a_run_that_was_being_cancelled_ends_so_after_a_restart(waiting: Site, gate: Gate) -> None:
    waiting.pipeline(CHAIN)
    waiting.config["service"] = {"shutdown_grace": "1ms"}
    with waiting.running() as running:
        run_id, event_id = begun(waiting, gate, running)
        running.gateway.store.write(
            lambda tx: tx.runs.end(run_id, RunStatus.CANCELLED, reason="cancelled")
        )
    with waiting.running() as running:
        chain = running.chain(event_id)
    assert chain.records.runs[0].status is RunStatus.CANCELLED
