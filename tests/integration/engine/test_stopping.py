"""How the engine starts and stops, and what a stop leaves for the next start."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from ductile.dispatch.interfaces import Trigger
from ductile.errors import ConfigurationError, DatabaseLocked, StorageError
from ductile.gateway.gateway import Gateway
from ductile.model.job import JobStatus
from ductile.telemetry.signals import (
    GatewayStarted,
    GatewayStopped,
    GatewayStopping,
    JobSettled,
)
from tests.integration.engine.gate import Gate
from tests.integration.engine.test_attempts import AT_ONCE, borrow
from tests.support.scripts import OK, answer
from tests.support.signals import PATIENCE
from tests.support.site import Running, Site


@contextmanager
def stopping(running: Running) -> Iterator[None]:
    """The gateway stops meanwhile, and has stopped at the end."""
    ending = threading.Thread(target=running.gateway.stop)
    ending.start()
    running.signals.wait_for(GatewayStopping)
    yield
    ending.join(PATIENCE)
    assert not ending.is_alive()


def gated(site: Site, gate: Gate, **service: str) -> None:
    """One gated step that may be tried once, and one after it."""
    site.config["service"] = service
    site.config["plugins"] = {"wait": {"retry": {"max_attempts": 1}}}
    site.plugin("wait", gate.wait + answer(state_updates={"waited": True}))
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: wait}, {uses: end}]}")


def free(site: Site) -> bool:
    """Whether nobody holds the database any more."""
    with site.running(start=False) as running:
        running.gateway.store.check()
    return True


def test_a_plugin_that_ends_within_the_grace_time_settles_and_nothing_new_is_claimed(
    site: Site, gate: Gate
) -> None:
    gated(site, gate, shutdown_grace="30s")
    with site.running() as running:
        event_id = running.send("go").event_id
        gate.arrival()
        with stopping(running):
            gate.let_through()
        assert running.signals.wait_for(JobSettled).outcome == "succeeded"
    with site.running(start=False) as running:
        chain = running.chain(event_id)
        assert [(job.status, job.attempt) for job in chain.jobs] == [
            (JobStatus.SUCCEEDED, 1),
            (JobStatus.QUEUED, 0),
        ]


def test_a_plugin_that_is_cut_off_is_given_back_and_the_attempt_does_not_count(
    site: Site, gate: Gate
) -> None:
    gated(site, gate, shutdown_grace="1ms")
    with site.running() as running:
        event_id = running.send("go").event_id
        gate.arrival()
    with site.running(start=False) as running:
        chain = running.chain(event_id)
        [job], [log] = chain.jobs, chain.records.attempts
    assert (job.status, job.next_retry_at) == (JobStatus.QUEUED, None)
    assert (job.attempt, job.interruptions, job.tries) == (1, 1, 0)
    assert (log.status, log.exit_code) == ("interrupted", -15)


def test_the_next_gateway_finishes_what_was_cut_off(site: Site, gate: Gate) -> None:
    gated(site, gate, shutdown_grace="1ms")
    with site.running() as running:
        event_id = running.send("go").event_id
        gate.arrival()
    with site.running() as running:
        gate.arrival()
        gate.let_through()
        chain = running.ended(event_id)
        assert running.workspace(chain.job("wait")).name.endswith(".2")
    assert [(job.status, job.tries) for job in chain.jobs] == [
        (JobStatus.SUCCEEDED, 1),
        (JobStatus.SUCCEEDED, 1),
    ]
    assert chain.baggage_of(chain.job("end"))["waited"] is True


def test_many_interruptions_never_use_a_job_up(site: Site, gate: Gate) -> None:
    gated(site, gate, shutdown_grace="1ms")
    with site.running(start=False) as running:
        event_id = running.send("go").event_id
    for _ in range(3):
        with site.running():
            gate.arrival()
    with site.running() as running:
        gate.let_through()
        chain = running.ended(event_id)
    wait = chain.job("wait")
    assert (wait.status, wait.attempt, wait.interruptions) == (JobStatus.SUCCEEDED, 4, 3)


def test_a_plugin_that_ignores_sigterm_is_killed_after_its_time_is_up(site: Site) -> None:
    borrow(site, "ignore_sigterm")
    site.config["plugins"] = {
        "ignore_sigterm": {"timeouts": {"handle": "200ms"}, "retry": {**AT_ONCE, "max_attempts": 1}}
    }
    site.pipeline("- {name: p, on: go, steps: [{uses: ignore_sigterm}]}")
    with site.running() as running:
        [log] = running.finish("go").records.attempts
    assert (log.status, log.exit_code) == ("timed_out", -9)


def test_what_was_accepted_before_the_start_is_worked_on_after_it(site: Site) -> None:
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: end}]}")
    with site.running(start=False) as running:
        event_id = running.send("go").event_id
        running.gateway.start()
        assert running.ended(event_id).jobs[0].status is JobStatus.SUCCEEDED


def test_stop_before_start_is_harmless(site: Site) -> None:
    with site.running(start=False, doors=True) as running:
        running.gateway.stop()
        assert running.signals.heard == [], "nothing was up, so nothing is said to go down"
    assert free(site)


def test_a_second_stop_changes_nothing(site: Site) -> None:
    with site.running() as running:
        running.gateway.stop()
        heard = list(running.signals.heard)
        running.gateway.stop()
        assert running.signals.heard == heard


def test_everybody_who_stops_it_at_the_same_time_waits_until_it_has_stopped(
    site: Site, gate: Gate
) -> None:
    gated(site, gate, shutdown_grace="30s")
    with site.running(doors=True) as running:
        running.send("go")
        gate.arrival()

        def stop() -> bool:
            running.gateway.stop()
            return bool(running.signals.of(GatewayStopped))

        with ThreadPoolExecutor(4) as threads:
            stops = [threads.submit(stop) for _ in range(4)]
            running.signals.wait_for(GatewayStopping)
            gate.let_through()
            assert all(each.result(PATIENCE) for each in stops)
        assert len(running.signals.of(GatewayStopping)) == 1


def test_no_thread_is_left_when_it_has_stopped(site: Site) -> None:
    before = set(threading.enumerate())
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: end}]}")
    with site.running(doors=True) as running:
        running.finish("go")
    assert set(threading.enumerate()) <= before


def test_a_start_that_fails_leaves_nothing_running_and_lets_go_of_the_database(site: Site) -> None:
    before = set(threading.enumerate())
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: end}]}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        site.config["http"] = {"listen": f"127.0.0.1:{port}"}
        gateway = Gateway(site.read())
        event_id = gateway.intake.accept(Trigger("go", {}, "test")).event_id
        with pytest.raises(ConfigurationError, match="in use"):
            gateway.start()
    assert set(threading.enumerate()) <= before
    del site.config["http"]
    with site.running(start=False) as running:
        [job] = running.chain(event_id).jobs
    assert (job.status, job.attempt) == (JobStatus.QUEUED, 0)


def test_a_second_gateway_on_the_same_data_is_refused(site: Site) -> None:
    with site.running(), pytest.raises(DatabaseLocked):
        Gateway(site.read())


def test_a_start_says_where_it_listens_and_what_it_loaded(site: Site) -> None:
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: end}]}")
    with site.running(doors=True) as running:
        started = running.signals.wait_for(GatewayStarted)
        host, port = running.gateway.address
    assert (started.listen, started.pipelines, started.plugins) == (f"{host}:{port}", 1, 1)


def test_nothing_is_let_in_after_the_stop(site: Site) -> None:
    with site.running() as running:
        running.gateway.stop()
        with pytest.raises(StorageError):
            running.send("go")


def test_a_stop_while_it_starts_leaves_nothing_running(site: Site) -> None:
    before = set(threading.enumerate())
    for _ in range(10):
        gateway = Gateway(site.read())
        begin = threading.Barrier(2)

        def start(gateway: Gateway = gateway, begin: threading.Barrier = begin) -> None:
            begin.wait(PATIENCE)
            # The one that came too late finds the database closed.
            with suppress(StorageError):
                gateway.start()

        starting = threading.Thread(target=start)
        starting.start()
        begin.wait(PATIENCE)
        gateway.stop()
        starting.join(PATIENCE)
        gateway.stop()
        assert set(threading.enumerate()) <= before
