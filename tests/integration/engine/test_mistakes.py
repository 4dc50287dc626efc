"""A mistake of the core itself, or a moment of weakness of the disk, holds no job for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from ductile.dispatch.assignment import Assignment
from ductile.dispatch.attempt import Attempts
from ductile.dispatch.interfaces import Trigger
from ductile.model.job import Job, JobStatus
from ductile.model.outcome import Attempt
from ductile.plugin.interfaces import StopToken
from ductile.router.interfaces import Next
from ductile.telemetry.signals import JobSettled, PartFailed
from tests.integration.engine.parts import Member, UnreadableVersions, member
from tests.support.clock import FakeClock
from tests.support.scripts import OK
from tests.support.site import Site


class Confused:
    """A router, and attempts, that fail in a way that nobody expected."""

    def next(self, *_: object) -> Next:
        raise FileNotFoundError(2, "No such file", "/data/ws/secret-place")


class ConfusedAttempts(Attempts):
    def __init__(self) -> None:
        pass

    def run(self, assignment: Assignment, stop: StopToken) -> Attempt:
        raise FileNotFoundError(2, "No such file", "/data/ws/secret-place")


@pytest.fixture(params=["router", "attempts"])
def confused(request: pytest.FixtureRequest, site: Site) -> Iterator[Member]:
    """A member of which one part is confused."""
    once = {"retry": {"max_attempts": 1}}
    site.config["plugins"] = {"work": once}
    site.plugin("work", 'echo \'{"status":"ok","state_updates":{"a":1}}\'')
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: work}, {uses: end}]}")
    part: Any = Confused() if request.param == "router" else ConfusedAttempts()
    parts = {request.param: part}
    with closing(member(site, "one", FakeClock(), **parts)) as one:
        yield one


def performed(one: Member) -> Job:
    """The job of an event, after one look of the dispatcher."""
    accepted = one.core.intake(lambda: None).accept(Trigger("go", {}, "test"))
    one.dispatcher.run_once()
    one.signals.wait_for(JobSettled)
    found = one.core.store.read(lambda tx: tx.jobs.get(accepted.job_ids[0]))
    assert found is not None
    return found


def test_it_counts_as_a_failure_and_leaves_no_path_in_the_ledger(confused: Member) -> None:
    job = performed(confused)
    assert job.status is JobStatus.FAILED
    assert job.last_error == "the core failed (FileNotFoundError); the gateway's log says more"


def test_the_log_says_what_happened(confused: Member) -> None:
    performed(confused)
    assert "No such file" in confused.signals.wait_for(PartFailed).error


def test_a_job_that_cannot_be_read_for_a_moment_is_read_again(site: Site) -> None:
    site.plugin("work", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: work}]}")
    # Once with the claim, and once by the worker.
    pinned = UnreadableVersions(2)
    with closing(member(site, "one", FakeClock(), pinned=pinned)) as one:
        [job_id] = one.intake.accept(Trigger("go", {}, "test")).job_ids
        one.dispatcher.run_once()
        one.signals.wait_for(JobSettled)
        assert one.signals.of(PartFailed)[0].part == "load"
        found = one.core.store.read(lambda tx: tx.jobs.get(job_id))
    assert found is not None
    assert (found.status, found.attempt) == (JobStatus.SUCCEEDED, 1)
