"""When a failed job is tried again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.model.policy import RetryPolicy
from ductile.queue.retry import delay, exhausted
from tests.support.builders import a_job

POLICY = RetryPolicy(backoff_base=timedelta(seconds=30))
#: The shortest and the longest cap that are tried.
CAPS = POLICY.backoff_base, timedelta(days=30)


@pytest.mark.parametrize(("failures", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 240)])
def test_the_wait_doubles_with_each_failure(failures: int, seconds: int) -> None:
    assert delay(POLICY, failures, 0.0) == timedelta(seconds=seconds)


def test_jitter_adds_up_to_a_quarter() -> None:
    assert delay(POLICY, 1, 0.5) == timedelta(seconds=33.75)


@given(st.integers(1, 10**9), st.floats(0, 1, exclude_max=True), st.timedeltas(*CAPS))
def test_no_wait_grows_beyond_the_cap_and_its_jitter(
    failures: int, jitter: float, cap: timedelta
) -> None:
    policy = replace(POLICY, backoff_cap=cap)
    assert timedelta(0) < delay(policy, failures, jitter) <= cap * 1.25


def test_a_wait_is_a_day_at_the_most_unless_told_otherwise() -> None:
    assert delay(RetryPolicy(), 10**9, 0.0) == timedelta(days=1)


def test_a_first_wait_that_is_longer_than_the_cap_is_kept() -> None:
    policy = RetryPolicy(backoff_base=timedelta(days=3), backoff_cap=timedelta(minutes=5))
    assert delay(policy, 5, 0.0) == timedelta(days=3)


def test_a_base_of_nothing_means_no_wait() -> None:
    assert delay(RetryPolicy(backoff_base=timedelta(0)), 3, 0.9) == timedelta(0)


def test_a_wait_without_a_failure_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1; found 0"):
        delay(POLICY, 0, 0.0)


@pytest.mark.parametrize(
    ("attempt", "interruptions", "over"), [(3, 0, False), (4, 0, True), (4, 1, False), (6, 2, True)]
)
def test_interrupted_attempts_do_not_use_up_a_job(
    attempt: int, interruptions: int, over: bool
) -> None:
    job = a_job(max_attempts=4, attempt=attempt, interruptions=interruptions)
    assert exhausted(job) is over
