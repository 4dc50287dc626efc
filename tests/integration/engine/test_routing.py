"""What follows from a success."""

from __future__ import annotations

import json

import pytest

from ductile.dispatch.interfaces import Trigger
from ductile.errors import DuplicateJob
from ductile.model.event import STEP_SUCCEEDED
from ductile.model.ids import JobId, new_id
from ductile.model.job import JobStatus
from ductile.model.run import RunStatus
from ductile.telemetry.signals import RunSettled
from tests.support.builders import a_job, stored_child, stored_job
from tests.support.scripts import KEEP_REQUEST, OK, answer, emits, fails
from tests.support.site import Site


def test_an_event_starts_every_pipeline_that_listens_to_its_type_and_no_other(site: Site) -> None:
    site.plugin("end", OK)
    site.pipeline(
        """
        - {name: first, on: go, steps: [{uses: end}]}
        - {name: second, on: go, steps: [{uses: end}]}
        - {name: third, on: gone, steps: [{uses: end}]}
        """
    )
    with site.running() as running:
        chain = running.finish("go")
    assert {run.pipeline_name for run in chain.records.runs} == {"first", "second"}


def test_a_run_keeps_version_event_and_depth(site: Site) -> None:
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: end}]}")
    with site.running() as running:
        chain = running.finish("go")
        [run] = chain.records.runs
        kept = running.gateway.store.read(lambda tx: tx.versions.get(run.pipeline_hash))
    assert kept is not None
    assert (run.depth, run.event_id) == (1, chain.records.events[0].id)
    assert (run.parent_run_id, run.parent_job_id) == (None, None)
    assert (run.status, run.open_jobs) == (RunStatus.SUCCEEDED, 0)


def test_a_success_without_events_is_followed_by_its_next_step(site: Site) -> None:
    site.plugin("silent", answer(result="all well"))
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: silent}, {uses: end}]}")
    with site.running() as running:
        chain = running.finish("go")
    _, synthetic = chain.records.events
    assert (synthetic.type, synthetic.payload) == (STEP_SUCCEEDED, {"result": "all well"})
    assert synthetic.job_id == chain.job("silent").id
    assert chain.job("end").source_event_id == synthetic.id
    assert chain.job("end").parent_job_id == chain.job("silent").id


def test_a_result_in_the_baggage_is_not_hidden_by_the_line_for_people(site: Site) -> None:
    site.plugin("silent", answer(result="all well", state_updates={"result": {"grade": 1}}))
    site.plugin("end", KEEP_REQUEST + answer())
    site.pipeline("- {name: p, on: go, steps: [{uses: silent}, {uses: end}]}")
    with site.running() as running:
        chain = running.finish("go")
        kept = (running.workspace(chain.job("end")) / "request.json").read_bytes()
    assert json.loads(kept)["event"]["payload"]["result"] == {"grade": 1}


def test_several_events_give_several_children_each_with_its_own_payload(site: Site) -> None:
    site.plugin("split-up", emits(("part", {"n": 1}), ("part", {"n": 2}), ("part", {"n": 3})))
    site.plugin("work", OK)
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: split-up}, {uses: work}, {uses: end}]}")
    with site.running() as running:
        chain = running.finish("go")
        settled = running.signals.of(RunSettled)
    events = {event.id: event for event in chain.records.events}
    works = [job for job in chain.jobs if job.plugin == "work"]
    assert [events[job.source_event_id].payload["n"] for job in works] == [1, 2, 3]
    assert len({job.event_context_id for job in works}) == 1
    ends = [job for job in chain.jobs if job.plugin == "end"]
    assert len(ends) == 3
    assert {job.parent_job_id for job in ends} == {job.id for job in works}
    assert len(settled) == 1, "a run is settled once, with its last job"


def test_an_emitted_event_is_offered_to_the_pipelines_that_listen_to_it_as_well(
    site: Site,
) -> None:
    site.plugin("find", emits(("found", {"n": 1})))
    site.plugin("end", OK)
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: find}, {id: inside, uses: end}]}
        - {name: q, on: found, steps: [{id: outside, uses: end}]}
        """
    )
    with site.running() as running:
        chain = running.finish("go")
    first, second = chain.records.runs
    assert chain.job("inside").run_id == first.id
    assert chain.job("outside").run_id == second.id
    assert (second.depth, second.parent_run_id) == (2, first.id)
    assert second.parent_job_id == chain.job("find").id
    assert chain.job("outside").parent_job_id == chain.job("find").id


def test_the_caller_continues_after_a_called_pipeline_within_one_run(site: Site) -> None:
    for name in ("before", "inner", "after"):
        site.plugin(name, answer(state_updates={name: True}))
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: before}, {id: c, call: q}, {uses: after}]}
        - {name: q, on: other, steps: [{uses: inner}]}
        """
    )
    with site.running() as running:
        chain = running.finish("go")
    assert [job.plugin for job in chain.jobs] == ["before", "inner", "after"]
    assert len(chain.records.runs) == 1
    read = chain.baggage_of(chain.job("after"))
    assert (read["before"], read["inner"]) == (True, True)


