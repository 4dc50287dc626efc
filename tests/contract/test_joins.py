"""The promises of `Joins`, and what a workspace behind a join holds."""

from __future__ import annotations

import pytest

from ductile.errors import StorageError, Violation
from ductile.model.artifact import Artifact, Change
from ductile.model.ids import JobId, RunId
from ductile.model.job import Job, JobStatus
from ductile.model.policy import WorkspaceMode
from ductile.model.run import Progress, Run
from ductile.storage.interfaces import ArrivalRecord, SkipRecord, Store
from tests.support.builders import (
    a_file,
    an_event,
    claimed,
    recorded,
    stored_arrival,
    stored_child,
    stored_job,
    stored_run,
)
from tests.support.clock import START

JOIN = "report:join"


@pytest.fixture
def run(store: Store) -> Run:
    return stored_run(store)


@pytest.fixture
def fetch(store: Store, run: Run) -> Job:
    """The first job of the run."""
    return stored_job(store, run_id=run.id, step_id="fetch")


def arrivals(store: Store, run: Run, join_id: str = JOIN) -> list[ArrivalRecord]:
    return list(store.read(lambda tx: tx.joins.arrivals(run.id, join_id)))


def left(store: Store, run: Run, join_id: str = JOIN) -> None:
    store.write(lambda tx: tx.joins.leave(run.id, join_id, START))


def progress(store: Store, run: Run) -> Progress:
    return store.read(lambda tx: tx.joins.progress(run.id))


def ended(store: Store, status: JobStatus) -> None:
    (job,) = claimed(store)
    store.write(lambda tx: tx.jobs.finish(job.claim, status, now=START))


# Arriving and going on


def test_an_arrival_comes_back_as_it_was_written(store: Store, run: Run, fetch: Job) -> None:
    with_job = stored_arrival(store, fetch, join_id=JOIN)
    without = stored_arrival(store, fetch, join_id=JOIN, job_id=None)
    assert arrivals(store, run) == [with_job, without]


def test_arrivals_come_by_position_then_in_the_order_in_which_they_came(
    store: Store, run: Run, fetch: Job
) -> None:
    made = [
        stored_arrival(store, fetch, join_id=JOIN, position=position, source=source)
        for position, source in ((1, "d"), (0, "c"), (1, "b"), (0, "a"))
    ]
    assert arrivals(store, run) == [made[1], made[3], made[0], made[2]]


def test_an_arrival_is_one_of_its_run_and_its_join_only(store: Store, run: Run, fetch: Job) -> None:
    stored_arrival(store, fetch, join_id=JOIN)
    assert (arrivals(store, run, "other:join"), arrivals(store, stored_run(store))) == ([], [])


def test_what_arrives_without_a_run_is_refused(store: Store, fetch: Job) -> None:
    with pytest.raises(StorageError, match="FOREIGN KEY"):
        stored_arrival(store, fetch, join_id=JOIN, run_id=RunId("nobody"))


def test_a_join_goes_on_once(store: Store, run: Run) -> None:
    left(store, run)
    with pytest.raises(Violation, match=r'join "report:join" of run .* has gone on already'):
        left(store, run)


def test_nothing_arrives_at_a_join_that_has_gone_on(store: Store, run: Run, fetch: Job) -> None:
    left(store, run)
    with pytest.raises(Violation, match='"fetch" cannot arrive at join "report:join"'):
        stored_arrival(store, fetch, join_id=JOIN)


def test_another_join_of_the_run_may_still_be_arrived_at(
    store: Store, run: Run, fetch: Job
) -> None:
    left(store, run, "other:join")
    stored_arrival(store, fetch, join_id=JOIN)
    assert len(arrivals(store, run)) == 1


# Progress


def test_a_run_that_has_just_started_has_come_nowhere(store: Store, run: Run) -> None:
    assert progress(store, run) == Progress()


def test_steps_with_a_queued_or_running_job_are_open(store: Store, run: Run) -> None:
    for step in ("left", "right"):
        stored_job(store, run_id=run.id, step_id=step)
    claimed(store, limit=1)
    assert progress(store, run) == Progress(open=frozenset({"left", "right"}))


def test_a_step_whose_job_waits_for_its_next_attempt_is_open(
    store: Store, run: Run, fetch: Job
) -> None:
    (job,) = claimed(store)
    store.write(lambda tx: tx.jobs.retry(job.claim, due=START, error="e"))
    assert progress(store, run).open == {fetch.step_id}


