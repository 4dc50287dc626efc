"""Who can have changed a file, by times alone."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ductile.insights.integrity.suspects import TICK, Holder, first_possible, moment_of
from ductile.model.clock import to_text
from ductile.model.ids import JobId
from tests.support.clock import START

SECOND = timedelta(seconds=1)
START_NS = int(START.timestamp()) * 10**9


def a_holder(name: str, begin: int, end: int | None) -> Holder:
    """An attempt from and to so many seconds after the start."""
    ended = None if end is None else START + end * SECOND
    return Holder(JobId(name), 1, f"step-{name}", START + begin * SECOND, ended)


def named(holders: list[Holder], written: int) -> str | None:
    """Who is named for a file that was sealed an hour before the start, and written then."""
    return first_possible(
        holders, sealed_ns=START_NS - 3600 * 10**9, mtime_ns=START_NS + written * 10**9
    ).job_id


def test_the_job_that_ran_at_the_last_write_is_named() -> None:
    assert named([a_holder("a", 0, 2), a_holder("b", 4, 6)], 5) == "b"


def test_of_several_that_ran_the_one_that_began_first_is_named() -> None:
    assert named([a_holder("b", 1, 9), a_holder("a", 3, 9), a_holder("c", 0, 2)], 5) == "b"


def test_a_job_that_still_runs_can_have_done_it() -> None:
    assert named([a_holder("a", 0, 2), a_holder("b", 4, None)], 50) == "b"


def test_between_two_jobs_nobody_is_named() -> None:
    assert named([a_holder("a", 0, 2), a_holder("b", 4, 6)], 3) is None


def test_a_stamp_of_the_tick_before_the_attempt_began_counts_for_it() -> None:
    begin_ns = START_NS - int(TICK / timedelta(microseconds=1)) * 1000
    found = first_possible([a_holder("a", 0, 2)], sealed_ns=0, mtime_ns=begin_ns)
    assert found.job_id == "a"


def test_a_time_that_was_put_back_names_the_first_to_have_the_file() -> None:
    holders = [a_holder("b", 4, 6), a_holder("a", 0, 2)]
    found = first_possible(holders, sealed_ns=START_NS, mtime_ns=START_NS)
    assert found.job_id == "a"
    assert "put back" in found.reason


def test_a_file_that_no_other_job_had_was_changed_outside_of_any() -> None:
    found = first_possible([], sealed_ns=START_NS, mtime_ns=START_NS)
    assert found.job_id is None
    assert "no other job ever had the file" in found.reason


def test_a_time_of_the_file_system_is_told_in_utc() -> None:
    assert to_text(moment_of(START_NS + 1_500)) == "2026-02-14T12:00:00.000001Z"


spans = st.tuples(st.integers(0, 50), st.none() | st.integers(0, 50)).map(
    lambda span: (span[0], None if span[1] is None else span[0] + span[1])
)


@given(st.lists(spans, max_size=6), st.integers(-5, 110))
def test_whoever_is_named_was_there_and_nobody_who_was_there_began_earlier(
    given_spans: list[tuple[int, int | None]], written: int
) -> None:
    holders = [a_holder(str(n), *span) for n, span in enumerate(given_spans)]
    there = [
        each
        for each, (begin, end) in zip(holders, given_spans, strict=True)
        if begin <= written and (end is None or written <= end)
    ]
    found = named(holders, written)
    assert (found is None) == (not there)
    if found is not None:
        begun = {each.job_id: each.started_at for each in there}
        assert begun[JobId(found)] == min(begun.values())
        assert named(holders[::-1], written) == found
