"""The promises of `JobQueue`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ductile.errors import DuplicateJob, LeaseLost, StorageError
from ductile.model.ids import JobId, RunId, WorkerId, new_id
from ductile.model.job import Claim, Job, JobStatus
from ductile.model.policy import WorkspaceMode
from ductile.queue.interfaces import JobQueue
from ductile.storage.interfaces import Store
from tests.support.builders import (
    LEASE,
    WORKER,
    a_context,
    a_job,
    an_event,
    claimed,
    stored_child,
    stored_job,
    stored_run,
)
from tests.support.clock import START

SECOND = timedelta(seconds=1)
OTHER = WorkerId("worker-2")


def retried(store: Store, job: Job, *, due: datetime) -> None:
    store.write(lambda tx: tx.jobs.retry(job.claim, due=due, error="no luck"))


# Adding


def test_a_job_comes_back_as_it_was_added(store: Store) -> None:
    job = stored_job(store, dedupe_key="k", workspace=WorkspaceMode.COPY, max_attempts=7)
    assert store.read(lambda tx: tx.jobs.get(job.id)) == job


def test_a_job_that_nobody_added_is_none(store: Store) -> None:
    assert store.read(lambda tx: tx.jobs.get(JobId(new_id()))) is None


def test_a_job_that_refers_to_nothing_names_all_that_is_missing(store: Store) -> None:
    job = a_job(run_id=RunId("no-run"), parent_job_id=JobId("no-parent"))
    with pytest.raises(StorageError) as refusal:
        store.write(lambda tx: tx.jobs.add(job))
    named = (job.source_event_id, job.event_context_id, "run no-run", "parent job no-parent")
    assert [name for name in named if name not in str(refusal.value)] == []


def test_the_same_child_twice_is_refused(store: Store) -> None:
    parent = stored_job(store)
    child = stored_child(store, parent, step_id="next")
    with pytest.raises(DuplicateJob, match='step "next"'):
        store.write(lambda tx: tx.jobs.add(replace(child, id=JobId(new_id()))))


def test_a_second_job_outside_any_run_for_the_same_event_is_refused(store: Store) -> None:
    job = stored_job(store)
    with pytest.raises(DuplicateJob):
        store.write(lambda tx: tx.jobs.add(replace(job, id=JobId(new_id()))))


def test_several_steps_may_follow_from_one_event(store: Store) -> None:
    job = stored_job(store, step_id="left")
    store.write(lambda tx: tx.jobs.add(replace(job, id=JobId(new_id()), step_id="right")))
    assert len(claimed(store, limit=5)) == 2


def test_several_runs_may_start_with_the_same_step_for_one_event(store: Store) -> None:
    event, context = an_event(), a_context()
    store.write(lambda tx: tx.events.add(event))
    store.write(lambda tx: tx.contexts.add(context))
    first, second = (
        a_job(event, context, run_id=stored_run(store, event).id, step_id="first") for _ in range(2)
    )
    store.write(lambda tx: tx.jobs.add(first))
    store.write(lambda tx: tx.jobs.add(second))
    assert len(claimed(store, limit=5)) == 2


def test_a_job_that_is_not_new_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="expected a new job"):
        store.write(lambda tx: tx.jobs.add(a_job(status=JobStatus.RUNNING)))


# Claiming


def test_a_claimed_job_runs_its_first_attempt(store: Store) -> None:
    stored = stored_job(store)
    (job,) = claimed(store, now=START + SECOND)
    assert job == replace(
        stored,
        status=JobStatus.RUNNING,
        attempt=1,
        claimed_by=WORKER,
        started_at=START + SECOND,
        lease_expires_at=START + SECOND + LEASE,
    )


def test_a_claimed_job_is_not_claimed_again(store: Store) -> None:
    stored_job(store)
    claimed(store)
    assert claimed(store, worker=OTHER) == []


def test_the_oldest_jobs_are_claimed_first_whatever_their_plugin(store: Store) -> None:
    ages = [3, 1, 4, 2]
    jobs = {
        age: stored_job(store, plugin="ab"[age % 2], created_at=START - age * SECOND)
        for age in ages
    }
    order = [job.id for job in claimed(store, limit=3)]
    assert order == [jobs[4].id, jobs[3].id, jobs[2].id]


def test_no_more_jobs_than_the_limit_are_claimed(store: Store) -> None:
    for _ in range(5):
        stored_job(store)
    assert [len(claimed(store, limit=2)) for _ in range(4)] == [2, 2, 1, 0]


def test_nothing_is_claimed_with_a_limit_of_nothing(store: Store) -> None:
    stored_job(store)
    assert claimed(store, limit=0) == []


def test_a_clock_that_was_set_back_keeps_no_job_from_starting(store: Store) -> None:
    stored_job(store, created_at=START + timedelta(hours=1))
    assert len(claimed(store, now=START)) == 1


def test_a_plugin_at_its_limit_is_passed_over(store: Store) -> None:
    for _ in range(3):
        stored_job(store, plugin="slow", created_at=START - SECOND)
    other = stored_job(store, plugin="quick")
    order = [job.plugin for job in claimed(store, limit=5, slow=2)]
    assert (order, claimed(store, limit=5, slow=2)) == (["slow", "slow", "quick"], [])
    assert other.plugin == "quick"


def test_the_limit_of_a_plugin_counts_what_other_workers_run(store: Store) -> None:
    for _ in range(3):
        stored_job(store, plugin="slow")
    claimed(store, limit=1, worker=OTHER, slow=2)
    assert len(claimed(store, limit=5, slow=2)) == 1


def test_a_plugin_has_room_again_when_its_job_has_ended(store: Store) -> None:
    stored_job(store, plugin="slow")
    waiting = stored_job(store, plugin="slow")
    (job,) = claimed(store, slow=1)
    store.write(lambda tx: tx.jobs.finish(job.claim, JobStatus.SUCCEEDED, now=START))
    assert [job.id for job in claimed(store, slow=1)] == [waiting.id]


def test_a_plugin_without_any_room_runs_nothing(store: Store) -> None:
    stored_job(store, plugin="off")
    assert claimed(store, off=0) == []


# Waiting for the next attempt


def test_a_job_that_waits_is_claimed_when_it_is_due_and_not_before(store: Store) -> None:
    stored_job(store)
    (job,) = claimed(store)
    retried(store, job, due=START + 30 * SECOND)
    early = claimed(store, now=START + 30 * SECOND - timedelta(microseconds=1))
    (again,) = claimed(store, now=START + 30 * SECOND)
    assert (early, again.attempt, again.next_retry_at) == ([], 2, None)


def test_a_job_that_waits_keeps_its_error(store: Store) -> None:
    stored_job(store)
    (job,) = claimed(store)
    retried(store, job, due=START + SECOND)
    waiting = store.read(lambda tx: tx.jobs.get(job.id))
    assert waiting is not None
    assert (waiting.status, waiting.next_retry_at, waiting.last_error, waiting.claimed_by) == (
        JobStatus.QUEUED,
        START + SECOND,
        "no luck",
        None,
    )


def test_a_due_job_takes_its_turn_by_the_time_at_which_it_was_due(store: Store) -> None:
    first = stored_job(store)
    (job,) = claimed(store)
    retried(store, job, due=START + 10 * SECOND)
    before = stored_job(store, created_at=START + 5 * SECOND)
    after = stored_job(store, created_at=START + 15 * SECOND)
    order = [job.id for job in claimed(store, limit=3, now=START + 20 * SECOND)]
    assert order == [before.id, first.id, after.id]


def test_due_jobs_count_towards_the_limit_of_their_plugin(store: Store) -> None:
    stored_job(store, plugin="slow")
    (job,) = claimed(store)
    retried(store, job, due=START)
    stored_job(store, plugin="slow")
    assert len(claimed(store, limit=5, now=START + SECOND, slow=1)) == 1


def test_the_next_due_time_is_the_earliest_of_all_plugins(store: Store) -> None:
    for plugin, seconds in (("a", 30), ("b", 10), ("b", 20)):
        stored_job(store, plugin=plugin)
        retried(store, *claimed(store), due=START + seconds * SECOND)
    assert store.read(lambda tx: tx.jobs.next_due()) == START + 10 * SECOND


def test_nothing_is_due_when_nothing_waits(store: Store) -> None:
    stored_job(store)
    assert store.read(lambda tx: tx.jobs.next_due()) is None


def test_a_job_that_is_given_back_is_ready_at_once_and_loses_no_try(store: Store) -> None:
    stored_job(store)
    (job,) = claimed(store)
    store.write(lambda tx: tx.jobs.give_back(job.claim, error="the gateway stopped"))
    (again,) = claimed(store)
    assert (again.attempt, again.interruptions, again.tries) == (2, 1, 1)


# Fencing

SETTLEMENTS: dict[str, Callable[[JobQueue, Claim], None]] = {
    "finish": lambda jobs, claim: jobs.finish(claim, JobStatus.SUCCEEDED, now=START),
    "retry": lambda jobs, claim: jobs.retry(claim, due=START, error="e"),
    "give_back": lambda jobs, claim: jobs.give_back(claim, error="e"),
}
settlements = pytest.mark.parametrize("settle", SETTLEMENTS.values(), ids=SETTLEMENTS.keys())


@settlements
@pytest.mark.parametrize("first", SETTLEMENTS.values(), ids=SETTLEMENTS.keys())
def test_an_attempt_settles_once(
    store: Store,
    first: Callable[[JobQueue, Claim], None],
    settle: Callable[[JobQueue, Claim], None],
) -> None:
    stored_job(store)
    (job,) = claimed(store)
    store.write(lambda tx: first(tx.jobs, job.claim))
    settled = store.read(lambda tx: tx.jobs.get(job.id))
    with pytest.raises(LeaseLost, match=f"job {job.id}"):
        store.write(lambda tx: settle(tx.jobs, job.claim))
    assert store.read(lambda tx: tx.jobs.get(job.id)) == settled


@settlements
def test_a_worker_whose_job_was_given_away_cannot_settle_it(
    store: Store, settle: Callable[[JobQueue, Claim], None]
) -> None:
    stored_job(store)
    (job,) = claimed(store)
    store.write(lambda tx: tx.jobs.give_back(job.claim, error="lease expired"))
    (again,) = claimed(store, worker=OTHER)
    with pytest.raises(LeaseLost):
        store.write(lambda tx: settle(tx.jobs, job.claim))
    assert store.read(lambda tx: tx.jobs.get(job.id)) == again


@settlements
def test_only_the_worker_that_claimed_a_job_settles_it(
    store: Store, settle: Callable[[JobQueue, Claim], None]
) -> None:
    stored_job(store)
    (job,) = claimed(store)
    with pytest.raises(LeaseLost):
        store.write(lambda tx: settle(tx.jobs, Claim(job.id, job.attempt, OTHER)))


def test_a_lease_that_ended_but_was_not_given_away_still_settles(store: Store) -> None:
    stored_job(store)
    (job,) = claimed(store)
    late = START + 10 * LEASE
    store.write(lambda tx: tx.jobs.finish(job.claim, JobStatus.SUCCEEDED, now=late))
    settled = store.read(lambda tx: tx.jobs.get(job.id))
    assert settled is not None
    assert (settled.status, settled.completed_at) == (JobStatus.SUCCEEDED, late)


def test_a_job_does_not_finish_in_a_status_that_is_none_of_an_end(store: Store) -> None:
    stored_job(store)
    (job,) = claimed(store)
    with pytest.raises(ValueError, match="terminal"):
        store.write(lambda tx: tx.jobs.finish(job.claim, JobStatus.QUEUED, now=START))


def test_a_finished_job_is_never_claimed_again(store: Store) -> None:
    stored_job(store)
    (job,) = claimed(store)
    store.write(lambda tx: tx.jobs.finish(job.claim, JobStatus.FAILED, now=START, error="e"))
    assert claimed(store, now=START + timedelta(days=9)) == []


# Cancelling


def cancelled(store: Store, run_id: RunId) -> list[JobId]:
    now = START + SECOND
    return list(store.write(lambda tx: tx.jobs.cancel(run_id, now=now, reason="by hand")))


def test_the_queued_jobs_of_a_run_are_cancelled_oldest_first(store: Store) -> None:
    run = stored_run(store)
    young = stored_job(store, run_id=run.id, step_id="b", created_at=START)
    old = stored_job(store, run_id=run.id, step_id="a", created_at=START - SECOND)
    assert cancelled(store, run.id) == [old.id, young.id]
    assert store.read(lambda tx: tx.jobs.get(old.id)) == replace(
        old, status=JobStatus.CANCELLED, completed_at=START + SECOND, last_error="by hand"
    )


def test_a_job_that_waits_for_its_next_attempt_is_cancelled(store: Store) -> None:
    run = stored_run(store)
    job = stored_job(store, run_id=run.id)
    retried(store, *claimed(store), due=START + SECOND)
    assert cancelled(store, run.id) == [job.id]
    assert claimed(store, now=START + timedelta(days=1)) == []


def test_a_running_job_is_left_alone_and_its_claim_stays_good(store: Store) -> None:
    run = stored_run(store)
    stored_job(store, run_id=run.id)
    (job,) = claimed(store)
    assert cancelled(store, run.id) == []
    store.write(lambda tx: tx.jobs.finish(job.claim, JobStatus.SUCCEEDED, now=START))


def test_jobs_of_other_runs_and_jobs_that_are_over_are_not_cancelled(store: Store) -> None:
    run = stored_run(store)
    stored_job(store, run_id=run.id)
    assert len(cancelled(store, run.id)) == 1
    stored_job(store)
    stored_job(store, run_id=stored_run(store).id)
    assert (cancelled(store, run.id), len(claimed(store, limit=5))) == ([], 2)


# Leases


def test_renewing_extends_the_leases_of_these_claims_and_no_other(store: Store) -> None:
    for _ in range(4):
        stored_job(store)
    first, second, third = claimed(store, limit=3)
    (other,) = claimed(store, worker=OTHER)
    renewed = [first.claim, second.claim]
    later = START + LEASE / 2
    assert store.write(lambda tx: tx.jobs.renew(renewed, lease=LEASE, now=later)) == 2
    expired = store.read(lambda tx: tx.jobs.running(expired_at=START + LEASE))
    assert [job.id for job in expired] == [third.id, other.id]


def test_a_claim_that_is_not_good_any_more_renews_nothing(store: Store) -> None:
    stored_job(store)
    (job,) = claimed(store)
    store.write(lambda tx: tx.jobs.give_back(job.claim, error="stopped"))
    claimed(store)
    later = START + LEASE / 2
    assert store.write(lambda tx: tx.jobs.renew([job.claim], lease=LEASE, now=later)) == 0
    assert store.read(lambda tx: tx.jobs.running(expired_at=START + LEASE)) != []


def test_a_lease_has_ended_at_its_last_moment(store: Store) -> None:
    stored_job(store)
    claimed(store)
    before = store.read(lambda tx: tx.jobs.running(expired_at=START + LEASE - SECOND))
    then = store.read(lambda tx: tx.jobs.running(expired_at=START + LEASE))
    assert (len(before), len(then)) == (0, 1)


def test_running_jobs_are_listed_oldest_first(store: Store) -> None:
    young = stored_job(store, plugin="b", created_at=START)
    old = stored_job(store, plugin="c", created_at=START - SECOND)
    stored_job(store, plugin="a", created_at=START + SECOND)
    claimed(store, limit=2)
    running = store.read(lambda tx: tx.jobs.running(expired_at=None))
    assert [job.id for job in running] == [old.id, young.id]
