"""The inbox in the ledger: what is written with an event, what repeats, what is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ductile.dispatch.inbox import LONGEST_REASON, LedgerInbox, resent
from ductile.dispatch.interfaces import Trigger
from ductile.dispatch.privacy import Privacy
from ductile.dispatch.pruner import Pruner
from ductile.errors import Refused
from ductile.model.delivery import Delivery, DeliveryVerdict
from ductile.model.ids import DeliveryId, new_id
from tests.support.builders import a_delivery
from tests.support.clock import START, FakeClock
from tests.support.scripts import OK
from tests.support.site import Running, Site

ACCEPTED, REPEATED, REFUSED = (
    DeliveryVerdict.ACCEPTED,
    DeliveryVerdict.REPEATED,
    DeliveryVerdict.REFUSED,
)


def trigger(delivery_id: str | None = "d-1", endpoint: str = "post", **fields: object) -> Trigger:
    """A letter that a webhook brings."""
    delivery = a_delivery(
        id=DeliveryId(new_id()),
        endpoint=endpoint,
        verdict=ACCEPTED,
        status=202,
        reason=None,
        delivery_id=delivery_id,
    )
    fields = {"payload": {"to": "you"}, **fields}
    return Trigger("letter.written", source=endpoint, delivery=delivery, **fields)  # type: ignore[arg-type]  # any field


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def letters(site: Site) -> Site:
    site.plugin("mailer", OK)
    site.pipeline("- {name: deliver, on: letter.written, steps: [{uses: mailer}]}")
    return site


@pytest.fixture
def running(letters: Site, clock: FakeClock) -> Iterator[Running]:
    with letters.running(start=False, clock=clock) as running:
        yield running


def listed(running: Running) -> list[Delivery]:
    """The oldest first."""
    return list(running.gateway.store.read(lambda tx: tx.deliveries.page(limit=100)))[::-1]


def jobs(running: Running) -> int:
    return len(running.gateway.store.read(lambda tx: tx.views.jobs(limit=100)))


def test_a_delivery_is_listed_with_the_event_that_it_became(running: Running) -> None:
    sent = trigger()
    accepted = running.gateway.intake.accept(sent)
    assert sent.delivery is not None
    assert listed(running) == [replace(sent.delivery, event_id=accepted.event_id)]


def test_one_that_repeats_is_answered_like_the_first_and_starts_nothing(running: Running) -> None:
    first, second = (running.gateway.intake.accept(trigger()) for _ in range(2))
    assert replace(second, duplicate_of=None) == first
    assert second.duplicate_of == first.event_id
    assert jobs(running) == 1
    assert [each.verdict for each in listed(running)] == [ACCEPTED, REPEATED]
    assert {each.event_id for each in listed(running)} == {first.event_id}


def test_another_body_with_the_same_id_is_a_repeat(running: Running) -> None:
    running.gateway.intake.accept(trigger())
    again = running.gateway.intake.accept(trigger(payload={"to": "me"}))
    assert again.duplicate_of is not None


@pytest.mark.parametrize(
    "second", [trigger("d-2"), trigger(endpoint="other")], ids=["id", "endpoint"]
)
def test_another_id_or_another_endpoint_is_no_repeat(running: Running, second: Trigger) -> None:
    running.gateway.intake.accept(trigger())
    assert running.gateway.intake.accept(second).duplicate_of is None


def test_without_an_id_nothing_repeats(running: Running) -> None:
    for _ in range(2):
        assert running.gateway.intake.accept(trigger(None)).duplicate_of is None


def test_of_many_at_once_with_one_id_one_starts_something(running: Running) -> None:
    with ThreadPoolExecutor(32) as threads:
        futures = [threads.submit(running.gateway.intake.accept, trigger()) for _ in range(32)]
        accepted = [each.result(30) for each in futures]
    assert [each.duplicate_of for each in accepted].count(None) == 1
    assert jobs(running) == 1
    assert sorted(each.verdict for each in listed(running)) == [ACCEPTED] + 31 * [REPEATED]


def test_after_the_window_the_id_may_come_again(running: Running, clock: FakeClock) -> None:
    running.gateway.intake.accept(trigger())
    clock.advance(timedelta(hours=24))
    assert running.gateway.intake.accept(trigger()).duplicate_of is None


def test_the_window_can_be_set(letters: Site, clock: FakeClock) -> None:
    letters.config["webhooks"] = {"inbox": {"window": "1h"}}
    with letters.running(start=False, clock=clock) as running:
        running.gateway.intake.accept(trigger())
        clock.advance(timedelta(hours=1))
        assert running.gateway.intake.accept(trigger()).duplicate_of is None


def test_what_a_rule_refused_does_not_stand_in_the_way_of_the_genuine_one(letters: Site) -> None:
    letters.config["service"] = {"max_baggage": "1KiB"}
    with letters.running(start=False) as running:
        with pytest.raises(Refused):
            running.gateway.intake.accept(trigger(payload={"text": 2000 * "x"}))
        assert running.gateway.intake.accept(trigger()).duplicate_of is None


def test_what_is_resent_starts_the_same_again_and_names_the_first(running: Running) -> None:
    first = running.gateway.intake.accept(trigger())
    [delivery] = listed(running)
    event = running.chain(first.event_id).records.events[0]
    again = running.gateway.intake.accept(resent(delivery, event, None, START))
    repeated = running.chain(again.event_id).records.events[0]
    assert again.duplicate_of is None
    assert (repeated.type, repeated.payload, repeated.source) == (
        event.type,
        event.payload,
        event.source,
    )
    row = listed(running)[-1]
    assert (row.verdict, row.event_id) == (DeliveryVerdict.RESENT, again.event_id)
    assert row.reason == f"resends {delivery.id}"


def test_a_reason_holds_no_secret_and_has_an_end(running: Running, tmp_path: Path) -> None:
    inbox = LedgerInbox(running.gateway.store, Privacy({"hunter2"}, tmp_path))
    long = a_delivery(reason="hunter2 " + 1000 * "x")
    inbox.keep([long]).result(30)
    [row] = listed(running)
    assert row.reason is not None
    assert row.reason.startswith("[secret] x")
    assert len(row.reason) == LONGEST_REASON


# What is forgotten


def keep(running: Running, count: int, **fields: object) -> None:
    rows = [a_delivery(id=DeliveryId(new_id()), **fields) for _ in range(count)]
    LedgerInbox(running.gateway.store, Privacy((), Path("/none"))).keep(rows).result(30)


def pruner(running: Running, clock: FakeClock, site: Site) -> Pruner:
    settings, _, _ = site.read().parts()
    return Pruner(running.gateway.store, settings.inbox, clock, batch=2)


def test_rows_go_when_they_are_old_whatever_became_of_them(letters: Site, clock: FakeClock) -> None:
    letters.config["webhooks"] = {"inbox": {"ttl": "30d"}}
    with letters.running(start=False, clock=clock) as running:
        running.gateway.intake.accept(trigger(None))
        keep(running, 3, received_at=clock.now())
        clock.advance(timedelta(days=30, seconds=1))
        keep(running, 1, received_at=clock.now())
        assert pruner(running, clock, letters).run_once() == 4
        assert len(listed(running)) == 1
        assert jobs(running) == 1


def test_of_those_that_started_nothing_only_the_newest_of_each_endpoint_stay(
    letters: Site, clock: FakeClock
) -> None:
    letters.config["webhooks"] = {"inbox": {"limit": 2}}
    with letters.running(start=False, clock=clock) as running:
        for number in range(3):
            running.gateway.intake.accept(trigger(str(number)))
        keep(running, 5, received_at=clock.now())
        keep(running, 1, received_at=clock.now(), endpoint="quiet")
        newest = listed(running)[-3:]
        assert pruner(running, clock, letters).run_once() == 3
        assert [each.verdict for each in listed(running)] == 3 * [ACCEPTED] + 3 * [REFUSED]
        assert listed(running)[-3:] == newest
