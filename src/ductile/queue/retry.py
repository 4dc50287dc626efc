"""When a failed job is tried again: pure rules."""

from __future__ import annotations

from datetime import timedelta

from ductile.model.job import Job
from ductile.model.policy import RetryPolicy


def delay(policy: RetryPolicy, failures: int, jitter: float) -> timedelta:
    """How long to wait after the `failures`-th failure, counted from 1.

    The wait doubles up to `policy.backoff_cap`; a first wait that is longer by itself is kept.
    `jitter`, from 0 up to but not 1, adds up to a quarter, so that jobs that failed together
    do not come back together.
    """
    if failures < 1:
        raise ValueError(f"expected the number of failures, at least 1; found {failures}")
    longest = max(policy.backoff_base, policy.backoff_cap)
    # More doublings than this pass any limit, and would overflow before they are cut.
    doublings = min(failures - 1, 64)
    seconds = policy.backoff_base.total_seconds() * 2**doublings
    wait = timedelta(seconds=min(seconds, longest.total_seconds()))
    return wait + wait * (jitter / 4)


def exhausted(job: Job) -> bool:
    """Whether the attempt that the job is at was its last."""
    return job.tries >= job.max_attempts