@pytest.mark.usefixtures("fetch")
def test_a_step_that_succeeded_is_neither_open_nor_failed(store: Store, run: Run) -> None:
    ended(store, JobStatus.SUCCEEDED)
    assert progress(store, run) == Progress()


@pytest.mark.usefixtures("fetch")
@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.TIMED_OUT, JobStatus.CANCELLED])
def test_a_step_that_ended_otherwise_than_well_has_failed(
    store: Store, run: Run, status: JobStatus
) -> None:
    ended(store, status)
    assert progress(store, run) == Progress(failed=frozenset({"fetch"}))


def test_a_step_may_be_open_and_failed_at_once(store: Store, run: Run, fetch: Job) -> None:
    ended(store, JobStatus.FAILED)
    stored_child(store, fetch, run_id=run.id, step_id="fetch")
    assert progress(store, run) == Progress(frozenset({"fetch"}), frozenset({"fetch"}))


def test_joins_are_arrived_at_and_then_passed(store: Store, run: Run, fetch: Job) -> None:
    ended(store, JobStatus.SUCCEEDED)
    for _ in range(2):
        stored_arrival(store, fetch, join_id=JOIN)
    stored_arrival(store, fetch, join_id="other:join")
    left(store, run)
    assert progress(store, run) == Progress(
        arrived=frozenset({JOIN, "other:join"}), passed=frozenset({JOIN})
    )


def test_progress_is_that_of_one_run(store: Store, fetch: Job) -> None:
    stored_arrival(store, fetch, join_id=JOIN)
    assert progress(store, stored_run(store)) == Progress()


# The chain's records


def skipped(store: Store, skip: SkipRecord) -> None:
    store.write(lambda tx: tx.joins.skip(skip))


def test_a_chain_shows_its_skips_and_arrivals_in_the_order_in_which_they_came(
    store: Store,
) -> None:
    event = an_event()
    store.write(lambda tx: tx.events.add(event))
    run = stored_run(store, event)
    job = stored_job(store, run_id=run.id, step_id="fetch")
    came = [stored_arrival(store, job, join_id=JOIN, position=place) for place in (1, 0)]
    skips = [
        SkipRecord(run.id, "publish", None, event.id, "payload.length is 3", START),
        SkipRecord(run.id, "archive", job.id, event.id, "context.muted is true", START),
    ]
    for skip in skips:
        skipped(store, skip)
    chain = store.read(lambda tx: tx.views.chain(event.chain_id))
    assert (chain.skips, chain.arrivals) == (skips, came)


def test_a_skip_of_an_unknown_run_is_refused(store: Store) -> None:
    event = an_event()
    store.write(lambda tx: tx.events.add(event))
    skip = SkipRecord(RunId("nobody"), "publish", None, event.id, "no", START)
    with pytest.raises(StorageError, match="FOREIGN KEY"):
        skipped(store, skip)


# What a workspace behind a join holds


def branch(store: Store, parent: Job, step: str, **fields: object) -> Job:
    return stored_child(store, parent, run_id=parent.run_id, step_id=step, **fields)


def joined(store: Store, *sources: Job, join_id: str = JOIN, **fields: object) -> Job:
    """A job behind a join that the sources, in merge order, arrived at in the opposite order."""
    for position, source in reversed(list(enumerate(sources))):
        stored_arrival(store, source, join_id=join_id, position=position)
    return branch(store, sources[0], join_id + "ed", join_id=join_id, **fields)


def origin(store: Store, job: Job, path: str) -> tuple[JobId, Artifact] | None:
    return store.read(lambda tx: tx.artifacts.origin(job.id, path))


def writers(store: Store, job: Job) -> dict[str, JobId]:
    """Which job wrote what a workspace holds; asked as a whole, and path by path."""
    held = store.read(lambda tx: tx.artifacts.held(job.id))
    one_by_one = {path: origin(store, job, path) for path in held}
    assert one_by_one == held
    return {path: owner for path, (owner, _) in held.items()}


def test_a_job_behind_a_join_comes_back_as_it_was_added(store: Store, fetch: Job) -> None:
    job = joined(store, fetch)
    assert store.read(lambda tx: tx.jobs.get(job.id)) == job


def test_a_job_behind_a_join_holds_what_all_that_arrived_there_hold(
    store: Store, fetch: Job
) -> None:
    left, right = branch(store, fetch, "left"), branch(store, fetch, "right")
    recorded(store, fetch, a_file("video"))
    recorded(store, left, a_file("left"))
    recorded(store, right, a_file("right"))
    job = joined(store, left, right)
    recorded(store, job, a_file("report"))
    assert writers(store, job) == {
        "video": fetch.id,
        "left": left.id,
        "right": right.id,
        "report": job.id,
    }


