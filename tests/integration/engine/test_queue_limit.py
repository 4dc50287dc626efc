"""The limit of the queue: who is let in, and how seldom that is counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from ductile.dispatch.interfaces import Accepted, Trigger
from ductile.dispatch.limit import LimitedIntake
from ductile.errors import Overloaded, StorageError
from ductile.storage.interfaces import Store, Transaction
from ductile.storage.sqlite import open_store
from tests.support.builders import claimed, stored_job
from tests.support.clock import FakeClock

LIMIT = 3
T = TypeVar("T")


class CountedStore:
    """A store that remembers how often it was asked, and may be broken."""

    def __init__(self, store: Store) -> None:
        self.asked = 0
        self.broken = False
        self._store = store

    def submit(self, work: Callable[[Transaction], T]) -> Future[T]:
        self.asked += 1
        future: Future[T] = Future()
        if self.broken:
            future.set_exception(StorageError("the disk is gone"))
        else:
            future.set_result(self._store.write(work))
        return future


class OneJobEach:
    """An intake that stores one job for every trigger, and none for one with a dedupe key.

    Such a trigger repeats the first of all.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._first: Accepted | None = None

    def submit(self, trigger: Trigger) -> Future[Accepted]:
        future: Future[Accepted] = Future()
        if self._first is not None and trigger.dedupe_key:
            future.set_result(replace(self._first, duplicate_of=self._first.event_id))
            return future
        job = stored_job(self._store)
        accepted = Accepted(job.source_event_id, (job.id,))
        self._first = self._first or accepted
        future.set_result(accepted)
        return future

    def accept(self, trigger: Trigger) -> Accepted:
        return self.submit(trigger).result()


class House:
    """The limited intake and what it stands on."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = FakeClock()
        self.counted = CountedStore(store)
        self.intake = LimitedIntake(
            OneJobEach(store),
            self.counted,  # type: ignore[arg-type]  # only what it is asked for
            LIMIT,
            self.clock,
        )

    def send(self, times: int = 1) -> None:
        for _ in range(times):
            self.intake.accept(Trigger("video.posted", {}, "test"))

    def is_open(self) -> bool:
        try:
            self.send()
        except Overloaded:
            return False
        return True


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with closing(open_store(tmp_path / "ductile.db", FakeClock())) as store:
        yield House(store)


def test_as_many_are_let_in_as_may_wait(house: House) -> None:
    house.send(LIMIT)
    with pytest.raises(Overloaded, match=r"3 jobs wait already, which is service\.queue_limit"):
        house.send()


def test_what_waits_already_counts(house: House) -> None:
    for _ in range(LIMIT):
        stored_job(house.store)
    assert not house.is_open()


def test_what_repeats_and_starts_nothing_does_not_count(house: House) -> None:
    house.send()
    for _ in range(2 * LIMIT):
        house.intake.accept(Trigger("video.posted", {}, "test", dedupe_key="k"))
    house.send(LIMIT - 1)
    assert not house.is_open()


def test_it_opens_again_when_jobs_are_taken(house: House) -> None:
    house.send(LIMIT)
    claimed(house.store)
    closed = house.is_open()
    house.clock.advance(timedelta(seconds=0.2))
    assert (closed, house.is_open(), house.is_open()) == (False, True, False)


def test_what_follows_from_others_is_never_refused_but_counts(house: House) -> None:
    house.send()
    stored_job(house.store)
    stored_job(house.store)
    house.clock.advance(timedelta(seconds=1))
    assert not house.is_open()


def test_a_flood_is_not_counted_one_by_one(house: House) -> None:
    house.send(LIMIT)
    assert [house.is_open() for _ in range(100)] == 100 * [False]
    assert house.counted.asked == 1


def test_a_count_that_fails_leaves_the_latest_in_force(house: House) -> None:
    house.send(LIMIT)
    house.counted.broken = True
    house.clock.advance(timedelta(seconds=1))
    closed = house.is_open()
    house.counted.broken = False
    claimed(house.store)
    assert (closed, house.is_open()) == (False, True)
