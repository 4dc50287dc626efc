"""From what all workspaces behind a join descend, and what they were only handed on of it."""

from __future__ import annotations

import pytest

from ductile.model.artifact import Change
from ductile.model.ids import JobId
from ductile.model.job import Job
from ductile.model.policy import WorkspaceMode
from ductile.storage.interfaces import Store
from tests.support.builders import (
    a_file,
    recorded,
    stored_arrival,
    stored_child,
    stored_job,
    stored_run,
)


@pytest.fixture
def fetch(store: Store) -> Job:
    """The first job of a run."""
    return stored_job(store, run_id=stored_run(store).id, step_id="fetch")


def after(store: Store, parent: Job, step: str, **fields: object) -> Job:
    return stored_child(store, parent, run_id=parent.run_id, step_id=step, **fields)


def joined(store: Store, *sources: Job, name: str = "report", **fields: object) -> Job:
    """A job behind a join at which the sources arrived, in merge order."""
    for position, source in enumerate(sources):
        stored_arrival(store, source, join_id=f"{name}:join", position=position)
    return after(store, sources[-1], name, join_id=f"{name}:join", **fields)


def base(store: Store, job: Job) -> JobId | None:
    found = bases(store, job)
    assert len(found) <= 1
    return found[0] if found else None


def bases(store: Store, job: Job) -> list[JobId]:
    return list(store.read(lambda tx: tx.artifacts.bases(job.id)))


def writers(store: Store, job: Job) -> dict[str, JobId]:
    """Which job wrote what a workspace holds; asked as a whole, and path by path."""
    held = store.read(lambda tx: tx.artifacts.held(job.id))
    one_by_one = store.read(lambda tx: {path: tx.artifacts.origin(job.id, path) for path in held})
    assert one_by_one == held
    return {path: owner for path, (owner, _) in held.items()}


# The base


def test_the_base_of_branches_is_the_job_before_them(store: Store, fetch: Job) -> None:
    left, right = after(store, fetch, "left"), after(store, fetch, "right")
    assert base(store, joined(store, left, right)) == fetch.id


def test_long_branches_have_the_base_of_short_ones(store: Store, fetch: Job) -> None:
    left = after(store, after(store, after(store, fetch, "a"), "b"), "c")
    right = after(store, fetch, "right")
    assert base(store, joined(store, left, right)) == fetch.id


def test_the_base_is_the_nearest_of_all_that_are_common(store: Store, fetch: Job) -> None:
    middle = after(store, fetch, "middle")
    left, right = after(store, middle, "left"), after(store, middle, "right")
    assert base(store, joined(store, left, right)) == middle.id


def test_the_base_of_three_is_common_to_all_of_them(store: Store, fetch: Job) -> None:
    middle = after(store, fetch, "middle")
    left, right = after(store, middle, "left"), after(store, middle, "right")
    other = after(store, fetch, "other")
    assert base(store, joined(store, left, right, other)) == fetch.id


def test_a_job_that_arrives_beside_its_own_descendant_is_their_base(
    store: Store, fetch: Job
) -> None:
    left = after(store, fetch, "left")
    assert base(store, joined(store, fetch, left)) == fetch.id


def test_a_join_before_both_branches_is_their_base(store: Store, fetch: Job) -> None:
    first = joined(store, after(store, fetch, "a"), after(store, fetch, "b"), name="first")
    left, right = after(store, first, "left"), after(store, first, "right")
    assert base(store, joined(store, left, right)) == first.id


def test_a_join_within_one_branch_does_not_hide_what_is_before_it(store: Store, fetch: Job) -> None:
    inner = joined(store, after(store, fetch, "a"), after(store, fetch, "b"), name="inner")
    right = after(store, fetch, "right")
    assert base(store, joined(store, inner, right)) == fetch.id


def test_what_a_join_gathered_are_the_bases_of_the_branches_behind_it(
    store: Store, fetch: Job
) -> None:
    gathered = [after(store, fetch, "a"), after(store, fetch, "b")]
    left = joined(store, *gathered, name="first")
    right = joined(store, *gathered, name="second")
    assert bases(store, joined(store, left, right)) == [job.id for job in gathered]


def test_branches_that_begin_with_nothing_in_common_have_no_base(store: Store, fetch: Job) -> None:
    left = after(store, fetch, "left", workspace=WorkspaceMode.EMPTY)
    right = after(store, fetch, "right")
    assert base(store, joined(store, left, right)) is None


def test_a_job_that_begins_empty_has_no_base(store: Store, fetch: Job) -> None:
    left, right = after(store, fetch, "left"), after(store, fetch, "right")
    job = joined(store, left, right, workspace=WorkspaceMode.EMPTY)
    assert base(store, job) is None


def test_the_first_job_of_a_chain_has_no_base(store: Store, fetch: Job) -> None:
    assert base(store, fetch) is None


# What was only handed on


def test_a_change_survives_a_later_branch_that_left_the_file_alone(
    store: Store, fetch: Job
) -> None:
    left, right = after(store, fetch, "left"), after(store, fetch, "right")
    recorded(store, fetch, a_file("video"))
    recorded(store, left, a_file("video", Change.REPLACED, blake3="cd" * 32))
    assert writers(store, joined(store, left, right)) == {"video": left.id}


def test_of_two_changes_the_later_counts_whoever_left_it_alone_after_them(
    store: Store, fetch: Job
) -> None:
    branches = [after(store, fetch, step) for step in ("left", "middle", "right")]
    recorded(store, fetch, a_file("video"))
    for branch in branches[:2]:
        recorded(store, branch, a_file("video", Change.REPLACED))
    assert writers(store, joined(store, *branches)) == {"video": branches[1].id}


def test_a_change_before_an_inner_join_survives_it_and_the_outer_one(
    store: Store, fetch: Job
) -> None:
    recorded(store, fetch, a_file("video"))
    left, beside = after(store, fetch, "left"), after(store, fetch, "beside")
    recorded(store, left, a_file("video", Change.REPLACED))
    inner = joined(store, left, beside, name="inner")
    outer = joined(store, inner, after(store, fetch, "right"), name="outer")
    assert writers(store, outer) == {"video": left.id}


def test_a_file_in_place_of_a_directory_survives_a_later_branch_that_has_the_directory(
    store: Store, fetch: Job
) -> None:
    left, right = after(store, fetch, "left"), after(store, fetch, "right")
    recorded(store, fetch, a_file("a/b"))
    recorded(store, left, a_file("a/b", Change.REMOVED), a_file("a"))
    assert writers(store, joined(store, left, right)) == {"a": left.id}


def test_a_directory_in_place_of_a_file_survives_a_later_branch_that_has_the_file(
    store: Store, fetch: Job
) -> None:
    left, right = after(store, fetch, "left"), after(store, fetch, "right")
    recorded(store, fetch, a_file("a"))
    recorded(store, left, a_file("a", Change.REMOVED), a_file("a/b"))
    assert writers(store, joined(store, left, right)) == {"a/b": left.id}


def test_what_all_branches_removed_is_gone(store: Store, fetch: Job) -> None:
    left, right = after(store, fetch, "left"), after(store, fetch, "right")
    recorded(store, fetch, a_file("video"))
    for branch in (left, right):
        recorded(store, branch, a_file("video", Change.REMOVED))
    assert writers(store, joined(store, left, right)) == {}
