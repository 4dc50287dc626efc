"""Dedupe: what repeats starts nothing, and names the first."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from ductile.dispatch.interfaces import Trigger
from ductile.dispatch.pruner import Pruner
from ductile.errors import StorageError
from ductile.gateway.core import intake_into
from ductile.model.job import Job, JobStatus
from ductile.model.run import RunStatus
from ductile.storage.sqlite import open_store
from ductile.telemetry.signals import EventRepeated, RunSettled
from tests.integration.engine.parts import member
from tests.support.clock import FakeClock
from tests.support.scripts import OK, answer, fails
from tests.support.site import Chain, Running, Site

LETTER = Trigger("letter.written", {"to": "you"}, "post", dedupe_key="k")


def keyed(*events: tuple[str, str | None]) -> str:
    """Prints an answer with events of these types and keys."""
    return answer(events=[{"type": kind, "payload": {}, "dedupe_key": key} for kind, key in events])


def log_of(chain: Chain, job: Job) -> list[str]:
    return [
        line.message
        for each in chain.records.attempts
        if each.job_id == job.id
        for line in each.logs
    ]


def settled(running: Running, event_id: str) -> Chain:
    """The chain, when its first run has ended."""
    running.signals.wait_for(RunSettled, lambda each: each.chain == event_id)
    return running.chain(event_id)  # type: ignore[arg-type]  # an id is a string


@pytest.fixture
def letters(site: Site) -> Site:
    """Two pipelines that listen to one type, and a plugin that both use."""
    site.plugin("mailer", OK)
    site.pipeline(
        """
        - {name: deliver, on: letter.written, steps: [{uses: mailer}]}
        - {name: archive, on: letter.written, steps: [{uses: mailer}]}
        """
    )
    return site


# Triggers


def test_a_second_trigger_with_a_key_starts_nothing_and_names_the_first(letters: Site) -> None:
    with letters.running(start=False) as running:
        first = running.gateway.intake.accept(LETTER)
        second = running.gateway.intake.accept(LETTER)
        jobs = running.gateway.store.read(lambda tx: tx.views.jobs(limit=10))
    assert len(first.run_ids) == len(jobs) == 2
    assert first.duplicate_of is None
    assert (second.duplicate_of, second.event_id) == (first.event_id, first.event_id)
    assert (second.job_ids, second.run_ids) == (first.job_ids, first.run_ids)
    assert [each.first for each in running.signals.of(EventRepeated)] == [first.event_id]


def test_of_many_triggers_at_once_with_one_key_one_starts_something(letters: Site) -> None:
    with letters.running(start=False) as running, ThreadPoolExecutor(32) as threads:
        futures = [threads.submit(running.gateway.intake.accept, LETTER) for _ in range(32)]
        accepted = [each.result(30) for each in futures]
        jobs = running.gateway.store.read(lambda tx: tx.views.jobs(limit=100))
    assert [each.duplicate_of for each in accepted].count(None) == 1
    assert {each.event_id for each in accepted} == {accepted[0].event_id}
    assert len(jobs) == 2


def test_triggers_of_two_processes_are_held_against_each_other(letters: Site) -> None:
    with letters.running(start=False) as running:
        first = running.gateway.intake.accept(LETTER)
        configuration = letters.read()
        database = configuration.parts()[0].database
        with closing(open_store(database, FakeClock())) as other:
            second = intake_into(configuration, other, FakeClock()).accept(LETTER)
    assert second.duplicate_of == first.event_id


@pytest.mark.parametrize(
    "fields",
    [
        {"dedupe_key": "other"},
        {"dedupe_key": None},
        {"type": "letter.lost"},
        {"pipeline": "deliver"},
        {"plugin": "mailer"},
    ],
)
def test_a_trigger_for_something_else_is_no_repeat(
    letters: Site, fields: Mapping[str, Any]
) -> None:
    trigger = Trigger(
        **{"type": "letter.written", "payload": {}, "source": "post", "dedupe_key": "k", **fields}
    )
    with letters.running(start=False) as running:
        running.gateway.intake.accept(LETTER)
        assert running.gateway.intake.accept(trigger).duplicate_of is None


def test_a_run_of_a_named_pipeline_is_held_against_runs_of_that_pipeline(letters: Site) -> None:
    def named(pipeline: str) -> Trigger:
        return Trigger("any", {}, "cli", pipeline=pipeline, dedupe_key="k")

    with letters.running(start=False) as running:
        accept = running.gateway.intake.accept
        first = accept(named("deliver"))
        assert accept(named("archive")).duplicate_of is None
        assert accept(named("deliver")).duplicate_of == first.event_id


def test_a_key_counts_for_as_long_as_the_setting_says(letters: Site) -> None:
    letters.config["service"] = {"dedupe_ttl": "1h"}
    clock = FakeClock()
    with letters.running(start=False, clock=clock) as running:
        first = running.gateway.intake.accept(LETTER)
        clock.advance(timedelta(minutes=59))
        assert running.gateway.intake.accept(LETTER).duplicate_of == first.event_id
        clock.advance(timedelta(minutes=1))
        later = running.gateway.intake.accept(LETTER)
    assert later.duplicate_of is None
    assert later.event_id != first.event_id


def test_a_key_counts_after_a_restart(letters: Site) -> None:
    with letters.running() as running:
        first = running.gateway.intake.accept(LETTER)
    with letters.running() as running:
        assert running.gateway.intake.accept(LETTER).duplicate_of == first.event_id


def test_a_key_counts_when_its_run_has_failed(site: Site) -> None:
    site.plugin("bad", fails(retry=False))
    site.pipeline("- {name: p, on: letter.written, steps: [{uses: bad}]}")
    with site.running() as running:
        first = running.gateway.intake.accept(LETTER)
        running.signals.wait_for(RunSettled)
        assert running.gateway.intake.accept(LETTER).duplicate_of == first.event_id


def test_a_trigger_that_could_not_be_kept_leaves_no_key(
    letters: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with letters.running(start=False) as running:
        with monkeypatch.context() as patched:
            # The last row that it writes.
            patched.setattr("ductile.storage.sqlite.dedupe.DedupeRows.keep", _full_disk)
            with pytest.raises(StorageError, match="full"):
                running.gateway.intake.accept(LETTER)
        assert running.gateway.intake.accept(LETTER).duplicate_of is None


def _full_disk(*_: object, **__: object) -> None:
    raise StorageError("the disk is full")


# Emitted events


def test_an_emitted_event_that_repeats_starts_no_pipeline_and_its_job_succeeds(site: Site) -> None:
    site.plugin("poller", keyed(("repo.found", "r1"), ("repo.found", "r2")))
    site.plugin("end", OK)
    site.pipeline(
        """
        - {name: look, on: go, steps: [{uses: poller}]}
        - {name: scan, on: repo.found, steps: [{uses: end}]}
        """
    )
    with site.running() as running:
        first = running.finish("go")
        second = running.finish("go")
    assert [run.pipeline_name for run in first.records.runs] == ["look", "scan", "scan"]
    assert [run.pipeline_name for run in second.records.runs] == ["look"]
    [job] = second.jobs
    assert job.status is JobStatus.SUCCEEDED
    originals = [each.id for each in first.records.events if each.type == "repo.found"]
    assert log_of(second, job) == [
        f'event "repo.found" started nothing: its dedupe_key repeats that of event {each}'
        for each in originals
    ]
    assert [each.dedupe_key for each in second.records.events] == [None, "r1", "r2"]


def test_a_step_behind_an_event_that_repeats_is_passed_by_with_a_reason(site: Site) -> None:
    site.plugin("poller", keyed(("found", "k"), ("found", None)))
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: poller}, {id: next, uses: end}]}")
    with site.running() as running:
        first = running.finish("go")
        second = settled(running, running.send("go").event_id)
    assert [job.step_id for job in first.jobs] == ["poller", "next", "next"]
    assert [job.step_id for job in second.jobs] == ["poller", "next"]
    [skip] = second.records.skips
    original = next(each.id for each in first.records.events if each.dedupe_key == "k")
    repeat = next(each.id for each in second.records.events if each.dedupe_key == "k")
    assert (skip.step_id, skip.event_id) == ("next", repeat)
    assert skip.parent_job_id == second.job("poller").id
    assert skip.reason == f"its dedupe_key repeats that of event {original}"


def test_a_run_in_which_nothing_follows_ends_well(site: Site) -> None:
    site.plugin("poller", keyed(("found", "k")))
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: poller}, {id: next, uses: end}]}")
    with site.running() as running:
        running.finish("go")
        second = settled(running, running.send("go").event_id)
    assert [run.status for run in second.records.runs] == [RunStatus.SUCCEEDED]
    assert [job.step_id for job in second.jobs] == ["poller"]


@pytest.mark.parametrize(
    "branch", ["{uses: poller}", "{steps: [{uses: poller}, {id: more, uses: end}]}"]
)
def test_a_join_does_not_wait_for_a_branch_whose_event_repeats(site: Site, branch: str) -> None:
    site.plugin("poller", keyed(("found", "k")))
    site.plugin("end", OK)
    site.pipeline(
        f"- {{name: p, on: go, steps: [{{split: [{branch}, {{id: other, uses: end}}]}}, "
        "{id: last, uses: end}]}"
    )
    with site.running() as running:
        running.finish("go")
        second = settled(running, running.send("go").event_id)
    [run] = second.records.runs
    assert run.status is RunStatus.SUCCEEDED
    assert {job.step_id for job in second.jobs} == {"poller", "other", "last"}
    assert [each.source for each in second.records.arrivals] == ["other"]


def test_a_run_whose_join_nothing_reaches_ends(site: Site) -> None:
    site.plugin("poller", keyed(("found", "k")))
    site.plugin("end", OK)
    site.pipeline(
        "- {name: p, on: go, steps: [{split: [{id: a, uses: poller}, {id: b, uses: poller}]}, "
        "{id: last, uses: end}]}"
    )
    with site.running() as running:
        running.finish("go")
        second = settled(running, running.send("go").event_id)
    assert [run.status for run in second.records.runs] == [RunStatus.SUCCEEDED]
    assert {job.step_id for job in second.jobs} == {"a", "b"}


def test_of_two_events_with_one_key_in_one_answer_the_first_counts(site: Site) -> None:
    site.plugin("poller", keyed(("found", "k"), ("found", "k"), ("lost", "k")))
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: poller}, {id: next, uses: end}]}")
    with site.running() as running:
        chain = running.finish("go")
    assert [job.step_id for job in chain.jobs] == ["poller", "next", "next"]
    _, first, _, other = chain.records.events
    assert [job.source_event_id for job in chain.jobs[1:]] == [first.id, other.id]


def test_an_empty_key_of_a_plugin_is_none(site: Site) -> None:
    site.plugin("poller", keyed(("found", ""), ("found", "")))
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: poller}, {id: next, uses: end}]}")
    with site.running() as running:
        chain = running.finish("go")
    assert [job.step_id for job in chain.jobs] == ["poller", "next", "next"]


def test_a_trigger_that_repeats_an_emitted_event_names_what_that_started(site: Site) -> None:
    site.plugin("poller", keyed(("found", "k")))
    site.plugin("end", OK)
    site.pipeline(
        """
        - {name: look, on: go, steps: [{uses: poller}]}
        - {name: scan, on: found, steps: [{uses: end}]}
        """
    )
    with site.running() as running:
        chain = running.finish("go")
        repeat = running.gateway.intake.accept(Trigger("found", {}, "api", dedupe_key="k"))
    [scan] = [run for run in chain.records.runs if run.pipeline_name == "scan"]
    assert repeat.duplicate_of == chain.records.events[1].id
    assert (repeat.run_ids, repeat.job_ids) == ((scan.id,), (chain.job("end").id,))


def test_an_attempt_that_failed_leaves_no_key(site: Site) -> None:
    site.plugin(
        "poller",
        answer(
            status="error",
            error="not yet",
            events=[{"type": "found", "payload": {}, "dedupe_key": "k"}],
            retry=False,
        ),
    )
    site.pipeline("- {name: look, on: go, steps: [{uses: poller}]}")
    with site.running() as running:
        running.finish("go")
        trigger = Trigger("found", {}, "api", dedupe_key="k")
        assert running.gateway.intake.accept(trigger).duplicate_of is None


# Pruning


def test_the_pruner_forgets_all_that_has_expired_batch_by_batch(letters: Site) -> None:
    clock = FakeClock()
    with closing(member(letters, "w1", clock)) as here:
        for number in range(5):
            here.intake.accept(Trigger("t", {}, "post", dedupe_key=str(number)))
        pruner = Pruner(here.core.store, here.core.settings.inbox, clock, batch=2)
        assert pruner.run_once() == 0
        clock.advance(timedelta(hours=24))
        here.intake.accept(Trigger("t", {}, "post", dedupe_key="young"))
        assert pruner.run_once() == 5
        assert here.intake.accept(Trigger("t", {}, "post", dedupe_key="young")).duplicate_of
