"""What is listed of deliveries: what the intake gets, and what is noted beside the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ductile.errors import StorageError
from ductile.http.webhooks.notes import BREATH, EVERY, MOST, WAITING, Notes, room
from ductile.model.delivery import DeliveryVerdict
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import PartFailed, Signal
from tests.integration.http.client import Client
from tests.integration.http.conftest import HOOK, House
from tests.integration.http.doubles import ListInbox
from tests.integration.http.test_sender_webhooks import opened
from tests.support.builders import a_delivery

WRONG = {"X-Sig": "0" * 64}
REFUSED = DeliveryVerdict.REFUSED


# What there is in a row


def test_what_is_accepted_is_listed_by_the_intake(house: House, client: Client) -> None:
    client.post("/webhooks/hook", b'{"a": 1}')
    [trigger] = house.intake.triggers
    delivery = trigger.delivery
    assert delivery is not None
    assert (delivery.endpoint, delivery.scheme) == ("hook", "hmac-sha256")
    assert (delivery.verdict, delivery.status) == (DeliveryVerdict.ACCEPTED, 202)
    assert (delivery.received_at, delivery.size) == (house.clock.now(), 8)
    assert house.inbox.deliveries == []


def test_what_is_refused_is_noted_with_its_reason(house: House, client: Client) -> None:
    client.post("/webhooks/hook", b"{}", WRONG)
    [delivery] = house.inbox.deliveries
    assert (delivery.verdict, delivery.status, delivery.size) == (REFUSED, 401, 2)
    assert delivery.reason == "the signature is not that of this body with this key"


@pytest.mark.parametrize(
    ("body", "signed", "status", "size"),
    [
        (b"{", True, 400, 1),
        (b"1" * 1001, True, 413, None),
        (b"1" * 1001, False, 413, None),
        (b"{}", False, 401, 2),
    ],
)
def test_all_refusals_are_noted(
    house: House, client: Client, body: bytes, signed: bool, status: int, size: int | None
) -> None:
    client.post("/webhooks/hook", body, None if signed else WRONG)
    assert [(each.status, each.size) for each in house.inbox.deliveries] == [(status, size)]


def test_a_place_where_no_endpoint_is_fills_no_list(house: House, client: Client) -> None:
    assert client.post("/webhooks/other", b"{}").status == 404
    assert house.inbox.deliveries == []


def test_a_delivery_that_the_gateway_could_not_keep_is_noted_without_what_went_wrong_inside(
    house: House, client: Client
) -> None:
    house.intake.refusal = StorageError("/secret/place is full")
    assert client.post("/webhooks/hook", b"{}").status == 503
    [delivery] = house.inbox.deliveries
    assert delivery.status == 503
    assert "/secret/place" not in (delivery.reason or "")


def test_a_handshake_is_noted(house: House, client: Client) -> None:
    house.open([replace(HOOK, handshake=lambda payload: {"pong": 1})])
    client.post("/webhooks/hook", b"{}")
    assert [each.verdict for each in house.inbox.deliveries] == [DeliveryVerdict.HANDSHAKE]


def test_the_id_of_a_sender_is_only_believed_with_its_signature(house: House) -> None:
    endpoint = opened(
        house, {"scheme": "hmac-sha256", "secret": "s3cret", "id_header": "X-Delivery"}
    )
    signed = endpoint.scheme.sign(b"{}", delivery_id="d-1")
    headers = {name.decode(): text.decode() for name, text in signed}
    house.client.post("/webhooks/hook", b"{}", headers)
    house.client.post("/webhooks/hook", b"{ }", headers)
    [trigger], [refused] = house.intake.triggers, house.inbox.deliveries
    assert trigger.delivery is not None
    assert (trigger.delivery.delivery_id, refused.delivery_id) == ("d-1", None)


def test_the_answer_does_not_wait_for_the_note(house: House, client: Client) -> None:
    house.inbox.held = True
    assert client.post("/webhooks/hook", b"{}", WRONG).status == 401
    [commit] = house.inbox.commits
    assert not commit.done()


# How many


def noted(notes: Notes, count: int) -> None:
    for _ in range(count):
        notes.add(a_delivery())


def test_the_first_is_written_at_once_and_those_after_it_together(house: House) -> None:
    notes = house.notes()
    noted(notes, 3)
    assert len(house.inbox.commits) == 1
    house.pauses.pop()()
    assert (len(house.inbox.commits), len(house.inbox.deliveries)) == (2, 3)


def test_a_flood_is_listed_to_the_last_a_part_at_a_time(house: House) -> None:
    notes = house.notes()
    noted(notes, 1 + 3 * MOST)
    listed = []
    for _ in range(3):
        house.pauses.pop()()
        listed.append(len(house.inbox.deliveries))
    assert listed == [1 + MOST, 1 + 2 * MOST, 1 + 3 * MOST]


def test_between_the_parts_of_a_flood_is_a_short_pause_and_a_long_one_after_it() -> None:
    delays: list[float] = []
    pauses: list[Callable[[], None]] = []

    def later(delay: float, action: Callable[[], None]) -> None:
        delays.append(delay)
        pauses.append(action)

    notes = Notes(ListInbox(), Telemetry(), later=later)
    noted(notes, 1 + 2 * MOST)
    for _ in range(2):
        pauses.pop()()
    assert delays == [EVERY, BREATH, EVERY]


def test_of_each_endpoint_the_newest_wait(house: House) -> None:
    notes = Notes(house.inbox, Telemetry(), of_each=3, later=lambda *pause: None)
    for number in range(6):
        notes.add(replace(a_delivery(), endpoint="flooded", size=number))
    notes.add(replace(a_delivery(), endpoint="quiet", size=0))
    notes.close()
    listed = [(each.endpoint, each.size) for each in house.inbox.deliveries]
    assert listed == [("flooded", 0), *(("flooded", n) for n in (3, 4, 5)), ("quiet", 0)]


def test_no_endpoint_waits_until_a_flood_of_another_is_listed(house: House) -> None:
    notes = house.notes()
    for _ in range(3 * MOST):
        notes.add(replace(a_delivery(), endpoint="flooded"))
    notes.add(replace(a_delivery(), endpoint="quiet"))
    house.pauses.pop()()
    assert {each.endpoint for each in house.inbox.deliveries} == {"flooded"}
    house.pauses.pop()()
    assert {each.endpoint for each in house.inbox.deliveries} == {"flooded", "quiet"}


@pytest.mark.parametrize(
    ("endpoints", "limit", "waiting"),
    [(1, 1_000, 1_000), (1, 1_000_000, WAITING), (100, 1_000, 100), (0, 5, 5), (50_000, 10, 1)],
)
def test_no_more_wait_than_are_kept_nor_than_there_is_memory_for(
    endpoints: int, limit: int, waiting: int
) -> None:
    assert room(endpoints, limit) == waiting


def test_after_a_quiet_second_one_is_written_at_once_again(house: House) -> None:
    notes = house.notes()
    noted(notes, 1)
    house.pauses.pop()()
    noted(notes, 1)
    assert len(house.inbox.commits) == 2


def test_a_database_that_takes_its_time_is_given_no_more(house: House) -> None:
    house.inbox.held = True
    notes = house.notes()
    noted(notes, 2)
    house.pauses.pop()()
    assert len(house.inbox.commits) == 1
    house.inbox.commits[0].set_result(None)
    house.pauses.pop()()
    assert len(house.inbox.commits) == 2


def test_what_waits_is_written_when_the_server_stops(house: House) -> None:
    notes = house.notes()
    noted(notes, 3)
    notes.close()
    assert len(house.inbox.deliveries) == 3


class ClosedInbox(ListInbox):
    """As after the end of the database."""

    def keep(self, deliveries: object) -> object:  # type: ignore[override]  # it only raises
        raise StorageError("the database is closed")


@pytest.mark.parametrize("inbox", [ListInbox(failure=StorageError("disk full")), ClosedInbox()])
def test_what_cannot_be_listed_is_told_once(inbox: ListInbox) -> None:
    signals: list[Signal] = []
    telemetry = Telemetry()
    telemetry.subscribe(signals.append)
    pauses: list[Callable[[], None]] = []
    notes = Notes(inbox, telemetry, later=lambda delay, action: pauses.append(action))
    for _ in range(3):
        noted(notes, 1)
        pauses.pop()()
    [failed] = signals
    assert isinstance(failed, PartFailed)
    assert "deliveries were not listed" in str(failed)
