"""Who may settle a job, when several work on one database or one of them has died."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from ductile.dispatch.assignment import Assignment, PinnedVersions, load
from ductile.dispatch.interfaces import Trigger
from ductile.dsl.graph import Step
from ductile.errors import LeaseLost, StorageError
from ductile.model.ids import WorkerId
from ductile.model.job import Job, JobStatus
from ductile.model.outcome import EmittedEvent, Response, Succeeded
from ductile.plugin.stop import Stop
from ductile.router.interfaces import Next, Routing
from ductile.telemetry.signals import AttemptDiscarded, JobRescued, JobSettled, PartFailed
from ductile.workspace.interfaces import WorkspaceKey
from tests.integration.engine.gate import Gate
from tests.integration.engine.parts import LEASE, Member, SlowAttempts, an_artifact, member, tables
from tests.support.builders import an_attempt, claimed
from tests.support.clock import FakeClock
from tests.support.scripts import OK, answer
from tests.support.signals import PATIENCE
from tests.support.site import Site

DEAD = WorkerId("dead")
Members = Callable[..., Member]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def members(site: Site, clock: FakeClock) -> Iterator[Members]:
    with ExitStack() as opened:

        def open_one(name: str, **parts: Any) -> Member:
            return opened.enter_context(closing(member(site, name, clock, **parts)))

        yield open_one


def let_in(one: Member, event_type: str = "go") -> Job:
    """The only job that an event starts."""
    [job_id] = one.intake.accept(Trigger(event_type, {"n": 1}, "test")).job_ids
    found = one.core.store.read(lambda tx: tx.jobs.get(job_id))
    assert found is not None
    return found


def assignment(one: Member, worker: WorkerId = DEAD) -> Assignment:
    """The oldest job that is ready, claimed by a worker that does nothing with it."""
    [job] = claimed(one.core.store, now=one.core.clock.now(), worker=worker)
    return load(one.core.store, PinnedVersions(), job)


def success(**response: Any) -> Succeeded:
    return Succeeded(
        Response("done", (EmittedEvent("found", {"n": 2}),), {"cursor": 7}),
        (an_artifact(),),
    )


def pipelines(site: Site) -> None:
    site.config["plugins"] = {"work": {"retry": {"backoff_base": "1ms"}}}
    site.plugin("end", OK)
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: work}, {uses: end}]}
        - {name: q, on: found, steps: [{uses: end}]}
        """
    )


# Fencing


def test_an_attempt_whose_lease_ran_out_is_given_to_another_and_its_own_end_is_discarded(
    site: Site, members: Members, clock: FakeClock
) -> None:
    site.plugin("work", f"echo made >file\n{answer(state_updates={'late': False})}")
    pipelines(site)
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
    pipelines(site)
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
    pipelines(site)
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
    pipelines(site)
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


def test_a_rescuer_leaves_the_jobs_of_its_own_process_alone(
    site: Site, members: Members, clock: FakeClock
) -> None:
    site.plugin("work", OK)
    pipelines(site)
    one = members("one")
    let_in(one)
    assignment(one, WorkerId("one"))
    clock.advance(2 * LEASE)
    assert (one.rescuer.run_once(), one.rescuer.run_once(everybody=True)) == (0, 0)


# What the dead leave behind


def test_a_start_takes_back_what_a_dead_worker_held_and_kills_its_plugin(
    site: Site, clock: FakeClock
) -> None:
    site.plugin("work", OK)
    pipelines(site)
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
    pipelines(site)
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
    pipelines(site)
    one = members("one")
    first, second = let_in(one), let_in(one)
    claimed(one.core.store, limit=2, worker=DEAD, now=one.core.clock.now())
    one.store.failures = 1
    one.rescuer.run_once(everybody=True)
    assert one.signals.wait_for(PartFailed).part == "rescuer"
    assert [one.job(first).status, one.job(second).status] == ["running", "queued"]


# All or nothing


class Stutter:
    """A router that says everything twice."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def next(self, *_: object) -> Next:
        return Next(Routing((self._step, self._step)))


def test_a_plan_with_a_duplicate_child_is_not_written_and_the_job_fails(
    site: Site, members: Members
) -> None:
    site.plugin("work", OK)
    pipelines(site)
    one = members("one", router=Stutter(Step("end", "end", "handle")))
    job = let_in(one)
    before = tables(site)
    one.settler.apply(assignment(one), an_attempt(success()))
    after = tables(site)
    assert one.job(job).status is JobStatus.FAILED
    assert "has a job for event" in str(one.job(job).last_error)
    kept = ("event", "event_context", "artifact", "plugin_state")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert len(after["job_queue"]) == 1
    assert [row[2] for row in after["job_log"]] == ["failed"]


def test_a_success_of_which_one_row_cannot_be_stored_leaves_none(
    site: Site, members: Members
) -> None:
    site.plugin("work", OK)
    pipelines(site)
    one = members("one")
    let_in(one)
    own = assignment(one)
    before = tables(site)
    absolute = an_artifact("/absolute")
    with pytest.raises(StorageError):
        one.settler.apply(own, an_attempt(Succeeded(success().response, (absolute,))))
    assert tables(site) == before


# A database that takes nothing


def test_an_outcome_that_the_database_does_not_take_is_offered_again(
    site: Site, members: Members, gate: Gate
) -> None:
    site.plugin("work", gate.wait + answer(state_updates={"a": 1}))
    pipelines(site)
    one = members("one")
    job = let_in(one)
    one.dispatcher.run_once()
    gate.arrival()
    one.store.failures = 1
    gate.let_through()
    one.signals.wait_for(JobSettled)
    [told] = one.signals.of(PartFailed)
    assert (told.part, "the disk is full" in told.error) == ("settle", True)
    assert (one.job(job).status, one.job(job).attempt) == (JobStatus.SUCCEEDED, 1)


def test_a_stop_ends_the_offering_and_the_next_start_finds_the_job(
    site: Site, members: Members, gate: Gate
) -> None:
    site.plugin("work", gate.wait + answer())
    pipelines(site)
    one, other = members("one"), members("other")
    job = let_in(one)
    one.dispatcher.run_once()
    gate.arrival()
    one.store.failures = sys.maxsize
    gate.let_through()
    one.signals.wait_for(PartFailed)
    one.dispatcher.interrupt([job.id])
    one.dispatcher.stop()
    assert other.job(job).status is JobStatus.RUNNING
    assert other.rescuer.run_once(everybody=True) == 1
    assert (other.job(job).status, other.job(job).attempt) == (JobStatus.QUEUED, 1)


def test_an_event_that_the_database_does_not_take_is_not_accepted(
    site: Site, members: Members
) -> None:
    site.plugin("work", OK)
    pipelines(site)
    one = members("one")
    one.core.store.close()
    with pytest.raises(StorageError):
        one.intake.accept(Trigger("go", {}, "test"))


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
    pipelines(site)
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