def test_a_split_runs_every_branch_and_the_same_plugin_twice_too(site: Site) -> None:
    site.plugin("first", OK)
    site.plugin("work", OK)
    site.pipeline(
        """
        - name: p
          on: go
          steps:
            - uses: first
            - split: [{id: one, uses: work}, {id: two, uses: work}, {id: three, uses: work}]
        """
    )
    with site.running() as running:
        chain = running.finish("go")
    assert {job.step_id for job in chain.jobs} == {"first", "one", "two", "three"}
    assert {job.status for job in chain.jobs} == {JobStatus.SUCCEEDED}
    assert {chain.job(step).parent_job_id for step in ("one", "two", "three")} == {
        chain.job("first").id
    }


def test_a_failed_branch_leaves_the_others_alone_and_fails_the_run(site: Site) -> None:
    site.plugin("bad", fails("no luck", retry=False))
    site.plugin("good", OK)
    site.plugin("end", OK)
    site.pipeline(
        """
        - name: p
          on: go
          steps:
            - split:
                - steps: [{uses: bad}, {id: never, uses: end}]
                - steps: [{uses: good}, {id: always, uses: end}]
        """
    )
    with site.running() as running:
        chain = running.finish("go")
    assert {job.step_id for job in chain.jobs} == {"bad", "good", "always"}
    [run] = chain.records.runs
    assert run.status is RunStatus.FAILED
    assert run.reason == 'step "bad" failed: no luck'


def test_a_plugin_that_a_trigger_names_runs_outside_any_pipeline(site: Site) -> None:
    site.plugin("receive", emits(("go", {"n": 1})))
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: end}]}")
    with site.running() as running:
        accepted = running.gateway.intake.accept(Trigger("raw", {}, "test", plugin="receive"))
        chain = running.ended(accepted.event_id)
    assert (chain.job("receive").run_id, chain.job("receive").step_id) == (None, None)
    [run] = chain.records.runs
    assert (run.depth, run.parent_run_id) == (1, None)
    assert run.parent_job_id == chain.job("receive").id
    assert chain.job("end").parent_job_id == chain.job("receive").id


def test_a_pipeline_that_a_trigger_names_starts_whatever_its_type(site: Site) -> None:
    site.plugin("end", OK)
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: end}]}
        - {name: q, on: other, steps: [{uses: end}]}
        """
    )
    with site.running() as running:
        accepted = running.gateway.intake.accept(Trigger("other", {}, "test", pipeline="p"))
        chain = running.ended(accepted.event_id)
    assert [run.pipeline_name for run in chain.records.runs] == ["p"]


def test_a_run_goes_on_with_the_version_that_it_started_with(site: Site) -> None:
    for name in ("first", "old", "new"):
        site.plugin(name, OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: first}, {uses: old}]}")
    with site.running(start=False) as running:
        event_id = running.send("go").event_id
    site.pipeline("- {name: p, on: go, steps: [{uses: first}, {uses: new}]}")
    with site.running() as running:
        chain = running.ended(event_id)
        other = running.finish("go")
    assert [job.plugin for job in chain.jobs] == ["first", "old"]
    assert [job.plugin for job in other.jobs] == ["first", "new"]
    assert chain.records.runs[0].pipeline_hash != other.records.runs[0].pipeline_hash


def test_a_second_child_of_the_same_step_parent_and_event_is_refused(site: Site) -> None:
    with site.running(start=False) as running:
        store = running.gateway.store
        parent = stored_job(store)
        child = stored_child(store, parent, step_id="next")

        def again(event_context_id: str) -> None:
            twin = a_job(
                id=JobId(new_id()),
                chain_id=child.chain_id,
                source_event_id=child.source_event_id,
                event_context_id=event_context_id,
                parent_job_id=parent.id,
                step_id="next",
            )
            store.write(lambda tx: tx.jobs.add(twin))

        with pytest.raises(DuplicateJob):
            again(child.event_context_id)
