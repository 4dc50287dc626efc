"""The promises of `Runs`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ductile.errors import StorageError, Violation
from ductile.model.ids import PipelineHash, RunId
from ductile.model.run import Failure, Phase, Run, RunStatus
from ductile.storage.interfaces import Store
from tests.support.builders import a_failure, a_run, an_event, stored_run
from tests.support.clock import START

LATER = START + timedelta(seconds=9)
NOBODY = RunId("nobody")
ENDS = [each for each in RunStatus if each is not RunStatus.RUNNING]


def advanced(store: Store, run: Run, by: int, failure: Failure | None = None) -> Run:
    return store.write(lambda tx: tx.runs.advance(run.id, by=by, failure=failure))


def finished(
    store: Store, run: Run, status: RunStatus = RunStatus.SUCCEEDED, reason: str | None = None
) -> Run:
    return store.write(lambda tx: tx.runs.finish(run.id, status, now=LATER, reason=reason))


def test_a_run_comes_back_as_it_was_written(store: Store) -> None:
    run = stored_run(store)
    assert store.read(lambda tx: tx.runs.get(run.id)) == run


def test_a_run_keeps_its_phase_its_failure_and_its_deadline(store: Store) -> None:
    run = stored_run(store, phase=Phase.FINALLY, failure=a_failure(), deadline_at=LATER)
    assert store.read(lambda tx: tx.runs.get(run.id)) == run


def test_a_run_of_a_version_that_is_not_kept_is_refused_by_name(store: Store) -> None:
    event = an_event()
    store.write(lambda tx: tx.events.add(event))
    run = a_run(event, pipeline_hash=PipelineHash("blake3:other"))
    with pytest.raises(StorageError, match="pipeline version blake3:other"):
        store.write(lambda tx: tx.runs.add(run))


# Advancing


@pytest.mark.parametrize(("by", "open_jobs"), [(3, 5), (0, 2), (-1, 1)])
def test_advancing_counts_the_open_jobs(store: Store, by: int, open_jobs: int) -> None:
    assert advanced(store, stored_run(store, open_jobs=2), by).open_jobs == open_jobs


def test_a_run_does_not_end_by_itself(store: Store) -> None:
    run = advanced(store, stored_run(store), by=-1)
    assert (run.status, run.open_jobs, run.completed_at) == (RunStatus.RUNNING, 0, None)


def test_a_run_remembers_its_first_failure(store: Store) -> None:
    run, first = stored_run(store, open_jobs=3), a_failure(error="first")
    advanced(store, run, by=-1, failure=first)
    advanced(store, run, by=-1, failure=a_failure(error="second"))
    assert advanced(store, run, by=-1).failure == first


def test_a_failure_that_is_no_unicode_is_remembered_all_the_same(store: Store) -> None:
    run = advanced(store, stored_run(store), by=-1, failure=a_failure(error="a\udcffb"))
    assert run.failure is not None
    assert run.failure.error.startswith("a�")


def test_a_run_that_is_over_does_not_advance(store: Store) -> None:
    run = finished(store, stored_run(store, open_jobs=0))
    with pytest.raises(Violation, match="cannot advance; it is over, as succeeded"):
        advanced(store, run, by=1)


def test_a_run_cannot_close_more_jobs_than_are_open(store: Store) -> None:
    run = stored_run(store)
    with pytest.raises(Violation, match="fewer open jobs than the 2 that are to end"):
        advanced(store, run, by=-2)


def test_an_unknown_run_does_not_advance(store: Store) -> None:
    with pytest.raises(Violation, match="run nobody cannot advance; it does not exist"):
        store.write(lambda tx: tx.runs.advance(NOBODY, by=-1))


# Moving


def test_a_run_moves_to_its_next_phase(store: Store) -> None:
    run = stored_run(store)
    store.write(lambda tx: tx.runs.move(run.id, Phase.ON_FAILURE))
    moved = store.read(lambda tx: tx.runs.get(run.id))
    assert moved is not None
    assert moved.phase is Phase.ON_FAILURE


def test_a_run_that_is_over_does_not_move(store: Store) -> None:
    run = finished(store, stored_run(store, open_jobs=0))
    with pytest.raises(Violation, match='cannot move to "finally"; it is over, as succeeded'):
        store.write(lambda tx: tx.runs.move(run.id, Phase.FINALLY))


# Finishing


@pytest.mark.parametrize("status", ENDS)
def test_a_run_without_open_jobs_ends_as_told(store: Store, status: RunStatus) -> None:
    reason = None if status is RunStatus.SUCCEEDED else "the step took too long"
    run = finished(store, stored_run(store, open_jobs=0), status, reason)
    assert (run.status, run.reason, run.completed_at) == (status, reason, LATER)


def test_a_run_keeps_its_failure_when_it_ends(store: Store) -> None:
    run = stored_run(store, open_jobs=0, failure=a_failure())
    assert finished(store, run, RunStatus.FAILED, "e").failure == run.failure


def test_a_run_does_not_end_while_a_job_is_open(store: Store) -> None:
    run = stored_run(store)
    with pytest.raises(Violation, match="a_terminal_run_has_no_open_job"):
        finished(store, run)
    assert store.read(lambda tx: tx.runs.get(run.id)) == run


def test_a_run_ends_once(store: Store) -> None:
    run = finished(store, stored_run(store, open_jobs=0))
    with pytest.raises(Violation, match="cannot end; it is over, as succeeded"):
        finished(store, run, RunStatus.FAILED, "late")


def test_an_unknown_run_does_not_end(store: Store) -> None:
    with pytest.raises(Violation, match="run nobody cannot end; it does not exist"):
        store.write(lambda tx: tx.runs.finish(NOBODY, RunStatus.SUCCEEDED, now=LATER))


@pytest.mark.parametrize("status", ENDS)
def test_a_reason_goes_with_every_end_but_success(store: Store, status: RunStatus) -> None:
    run = stored_run(store, open_jobs=0)
    reason = "why" if status is RunStatus.SUCCEEDED else None
    with pytest.raises(Violation, match="a_run_that_did_not_succeed_has_a_reason"):
        finished(store, run, status, reason)


def test_running_is_no_end(store: Store) -> None:
    run = stored_run(store, open_jobs=0)
    with pytest.raises(ValueError, match="expected a terminal status"):
        finished(store, run, RunStatus.RUNNING)


# Deadlines


def test_a_run_is_overdue_from_the_moment_of_its_deadline(store: Store) -> None:
    run = stored_run(store, deadline_at=LATER)
    before = store.read(lambda tx: tx.runs.overdue(LATER - timedelta(microseconds=1)))
    then = store.read(lambda tx: tx.runs.overdue(LATER))
    assert (before, then) == ([], [run])


def test_runs_that_are_overdue_come_with_the_earliest_deadline_first(store: Store) -> None:
    second = stored_run(store, deadline_at=LATER)
    first = stored_run(store, deadline_at=START)
    stored_run(store)
    overdue = store.read(lambda tx: tx.runs.overdue(LATER))
    assert overdue == [first, second]


def test_a_run_that_is_over_is_not_overdue(store: Store) -> None:
    finished(store, stored_run(store, open_jobs=0, deadline_at=START))
    assert store.read(lambda tx: tx.runs.overdue(LATER)) == []


# Descent


def test_the_path_of_a_run_begins_with_the_outermost(store: Store) -> None:
    event = an_event()
    store.write(lambda tx: tx.events.add(event))
    outer = stored_run(store, event)
    middle = stored_run(store, event, depth=2, parent_run_id=outer.id)
    inner = stored_run(store, event, depth=3, parent_run_id=middle.id)
    stored_run(store, event, depth=2, parent_run_id=outer.id)
    assert store.read(lambda tx: tx.runs.path(inner.id)) == [outer, middle, inner]
