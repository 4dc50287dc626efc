"""Who may settle a job, when several work on one database or one of them has died."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from ductile.errors import LeaseLost
from ductile.model.ids import WorkerId
from ductile.model.job import JobStatus
from ductile.plugin.stop import Stop
from ductile.telemetry.signals import AttemptDiscarded, JobRescued, JobSettled, PartFailed
from ductile.workspace.interfaces import WorkspaceKey
from tests.integration.engine.gate import Gate
from tests.integration.engine.parts import (
    DEAD,
    LEASE,
    Members,
    SlowAttempts,
    assignment,
    let_in,
    success,
    tables,
    two_pipelines,
)
from tests.support.builders import an_attempt, claimed
from tests.support.clock import FakeClock
from tests.support.scripts import OK, answer
from tests.support.signals import PATIENCE
from tests.support.site import Site

# Fencing


def test_an_attempt_whose_lease_ran_out_is_given_to_another_and_its_own_end_is_discarded(
    site: Site, members: Members, clock: FakeClock
) -> None:
    site.plugin("work", f"echo made >file\n{answer(state_updates={'late': False})}")
    two_pipelines(site)
    attempts = SlowAttempts()
    slow, other = members("slow", attempts=attempts), members("other")
    job = let_in(slow)
    slow.dispatcher.run_once()
    assert attempts.begun.wait(PATIENCE)
    clock.advance(LEASE + timedelta(seconds=1))
    assert other.rescuer.run_once() == 1
    clock.advance(timedelta(seconds=1))
    assert other.dispatcher.run_once() == 1
    other.signals.wait_for(JobSettled, lambda each: each.plugin == "end")
    before = tables(site)
    attempts.may_end.set()
    slow.signals.wait_for(AttemptDiscarded, lambda each: (each.job, each.attempt) == (job.id, 1))
    assert tables(site) == before
    assert [row[2] for row in before["job_log"]] == ["crashed", "succeeded", "succeeded"]


def test_a_settle_with_a_lost_claim_writes_nothing_at_all(
    site: Site, members: Members, clock: FakeClock
) -> None:
    site.plugin("work", OK)
    two_pipelines(site)
    slow, other = members("slow"), members("other")
    let_in(slow)
    lost = assignment(slow)
    clock.advance(LEASE + timedelta(seconds=1))
    other.rescuer.run_once()
    before = tables(site)
    with pytest.raises(LeaseLost):
        slow.settler.apply(lost, an_attempt(success()))
    assert tables(site) == before


def test_a_second_settle_of_the_same_attempt_writes_nothing_at_all(
    site: Site, members: Members
) -> None:
    site.plugin("work", OK)
    two_pipelines(site)
    one = members("one")
    let_in(one)
    own = assignment(one)
    one.settler.apply(own, an_attempt(success()))
    before = tables(site)
    with pytest.raises(LeaseLost):
        one.settler.apply(own, an_attempt(success()))
    assert tables(site) == before


def test_a_renewed_lease_is_left_alone(
    site: Site, members: Members, clock: FakeClock, gate: Gate
) -> None:
    site.plugin("work", gate.wait + answer())
    two_pipelines(site)
    slow, other = members("slow"), members("other")
    job = let_in(slow)
    slow.dispatcher.run_once()
    gate.arrival()
    for _ in range(3):
        clock.advance(LEASE / 2)
        assert slow.dispatcher.renew() == 1
        assert other.rescuer.run_once() == 0
    gate.let_through()
    slow.signals.wait_for(JobSettled)
    assert (slow.job(job).status, slow.job(job).attempt) == (JobStatus.SUCCEEDED, 1)


def test_a_rescuer_leaves_alone_what_its_own_process_is_at(
    site: Site, members: Members, clock: FakeClock, gate: Gate
) -> None:
    site.plugin("work", gate.wait + answer())
    two_pipelines(site)
    one = members("one")
    job = let_in(one)
    one.dispatcher.run_once()
    gate.arrival()
    clock.advance(2 * LEASE)
    assert (one.rescuer.run_once(), one.rescuer.run_once(everybody=True)) == (0, 0)
    gate.let_through()
    one.signals.wait_for(JobSettled)
    assert (one.job(job).status, one.job(job).attempt) == (JobStatus.SUCCEEDED, 1)


def test_what_a_process_has_claimed_and_let_go_of_is_rescued_by_itself(
    site: Site, members: Members, clock: FakeClock
) -> None:
    site.plugin("work", OK)
    two_pipelines(site)
    one = members("one")
    job = let_in(one)
    assignment(one, WorkerId("one"))
    clock.advance(LEASE / 2)
    assert (one.dispatcher.renew(), one.rescuer.run_once()) == (0, 0)
    clock.advance(LEASE / 2)
    assert one.rescuer.run_once() == 1
    assert (one.job(job).status, one.job(job).attempt) == (JobStatus.QUEUED, 1)


# What the dead leave behind


def test_a_start_takes_back_what_a_dead_worker_held_and_kills_its_plugin(
    site: Site, clock: FakeClock
) -> None:
    site.plugin("work", OK)
    two_pipelines(site)
    with site.running(start=False, clock=clock) as running:
        event_id = running.send("go").event_id
        [job] = claimed(running.gateway.store, worker=DEAD)
        orphan = subprocess.Popen(
            ["/bin/sleep", "infinity"],
            env={"DUCTILE_JOB_ID": job.id},
            start_new_session=True,
        )
        bystander = subprocess.Popen(["/bin/sleep", "infinity"], env={"DUCTILE_JOB_ID": "x"})
        try:
            running.gateway.start()
            assert orphan.wait(PATIENCE) == -9
            assert bystander.poll() is None
        finally:
            for process in (orphan, bystander):
                process.kill()
                process.wait()
        rescued = running.signals.wait_for(JobRescued)
        running.signals.wait_for(JobSettled)
        [log] = running.chain(event_id).records.attempts
        [job] = running.chain(event_id).jobs
    assert (rescued.job, rescued.worker, rescued.killed) == (job.id, "dead", 1)
    assert (log.status, log.attempt) == ("crashed", 1)
    assert (job.status, job.attempt, job.tries) == (JobStatus.QUEUED, 1, 1)


def test_an_attempt_that_died_with_its_gateway_counts(site: Site, clock: FakeClock) -> None:
    site.config["plugins"] = {"work": {"retry": {"max_attempts": 1}}}
    site.plugin("work", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: work}]}")
    with site.running(start=False, clock=clock) as running:
        event_id = running.send("go").event_id
        claimed(running.gateway.store, worker=DEAD)
        running.gateway.start()
        chain = running.ended(event_id)
    assert chain.jobs[0].status is JobStatus.FAILED
    assert chain.records.runs[0].status == "failed"


def test_what_a_dead_attempt_changed_in_place_is_found_when_it_is_rescued(
    site: Site, members: Members
) -> None:
    site.plugin("work", f"echo original >file\n{OK}")
    two_pipelines(site)
    one = members("one")
    make = let_in(one)
    making = assignment(one)
    with Stop() as stop:
        one.settler.apply(making, one.attempts.run(making, stop))
    held = assignment(one)
    workspace = one.workspaces.clone(
        WorkspaceKey(make.id), WorkspaceKey(held.job.id, held.job.attempt)
    )
    (workspace.path / "file").chmod(0o644)
    with (workspace.path / "file").open("a") as file:
        file.write("more")
    assert one.rescuer.run_once(everybody=True) == 1
    dead = one.job(held.job)
    assert dead.status is JobStatus.FAILED
    assert '"file"' in str(dead.last_error)
    [artifact] = one.core.store.read(lambda tx: tx.artifacts.of_job(make.id))
    assert artifact.tainted_by == dead.id


def test_a_job_that_cannot_be_rescued_does_not_keep_the_others_from_it(
    site: Site, members: Members
) -> None:
    site.plugin("work", OK)
    two_pipelines(site)
    one = members("one")
    first, second = let_in(one), let_in(one)
    claimed(one.core.store, limit=2, worker=DEAD, now=one.core.clock.now())
    one.store.failures = 1
    one.rescuer.run_once(everybody=True)
    assert one.signals.wait_for(PartFailed).part == "rescuer"
    assert [one.job(first).status, one.job(second).status] == ["running", "queued"]


def race(settle: Callable[[], object], rescue: Callable[[], object]) -> bool:
    """Do both at the same moment; returns whether the first one lost its claim."""
    barrier = threading.Barrier(2)

    def settling() -> bool:
        barrier.wait(PATIENCE)
        try:
            settle()
        except LeaseLost:
            return True
        return False

    with ThreadPoolExecutor(1) as thread:
        lost = thread.submit(settling)
        barrier.wait(PATIENCE)
        rescue()
        return lost.result(PATIENCE)


def test_settling_and_rescuing_at_once_settle_exactly_once(
    site: Site, members: Members, clock: FakeClock
) -> None:
    site.plugin("work", OK)
    two_pipelines(site)
    one, other = members("one"), members("other")
    for _ in range(10):
        let_in(one)
        own = assignment(one)
        clock.advance(2 * LEASE)
        lost = race(
            partial(one.settler.apply, own, an_attempt(success())),
            partial(other.rescuer.run_once, everybody=True),
        )
        logged = [row[2] for row in tables(site)["job_log"] if row[0] == own.job.id]
        assert logged == (["crashed"] if lost else ["succeeded"])
        # What was given back, or follows from the success, is out of the way of the next round.
        claimed(one.core.store, limit=50, now=clock.now() + LEASE, worker=WorkerId("other"))