def test_the_later_position_wins_whoever_came_first(store: Store, fetch: Job) -> None:
    left, right = branch(store, fetch, "left"), branch(store, fetch, "right")
    for job in (left, right):
        recorded(store, job, a_file("same"))
    assert writers(store, joined(store, left, right)) == {"same": right.id}


def test_what_one_branch_removed_another_still_brings(store: Store, fetch: Job) -> None:
    left, right = branch(store, fetch, "left"), branch(store, fetch, "right")
    recorded(store, fetch, a_file("video"))
    recorded(store, right, a_file("video", Change.REMOVED))
    assert writers(store, joined(store, left, right)) == {"video": fetch.id}


def test_what_a_job_behind_a_join_removes_is_gone(store: Store, fetch: Job) -> None:
    recorded(store, fetch, a_file("video"))
    job = joined(store, fetch)
    recorded(store, job, a_file("video", Change.REMOVED))
    assert writers(store, job) == {}
    assert origin(store, job, "video") is None


@pytest.mark.parametrize(
    ("first", "second", "third", "kept"),
    [
        ("a", "a/b", None, ["a/b"]),
        ("a/b", "a", None, ["a"]),
        ("a/b", "a/c", None, ["a/b", "a/c"]),
        ("a/b/c", "a/b", "a/d", ["a/b", "a/d"]),
        ("a/b", "a", "a/c", ["a/c"]),
        ("a-b", "a", "a0", ["a", "a-b", "a0"]),
        ("\udcff/x", "\udcff", None, ["\udcff"]),
        ("a/\udcff", "a", None, ["a"]),
        ("a", "a/\udcff", None, ["a/\udcff"]),
    ],
)
def test_the_later_of_a_directory_and_a_file_under_one_path_wins(
    store: Store, fetch: Job, first: str, second: str, third: str | None, kept: list[str]
) -> None:
    paths = [path for path in (first, second, third) if path is not None]
    sources = [branch(store, fetch, f"step-{place}") for place in range(len(paths))]
    for job, path in zip(sources, paths, strict=True):
        recorded(store, job, a_file(path))
    job = joined(store, *sources)
    gone = [path for path in paths if path not in kept]
    origins = [origin(store, job, path) for path in gone]
    assert (sorted(writers(store, job)), origins) == (kept, [None] * len(gone))


def test_a_job_that_arrived_twice_counts_once_as_the_last(store: Store, fetch: Job) -> None:
    left, right = branch(store, fetch, "left"), branch(store, fetch, "right")
    for job in (left, right):
        recorded(store, job, a_file("same"))
    assert writers(store, joined(store, left, right, left)) == {"same": left.id}


def test_what_arrived_without_a_job_brings_no_files(store: Store, fetch: Job) -> None:
    recorded(store, fetch, a_file("video"))
    stored_arrival(store, fetch, join_id=JOIN, position=1, job_id=None)
    assert writers(store, joined(store, fetch)) == {"video": fetch.id}


def test_a_job_behind_a_join_that_starts_empty_holds_nothing(store: Store, fetch: Job) -> None:
    recorded(store, fetch, a_file("video"))
    assert writers(store, joined(store, fetch, workspace=WorkspaceMode.EMPTY)) == {}


def test_joins_behind_joins_are_folded_all_the_way(store: Store, fetch: Job) -> None:
    recorded(store, fetch, a_file("root"))
    job, expected = fetch, {"root": fetch.id}
    for depth in range(40):
        sides = [branch(store, job, f"{side}-{depth}") for side in ("left", "right")]
        for side in sides:
            recorded(store, side, a_file("same"), a_file(f"by/{side.step_id}"))
            expected |= {"same": side.id, f"by/{side.step_id}": side.id}
        job = joined(store, *sides, join_id=f"{depth}:join")
    assert writers(store, job) == expected


def test_a_branch_is_not_changed_by_what_the_others_hold(store: Store, fetch: Job) -> None:
    left, right = branch(store, fetch, "left"), branch(store, fetch, "right")
    recorded(store, fetch, a_file("video"))
    recorded(store, left, a_file("video", Change.REMOVED))
    job = branch(store, joined(store, left, right), "after")
    assert (writers(store, left), writers(store, job)) == ({}, {"video": fetch.id})
