"""How often the operator hears of deliveries that were refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from ductile.http.webhooks.refusals import EVERY, Refusals
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import Signal, WebhookRefused


@dataclass
class Desk:
    """Refusals whose minutes end when a test says so."""

    signals: list[Signal] = field(default_factory=list)
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def later(self, delay: float, action: Callable[[], None]) -> None:
        assert delay == EVERY
        self.waiting.append(action)

    def minutes_end(self) -> None:
        waiting, self.waiting = self.waiting, []
        for each in waiting:
            each()

    def heard(self) -> list[Signal]:
        heard, self.signals = self.signals, []
        return heard


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def refusals(desk: Desk) -> Refusals:
    telemetry = Telemetry()
    telemetry.subscribe(lambda signal: desk.signals.append(signal))
    return Refusals(telemetry, later=desk.later)


def test_the_first_refusal_is_told_at_once(desk: Desk, refusals: Refusals) -> None:
    refusals.add("hook", 401, "wrong")
    assert desk.heard() == [WebhookRefused("hook", 401, "wrong")]


def test_those_after_it_are_told_together_when_the_minute_ends(
    desk: Desk, refusals: Refusals
) -> None:
    for _ in range(1000):
        refusals.add("hook", 401, "wrong")
    assert len(desk.heard()) == 1
    desk.minutes_end()
    assert desk.heard() == [WebhookRefused("hook", 401, "wrong", 999)]


def test_a_flood_is_one_signal_a_minute(desk: Desk, refusals: Refusals) -> None:
    refusals.add("hook", 401, "wrong")
    desk.heard()
    for _ in range(3):
        for _ in range(5):
            refusals.add("hook", 401, "wrong")
        desk.minutes_end()
    assert desk.heard() == [WebhookRefused("hook", 401, "wrong", 5)] * 3


def test_after_a_minute_without_any_the_next_is_told_at_once(
    desk: Desk, refusals: Refusals
) -> None:
    refusals.add("hook", 401, "wrong")
    desk.minutes_end()
    assert desk.waiting == []
    refusals.add("hook", 401, "wrong")
    assert desk.heard() == [WebhookRefused("hook", 401, "wrong")] * 2


def test_one_kind_does_not_hide_another(desk: Desk, refusals: Refusals) -> None:
    kinds = [("a", 401, "wrong"), ("a", 401, "stale"), ("b", 401, "wrong"), ("a", 413, "large")]
    for kind in kinds * 2:
        refusals.add(*kind)
    assert desk.heard() == [WebhookRefused(*kind) for kind in kinds]


def test_reasons_that_senders_choose_are_one_kind(desk: Desk, refusals: Refusals) -> None:
    for column in range(100):
        refusals.add("hook", 400, f"not JSON: column {column}")
    assert len(desk.waiting) == 1
    desk.minutes_end()
    assert desk.heard()[1:] == [WebhookRefused("hook", 400, "not JSON: column 99", 99)]


def test_what_is_not_told_yet_is_told_at_the_end(desk: Desk, refusals: Refusals) -> None:
    for _ in range(3):
        refusals.add("hook", 401, "wrong")
    refusals.add("other", 401, "wrong")
    desk.heard()
    refusals.close()
    desk.minutes_end()
    assert desk.heard() == [WebhookRefused("hook", 401, "wrong", 2)]
