"""What a settlement leaves behind: all that follows from an outcome, or nothing."""

from __future__ import annotations

import sys

import pytest

from ductile.dispatch.interfaces import Trigger
from ductile.dsl.graph import Step
from ductile.errors import StorageError
from ductile.model.job import JobStatus
from ductile.model.outcome import Succeeded
from ductile.router.interfaces import Next, Routing
from ductile.telemetry.signals import JobSettled, PartFailed
from tests.integration.engine.gate import Gate
from tests.integration.engine.parts import (
    Members,
    an_artifact,
    assignment,
    let_in,
    success,
    tables,
    two_pipelines,
)
from tests.support.builders import an_attempt
from tests.support.scripts import OK, answer
from tests.support.site import Site

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
    two_pipelines(site)
    one = members("one", router=Stutter(Step("end", "end", "handle")))
    job = let_in(one)
    before = tables(site)
    one.settler.apply(assignment(one), an_attempt(success()))
    after = tables(site)
    assert one.job(job).status is JobStatus.FAILED
    assert "has a job for event" in str(one.job(job).last_error)
    kept = ("event", "context", "artifact", "plugin_state")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert len(after["job_queue"]) == 1
    assert [row[2] for row in after["job_log"]] == ["failed"]


def test_a_success_of_which_one_row_cannot_be_stored_leaves_none(
    site: Site, members: Members
) -> None:
    site.plugin("work", OK)
    two_pipelines(site)
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
    two_pipelines(site)
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
    two_pipelines(site)
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
    two_pipelines(site)
    one = members("one")
    one.core.store.close()
    with pytest.raises(StorageError):
        one.intake.accept(Trigger("go", {}, "test"))
