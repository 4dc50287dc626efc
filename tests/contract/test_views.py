"""The promises of `Views`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ductile.model.artifact import Artifact, Change
from ductile.model.ids import ChainId, JobId
from ductile.model.job import Job, JobStatus
from ductile.model.run import RunStatus
from ductile.storage.interfaces import ChainEnd, Store
from tests.support.builders import (
    a_context,
    an_attempt,
    claimed,
    stored_child,
    stored_job,
    stored_run,
)
from tests.support.clock import START


def ended(store: Store, job: Job, status: JobStatus, *, seconds: int = 1) -> None:
    """Give a running job its end and its line in the log."""
    completed = START + timedelta(seconds=seconds)
    attempt = an_attempt(completed_at=completed)
    store.write(lambda tx: tx.jobs.finish(job.claim, status, now=completed))
    store.write(lambda tx: tx.jobs.log(job.claim, attempt, status="failed"))


def listed(store: Store, **filters: object) -> list[JobId]:
    found = store.read(lambda tx: tx.views.jobs(**{"limit": 9, **filters}))  # type: ignore[arg-type]  # any filter
    return [job.id for job in found]


@pytest.fixture
def jobs(store: Store) -> dict[JobStatus, Job]:
    """One job of every status, made in this order."""
    found = {}
    for status in (
        JobStatus.SUCCEEDED,
        JobStatus.FAILED,
        JobStatus.TIMED_OUT,
        JobStatus.CANCELLED,
        JobStatus.RUNNING,
    ):
        stored_job(store, plugin=f"p-{status}")
        (found[status],) = claimed(store)
        if status.terminal:
            ended(store, found[status], status)
    found[JobStatus.QUEUED] = stored_job(store, plugin="p-queued")
    return found


@pytest.mark.parametrize("status", list(JobStatus))
def test_jobs_are_found_by_status(
    store: Store, jobs: dict[JobStatus, Job], status: JobStatus
) -> None:
    assert listed(store, status=status) == [jobs[status].id]


def test_jobs_are_listed_newest_first(store: Store, jobs: dict[JobStatus, Job]) -> None:
    assert listed(store) == [job.id for job in reversed(jobs.values())]


@pytest.mark.parametrize("status", list(JobStatus))
def test_jobs_are_found_by_plugin(
    store: Store, jobs: dict[JobStatus, Job], status: JobStatus
) -> None:
    by_plugin = listed(store, plugin=f"p-{status}")
    by_both = listed(store, plugin=f"p-{status}", status=status)
    other = listed(store, plugin="echo", status=status)
    assert (by_plugin, by_both, other) == ([jobs[status].id], [jobs[status].id], [])


@pytest.mark.parametrize("status", [None, JobStatus.QUEUED, JobStatus.RUNNING])
def test_a_list_goes_on_where_it_ended(store: Store, status: JobStatus | None) -> None:
    made = [stored_job(store).id for _ in range(5)][::-1]
    if status is JobStatus.RUNNING:
        claimed(store, limit=5)
    first = listed(store, limit=2, status=status)
    rest = listed(store, before=first[-1], status=status)
    assert (first, rest) == (made[:2], made[2:])


def test_a_job_that_waits_is_listed_as_queued(store: Store) -> None:
    job = stored_job(store)
    (running,) = claimed(store)
    store.write(lambda tx: tx.jobs.retry(running.claim, due=START, error="e"))
    assert listed(store, status=JobStatus.QUEUED) == [job.id]


def test_queued_and_running_jobs_are_counted(store: Store, jobs: dict[JobStatus, Job]) -> None:
    stored_job(store, plugin="q")
    (running,) = claimed(store, limit=1)
    store.write(lambda tx: tx.jobs.retry(running.claim, due=START, error="e"))
    counts = store.read(lambda tx: tx.views.counts())
    assert counts == {JobStatus.QUEUED: 2, JobStatus.RUNNING: 1}


def test_runs_are_found_by_status_and_pipeline_newest_first(store: Store) -> None:
    old = stored_run(store)
    over = stored_run(store, open_jobs=0)
    store.write(lambda tx: tx.runs.finish(over.id, RunStatus.SUCCEEDED, now=START))
    other = stored_run(store, pipeline_name="other")
    running = store.read(lambda tx: tx.views.runs(limit=9, status=RunStatus.RUNNING))
    named = store.read(lambda tx: tx.views.runs(limit=9, pipeline="wisdom", before=other.id))
    assert ([run.id for run in running], [run.id for run in named]) == (
        [other.id, old.id],
        [over.id, old.id],
    )


def test_a_chain_comes_whole_and_in_order(store: Store) -> None:
    stored_job(store, plugin="other")
    first = stored_job(store)
    second = stored_child(store, first)
    third = stored_child(store, second)
    made = Artifact("a", Change.ADDED, blake3="00")
    store.write(lambda tx: tx.artifacts.add(second.id, [made]))
    chain = store.read(lambda tx: tx.views.chain(first.chain_id))
    assert chain.jobs == [first, second, third]
    assert [event.id for event in chain.events] == [job.source_event_id for job in chain.jobs]
    assert [context.hop for context in chain.contexts] == [0, 1, 2]
    assert chain.artifacts == {second.id: [made]}


def test_a_chain_shows_the_context_that_its_last_job_wrote(store: Store) -> None:
    job = stored_job(store)
    root = store.read(lambda tx: tx.contexts.get(job.event_context_id))
    assert root is not None
    last = a_context(root)
    store.write(lambda tx: tx.contexts.add(last))
    chain = store.read(lambda tx: tx.views.chain(job.chain_id))
    assert chain.contexts == [root, last]


def test_a_chain_that_there_is_none_of_is_empty(store: Store) -> None:
    chain = store.read(lambda tx: tx.views.chain(ChainId("nobody")))
    assert (chain.events, chain.jobs, chain.contexts, chain.artifacts) == ([], [], [], {})


def test_the_end_of_a_chain_is_its_newest_completion(store: Store) -> None:
    first = stored_job(store)
    second = stored_child(store, first)
    for job, seconds in zip(claimed(store, limit=2), (20, 10), strict=True):
        ended(store, job, JobStatus.FAILED, seconds=seconds)
    end = ChainEnd(first.chain_id, 0, START + timedelta(seconds=20))
    ends = store.read(lambda tx: tx.views.chain_ends([first.id, second.id, JobId("nobody")]))
    assert ends == {first.id: end, second.id: end}


def test_a_chain_with_work_left_has_open_jobs(store: Store) -> None:
    first = stored_job(store)
    (running,) = claimed(store)
    ended(store, running, JobStatus.SUCCEEDED)
    stored_child(store, first)
    ends = store.read(lambda tx: tx.views.chain_ends([first.id]))
    assert ends[first.id].open_jobs == 1


def test_a_chain_that_has_not_ended_an_attempt_has_no_completion(store: Store) -> None:
    job = stored_job(store)
    ends = store.read(lambda tx: tx.views.chain_ends([job.id]))
    assert ends == {job.id: ChainEnd(job.chain_id, 1, None)}


def test_every_chain_is_found_once_page_by_page_newest_first(store: Store) -> None:
    made = [stored_job(store) for _ in range(3)]
    stored_child(store, made[0])
    newest_first = [job.chain_id for job in reversed(made)]
    first = store.read(lambda tx: tx.views.chains(limit=2))
    rest = store.read(lambda tx: tx.views.chains(limit=2, before=first[-1]))
    assert [*first, *rest] == newest_first


def test_waiting_jobs_are_counted_no_further_than_asked(store: Store) -> None:
    for _ in range(4):
        stored_job(store)
    (taken, again) = claimed(store, limit=2)
    store.write(lambda tx: tx.jobs.retry(again.claim, due=START + timedelta(hours=1), error="oh"))
    ended(store, taken, JobStatus.SUCCEEDED)
    counts = [store.read(lambda tx: tx.views.waiting(up_to=limit)) for limit in (9, 3, 2, 0)]  # noqa: B023  # called at once
    assert counts == [3, 3, 2, 0]
