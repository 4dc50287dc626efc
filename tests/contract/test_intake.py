"""What every intake promises."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ductile.dispatch.interfaces import Intake, Trigger
from ductile.errors import NotFound, Refused, StorageError
from ductile.gateway.core import intake_into
from ductile.model.event import Event
from ductile.model.ids import EventId
from ductile.model.job import Job, JobStatus
from ductile.storage.interfaces import Store
from ductile.storage.sqlite import open_store
from tests.support.clock import START, FakeClock
from tests.support.scripts import OK
from tests.support.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.config["service"] = {"max_baggage": "1KiB"}
    made.config["plugins"] = {"sleeper": {"enabled": False}}
    for plugin in ("mailer", "sleeper"):
        made.plugin(plugin, OK)
    made.pipeline(
        """
        - {name: deliver, on: letter.written, steps: [{uses: mailer}]}
        - {name: archive, on: letter.written, steps: [{split: [{id: a, uses: mailer},
                                                              {id: b, uses: mailer}]}]}
        """
    )
    (tmp_path / "data").mkdir()
    return made


@pytest.fixture
def store(site: Site) -> Iterator[Store]:
    settings, _, _ = site.read().parts()
    opened = open_store(settings.database, FakeClock())
    yield opened
    opened.close()


@pytest.fixture
def intake(site: Site, store: Store) -> Intake:
    return intake_into(site.read(), store, FakeClock())


def kept(store: Store) -> list[Job]:
    return list(store.read(lambda tx: tx.views.jobs(limit=1000)))


def event_of(store: Store, event_id: EventId) -> Event | None:
    return store.read(lambda tx: tx.events.get(event_id))


def test_what_was_accepted_is_there_for_every_other_reader(
    site: Site, store: Store, intake: Intake
) -> None:
    accepted = intake.accept(Trigger("letter.written", {"to": "you"}, "post", dedupe_key="k"))
    settings, _, _ = site.read().parts()
    other = open_store(settings.database, FakeClock(), read_only=True)
    try:
        event = event_of(other, accepted.event_id)
        jobs = kept(other)
        runs = other.read(lambda tx: tx.views.runs(limit=10))
    finally:
        other.close()
    assert event == Event(
        accepted.event_id,
        "letter.written",
        {"to": "you"},
        "post",
        START,
        event.chain_id if event else None,  # type: ignore[arg-type]  # None fails the comparison, as it should
        None,
        "k",
    )
    assert {job.id for job in jobs} == set(accepted.job_ids)
    assert len(jobs) == 3
    assert {run.id for run in runs} == set(accepted.run_ids)


def test_the_jobs_are_queued_and_untouched(store: Store, intake: Intake) -> None:
    intake.accept(Trigger("letter.written", {}, "post"))
    assert {(job.status, job.attempt, job.submitted_by) for job in kept(store)} == {
        (JobStatus.QUEUED, 0, "post")
    }


def test_all_jobs_of_one_event_read_one_root_context(store: Store, intake: Intake) -> None:
    intake.accept(Trigger("letter.written", {"to": "you"}, "post"))
    [context_id] = {job.event_context_id for job in kept(store)}
    context = store.read(lambda tx: tx.contexts.get(context_id))
    assert context is not None
    assert (context.parent_id, context.hop, context.baggage["to"]) == (None, 0, "you")


def test_an_event_that_nobody_listens_to_is_kept(store: Store, intake: Intake) -> None:
    accepted = intake.accept(Trigger("letter.lost", {"to": "you"}, "post"))
    assert (accepted.job_ids, accepted.run_ids) == ((), ())
    assert event_of(store, accepted.event_id) is not None


def test_a_future_is_done_after_the_commit(store: Store, intake: Intake) -> None:
    future = intake.submit(Trigger("letter.written", {}, "post"))
    accepted = future.result(30)
    assert event_of(store, accepted.event_id) is not None


def test_fifty_triggers_at_once_are_all_kept(store: Store, intake: Intake) -> None:
    with ThreadPoolExecutor(50) as threads:
        trigger = Trigger("letter.written", {}, "post")
        accepted = [
            each.result(30) for each in [threads.submit(intake.accept, trigger) for _ in range(50)]
        ]
    assert len({each.event_id for each in accepted}) == 50
    assert {job.id for job in kept(store)} == {id for each in accepted for id in each.job_ids}


def test_a_trigger_may_name_a_plugin(store: Store, intake: Intake) -> None:
    accepted = intake.accept(Trigger("letter.written", {}, "post", plugin="mailer"))
    [job] = kept(store)
    assert (job.id,) == accepted.job_ids
    assert (job.plugin, job.command, job.run_id) == ("mailer", "handle", None)


def test_a_trigger_may_name_a_pipeline(store: Store, intake: Intake) -> None:
    accepted = intake.accept(Trigger("anything", {}, "post", pipeline="deliver"))
    assert len(accepted.run_ids) == len(kept(store)) == 1


REFUSALS = {
    "an unknown plugin": (
        Trigger("t", {}, "post", plugin="maile"),
        'no plugin named "maile"; did you mean "mailer"',
    ),
    "an unknown plugin like no other": (
        Trigger("t", {}, "post", plugin="xyz"),
        'no plugin named "xyz"; known are "mailer", "sleeper"',
    ),
    "an unknown command": (
        Trigger("t", {}, "post", plugin="mailer", command="poll"),
        'plugin "mailer" has no command "poll"; it has handle',
    ),
    "a disabled plugin": (
        Trigger("t", {}, "post", plugin="sleeper"),
        'plugin "sleeper" is disabled (plugins.sleeper.enabled)',
    ),
    "an unknown pipeline": (
        Trigger("t", {}, "post", pipeline="delivr"),
        'no pipeline named "delivr"; did you mean "deliver"',
    ),
}


@pytest.mark.parametrize(("trigger", "message"), REFUSALS.values(), ids=REFUSALS)
def test_what_there_is_not_is_refused_at_once_and_nothing_is_kept(
    store: Store, intake: Intake, trigger: Trigger, message: str
) -> None:
    with pytest.raises(NotFound) as refusal:
        intake.submit(trigger)
    assert message in str(refusal.value)
    assert kept(store) == []


def test_a_payload_over_the_limit_is_refused_by_the_future_and_nothing_is_kept(
    store: Store, intake: Intake
) -> None:
    future = intake.submit(Trigger("letter.written", {"text": 2000 * "x"}, "post"))
    with pytest.raises(Refused, match='"text"'):
        future.result(30)
    assert kept(store) == []


def test_a_payload_that_is_no_json_is_refused(store: Store, intake: Intake) -> None:
    with pytest.raises(Refused):
        intake.accept(Trigger("letter.written", {"text": object()}, "post"))
    assert kept(store) == []


def test_a_closed_database_fails_the_trigger(store: Store, intake: Intake) -> None:
    store.close()
    with pytest.raises(StorageError):
        intake.accept(Trigger("letter.written", {}, "post"))
