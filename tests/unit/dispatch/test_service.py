"""The loop that services share."""

from __future__ import annotations

import threading
from datetime import timedelta

from ductile.dispatch.service import Periodic
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import PartFailed
from tests.support.signals import PATIENCE, Signals

RARELY = timedelta(days=1)
OFTEN = timedelta(milliseconds=1)


class Rounds:
    """Counts, fails if it is to, and tells when so many are over."""

    def __init__(self, *, until: int, failing: bool = False) -> None:
        self.count = 0
        self.enough = threading.Event()
        self._until = until
        self._failing = failing

    def __call__(self) -> None:
        self.count += 1
        if self.count >= self._until:
            self.enough.set()
        if self._failing:
            raise ValueError("no luck")


def test_the_first_round_comes_at_once() -> None:
    rounds = Rounds(until=1)
    service = Periodic("p", RARELY, rounds, Telemetry())
    service.start()
    assert rounds.enough.wait(PATIENCE)
    service.stop()
    assert rounds.count == 1


def test_a_round_that_fails_is_told_of_and_the_next_one_comes_all_the_same() -> None:
    signals, telemetry = Signals(), Telemetry()
    telemetry.subscribe(signals)
    rounds = Rounds(until=3, failing=True)
    service = Periodic("p", OFTEN, rounds, telemetry)
    service.start()
    assert rounds.enough.wait(PATIENCE)
    service.stop()
    assert signals.of(PartFailed)[0] == PartFailed("p", "no luck")


def test_a_second_start_begins_no_second_loop() -> None:
    before = threading.active_count()
    service = Periodic("p", RARELY, Rounds(until=1), Telemetry())
    service.start()
    service.start()
    assert threading.active_count() == before + 1
    service.stop()


def test_stop_before_start_keeps_it_from_starting() -> None:
    rounds = Rounds(until=1)
    service = Periodic("p", OFTEN, rounds, Telemetry())
    service.stop()
    service.start()
    service.stop()
    assert rounds.count == 0
