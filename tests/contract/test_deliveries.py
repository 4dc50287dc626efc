"""What the inbox of every database promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from ductile.errors import Violation
from ductile.model.delivery import Delivery, DeliveryVerdict
from ductile.model.ids import DeliveryId, EventId
from ductile.storage.interfaces import Store
from tests.support.builders import a_delivery, an_event
from tests.support.clock import START

HOUR: Final = timedelta(hours=1)


def kept(
    store: Store, *, became: DeliveryVerdict = DeliveryVerdict.REFUSED, **fields: object
) -> Delivery:
    """A delivery that became this, with an event where there has to be one."""
    delivery = a_delivery(verdict=became, **fields)
    if became in (DeliveryVerdict.ACCEPTED, DeliveryVerdict.REPEATED, DeliveryVerdict.RESENT):
        event = an_event()
        store.write(lambda tx: tx.events.add(event))
        delivery = replace(delivery, event_id=event.id, reason=None)
    if became is DeliveryVerdict.RESENT:
        delivery = replace(delivery, status=None)
    store.write(lambda tx: tx.deliveries.add(delivery))
    return delivery


def page(store: Store, **filters: object) -> list[Delivery]:
    chosen = {"limit": 100, **filters}
    return list(store.read(lambda tx: tx.deliveries.page(**chosen)))  # type: ignore[arg-type]  # any filter


def surplus(store: Store, *, keep: int, limit: int = 100) -> Sequence[DeliveryId]:
    return store.read(lambda tx: tx.deliveries.surplus(keep=keep, limit=limit))


@pytest.mark.parametrize("verdict", list(DeliveryVerdict))
def test_a_delivery_is_found_as_it_was_written(store: Store, verdict: DeliveryVerdict) -> None:
    delivery = kept(store, became=verdict, delivery_id="evt_1", size=3)
    assert store.read(lambda tx: tx.deliveries.get(delivery.id)) == delivery


def test_what_did_not_arrive_as_a_whole_has_no_size(store: Store) -> None:
    delivery = kept(store, size=None)
    assert store.read(lambda tx: tx.deliveries.get(delivery.id)) == delivery


def test_an_id_that_no_delivery_has_is_none(store: Store) -> None:
    assert store.read(lambda tx: tx.deliveries.get(DeliveryId("nobody"))) is None


def test_a_delivery_cannot_name_an_event_that_does_not_exist(store: Store) -> None:
    delivery = a_delivery(
        verdict=DeliveryVerdict.ACCEPTED, event_id=EventId("nothing"), reason=None
    )
    with pytest.raises(Violation, match="refers to what does not exist: event nothing"):
        store.write(lambda tx: tx.deliveries.add(delivery))


@pytest.mark.parametrize(
    ("verdict", "fields"),
    [
        (DeliveryVerdict.ACCEPTED, {}),
        (DeliveryVerdict.REPEATED, {}),
        (DeliveryVerdict.REFUSED, {"reason": None}),
        (DeliveryVerdict.HANDSHAKE, {"status": None}),
        (DeliveryVerdict.HANDSHAKE, {"size": -1}),
    ],
)
def test_a_delivery_that_makes_no_sense_is_refused(
    store: Store, verdict: DeliveryVerdict, fields: dict[str, object]
) -> None:
    delivery = a_delivery(verdict=verdict, **fields)
    with pytest.raises(Violation, match="breaks a rule"):
        store.write(lambda tx: tx.deliveries.add(delivery))


def test_a_reason_that_is_no_unicode_keeps_no_row_out(store: Store) -> None:
    delivery = kept(store, reason="the header says \udcff")
    found = store.read(lambda tx: tx.deliveries.get(delivery.id))
    assert found is not None
    assert found.reason == "the header says " + 3 * "\N{REPLACEMENT CHARACTER}"


def test_a_page_has_the_newest_first_and_the_next_one_goes_on(store: Store) -> None:
    made = [kept(store) for _ in range(5)]
    first = page(store, limit=2)
    second = page(store, limit=9, before=first[-1].id)
    assert [*first, *second] == made[::-1]


@pytest.mark.parametrize("verdict", list(DeliveryVerdict))
def test_a_page_can_be_of_one_verdict_and_one_endpoint(
    store: Store, verdict: DeliveryVerdict
) -> None:
    made = {each: kept(store, became=each) for each in DeliveryVerdict}
    other = kept(store, became=verdict, endpoint="other")
    newer = kept(store, became=verdict)
    assert page(store, verdict=verdict) == [newer, other, made[verdict]]
    assert page(store, verdict=verdict, endpoint="hook") == [newer, made[verdict]]
    assert page(store, verdict=verdict, before=newer.id, limit=1) == [other]
    assert page(store, endpoint="other") == [other]


def test_what_came_before_a_moment_has_expired(store: Store) -> None:
    old = [kept(store, became=each) for each in DeliveryVerdict]
    kept(store, received_at=START + HOUR)
    expired = store.read(lambda tx: tx.deliveries.expired(before=START + HOUR, limit=100))
    assert expired == [each.id for each in old]
    assert store.read(lambda tx: tx.deliveries.expired(before=START, limit=100)) == []


def test_no_more_has_expired_at_a_time_than_is_asked_for(store: Store) -> None:
    made = [kept(store) for _ in range(3)]
    expired = store.read(lambda tx: tx.deliveries.expired(before=START + HOUR, limit=2))
    assert expired == [each.id for each in made[:2]]


def test_the_newest_of_each_endpoint_that_started_nothing_are_no_surplus(store: Store) -> None:
    verdicts = [each for each in DeliveryVerdict if not each.started]
    made = {
        endpoint: [kept(store, became=each, endpoint=endpoint) for each in verdicts]
        for endpoint in ("a", "b")
    }
    kept(store, endpoint="c")
    assert set(surplus(store, keep=1)) == {d.id for each in made.values() for d in each[:-1]}
    assert set(surplus(store, keep=2)) == {d.id for each in made.values() for d in each[:-2]}
    assert surplus(store, keep=3) == []


def test_what_started_something_is_no_surplus_however_much_it_is(store: Store) -> None:
    for _ in range(3):
        kept(store, became=DeliveryVerdict.ACCEPTED)
        kept(store, became=DeliveryVerdict.RESENT)
    assert surplus(store, keep=1) == []


def test_surplus_is_no_more_at_a_time_than_is_asked_for(store: Store) -> None:
    made = [kept(store) for _ in range(5)]
    found = surplus(store, keep=1, limit=3)
    assert len(found) == 3
    assert set(found) <= {each.id for each in made[:-1]}


def test_what_is_forgotten_is_gone_and_the_rest_stays(store: Store) -> None:
    gone, stays = kept(store, became=DeliveryVerdict.ACCEPTED), kept(store)
    ids = [gone.id, DeliveryId("nobody")]
    assert store.write(lambda tx: tx.deliveries.forget(ids)) == 1
    assert page(store) == [stays]
    assert store.write(lambda tx: tx.deliveries.forget(ids)) == 0
    assert gone.event_id is not None
    assert store.read(lambda tx: tx.events.get(EventId(str(gone.event_id)))) is not None
