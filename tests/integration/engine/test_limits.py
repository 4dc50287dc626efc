"""How many jobs run at once, and how soon they begin."""

from __future__ import annotations

import errno
import itertools
import os
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ductile.dispatch.assignment import Claimed
from ductile.dispatch.dispatcher import Capacity, Dispatcher
from ductile.dispatch.interfaces import Follow
from ductile.model.ids import WorkerId
from ductile.model.job import Job, JobStatus
from ductile.plugin.interfaces import StopToken
from ductile.plugin.stop import Stop
from ductile.storage.interfaces import Store, Transaction
from ductile.storage.sqlite import open_store
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import JobSettled, JobStarted
from tests.integration.engine.gate import Gate
from tests.support.builders import claimed, stored_job
from tests.support.clock import START, FakeClock
from tests.support.scripts import OK, answer
from tests.support.signals import PATIENCE
from tests.support.site import Running, Site

T = TypeVar("T")


def listeners(site: Site, *plugins: str) -> None:
    """For every plugin a pipeline that an event of its name starts."""
    site.pipeline("\n".join(f"- {{name: {p}, on: {p}, steps: [{{uses: {p}}}]}}" for p in plugins))


def passed_over(running: Running) -> None:
    """Wait until the dispatcher has looked at all that is queued by now."""
    running.finish("marker")


@pytest.mark.parametrize("parallelism", [None, 2])
def test_a_plugin_that_is_not_safe_for_concurrency_never_runs_twice_at_once(
    site: Site, gate: Gate, parallelism: int | None
) -> None:
    if parallelism:
        site.config["plugins"] = {"unsafe": {"parallelism": parallelism}}
    site.plugin("unsafe", gate.wait + answer(), concurrency_safe=False)
    site.plugin("marker", OK)
    listeners(site, "unsafe", "marker")
    with site.running() as running:
        events = [running.send("unsafe").event_id for _ in range(3)]
        for _ in events:
            gate.arrival()
            passed_over(running)
            assert gate.empty
            gate.let_through()
        assert all(running.ended(each).terminal for each in events)


def test_a_plugin_runs_as_often_at_once_as_its_parallelism_says(site: Site, gate: Gate) -> None:
    site.config["plugins"] = {"two": {"parallelism": 2}}
    site.plugin("two", gate.wait + answer())
    site.plugin("marker", OK)
    listeners(site, "two", "marker")
    with site.running() as running:
        events = [running.send("two").event_id for _ in range(3)]
        assert gate.arrival() != gate.arrival()
        passed_over(running)
        assert gate.empty
        gate.let_through()
        gate.arrival()
        gate.let_through(2)
        assert all(running.ended(each).terminal for each in events)


def test_no_more_jobs_run_at_once_than_there_are_workers(site: Site, gate: Gate) -> None:
    site.config["service"] = {"max_workers": 2}
    site.plugin("free", gate.wait + answer())
    listeners(site, "free")
    with site.running() as running:
        events = [running.send("free").event_id for _ in range(4)]
        for _ in range(2):
            gate.arrival()
        gate.let_through(4)
        assert all(running.ended(each).terminal for each in events)
        heard = running.signals.heard
    at_once = [
        sum(isinstance(each, JobStarted) for each in heard[:end])
        - sum(isinstance(each, JobSettled) for each in heard[:end])
        for end in range(len(heard) + 1)
    ]
    assert max(at_once) == 2


# More of these than the seconds that a test may take: with the safety poll alone it would not end.
MANY = 70


def test_a_trigger_wakes_the_dispatcher(site: Site) -> None:
    site.plugin("sink", OK)
    listeners(site, "sink")
    with site.running() as running:
        for _ in range(MANY):
            running.finish("sink")


def test_a_success_wakes_the_dispatcher_for_what_follows(site: Site) -> None:
    site.plugin("sink", OK)
    steps = ", ".join(f"{{id: s{n}, uses: sink, workspace: empty}}" for n in range(MANY))
    site.pipeline(f"- {{name: p, on: go, steps: [{steps}]}}")
    with site.running() as running:
        assert len(running.finish("go").jobs) == MANY


def test_a_failure_wakes_the_dispatcher_when_the_next_attempt_is_due(site: Site) -> None:
    site.config["plugins"] = {"bad": {"retry": {"max_attempts": 7, "backoff_base": "1ms"}}}
    site.plugin("bad", "exit 1")
    listeners(site, "bad")
    with site.running() as running:
        chains = [running.finish("bad") for _ in range(MANY // 7)]
    assert {chain.jobs[0].attempt for chain in chains} == {7}


# The dispatcher by itself


class CountingStore:
    """A store that knows how often it was asked something."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads = 0

    def read(self, work: Callable[[Transaction], T]) -> T:
        self.reads += 1
        return self._store.read(work)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Desk:
    """Jobs that a dispatcher hands over, and that stay until the test is done with them."""

    def __init__(self) -> None:
        self._arrived = threading.Semaphore(0)
        self._done = threading.Event()
        self.jobs: list[Job] = []

    def look_up(self, tx: Transaction, job: Job) -> Claimed:
        return Claimed(job)

    def perform(self, claimed: Claimed, stop: StopToken, follow: Follow) -> Claimed | None:
        self.jobs.append(claimed.job)
        self._arrived.release()
        self._done.wait(PATIENCE)
        return None

    def arrival(self) -> Job:
        assert self._arrived.acquire(timeout=PATIENCE)
        return self.jobs[-1]

    def clear(self) -> None:
        self._done.set()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CountingStore]:
    with closing(open_store(tmp_path / "ductile.db", FakeClock())) as opened:
        yield CountingStore(opened)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.clear()


def a_dispatcher(
    store: CountingStore,
    desk: Desk,
    new_stop: Callable[[], StopToken] = Stop,
    /,
    *,
    max_workers: int = 4,
    **limits: int,
) -> Dispatcher:
    capacity = Capacity(max_workers, limits, timedelta(seconds=60), timedelta(seconds=30))
    return Dispatcher(
        WorkerId("w"),
        store,
        desk,
        capacity,
        new_stop,
        FakeClock(),
        Telemetry(),
    )


@pytest.mark.parametrize("room", ["a worker", "the plugin"])
def test_a_job_that_is_due_but_has_no_room_is_not_looked_for_again_and_again(
    store: CountingStore, desk: Desk, room: str
) -> None:
    stored_job(store, plugin="echo")
    [due] = claimed(store)
    store.write(lambda tx: tx.jobs.retry(due.claim, due=START, error="no luck"))
    stored_job(store, plugin="echo", created_at=START - timedelta(hours=1))
    limits = {"max_workers": 1} if room == "a worker" else {"echo": 1}
    dispatcher = a_dispatcher(store, desk, **limits)
    try:
        dispatcher.start()
        assert desk.arrival().id != due.id
        dispatcher.wake()
        for _ in range(50):
            stored_job(store, plugin="echo")
        looks = store.reads
    finally:
        desk.clear()
        dispatcher.stop()
    assert looks < 10


def test_one_look_claims_no_more_than_there_is_room_for(store: CountingStore, desk: Desk) -> None:
    for _ in range(3):
        stored_job(store)
    dispatcher = a_dispatcher(store, desk, max_workers=2)
    try:
        assert (dispatcher.run_once(), dispatcher.run_once()) == (2, 0)
        assert dispatcher.running == 2
    finally:
        desk.clear()
        dispatcher.stop()


class Returning(Desk):
    """Puts the first attempt back on the list, and goes on until the test is done with it."""

    def __init__(self, store: CountingStore) -> None:
        super().__init__()
        self._store = store
        self.stopped = threading.Event()

    def perform(self, claimed: Claimed, stop: StopToken, follow: Follow) -> None:
        job = claimed.job
        if job.attempt == 1:
            self._store.write(lambda tx: tx.jobs.retry(job.claim, due=START, error="no luck"))
            super().perform(claimed, stop, follow)
            return
        self.jobs.append(job)
        self._arrived.release()
        if select.select([stop], [], [], PATIENCE)[0]:
            self.stopped.set()


def test_an_attempt_that_is_claimed_before_the_one_before_it_let_go_is_a_job_of_its_own(
    store: CountingStore,
) -> None:
    stored_job(store)
    desk, let_go = Returning(store), threading.Semaphore(0)

    class Told(Stop):
        def close(self) -> None:
            super().close()
            let_go.release()

    dispatcher = a_dispatcher(store, desk, Told)
    try:
        assert dispatcher.run_once() == 1
        first = desk.arrival()
        assert dispatcher.run_once() == 1
        assert (desk.arrival().attempt, dispatcher.running) == (2, 2)
        desk.clear()
        assert let_go.acquire(timeout=PATIENCE)
        assert dispatcher.running == 1
        dispatcher.interrupt([first.id])
        assert desk.stopped.wait(PATIENCE)
    finally:
        desk.clear()
        dispatcher.stop()


class Following(Desk):
    """Settles each attempt at once, and goes on with what there is then."""

    def __init__(self, store: CountingStore) -> None:
        super().__init__()
        self._store = store

    def perform(self, claimed: Claimed, stop: StopToken, follow: Follow) -> Claimed | None:
        job = claimed.job
        self.jobs.append(job)

        def settle(tx: Transaction) -> Claimed | None:
            tx.jobs.finish(job.claim, JobStatus.SUCCEEDED, now=START)
            return follow(tx, queued=0, waiting=False)

        following: Claimed | None = self._store.write(settle)
        self._arrived.release()
        return following


@pytest.mark.parametrize("short_at", [1, 2])
def test_what_there_is_no_descriptor_for_goes_back_and_is_begun_later(
    store: CountingStore, short_at: int
) -> None:
    jobs = [stored_job(store, created_at=START + timedelta(seconds=n)) for n in range(2)]
    desk, asked = Following(store), itertools.count(1)

    def new_stop() -> Stop:
        if next(asked) == short_at:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return Stop()

    dispatcher = a_dispatcher(store, desk, new_stop, max_workers=1)
    try:
        dispatcher.start()
        for _ in jobs:
            desk.arrival()
    finally:
        dispatcher.stop()
    found = store.read(lambda tx: [tx.jobs.get(job.id) for job in jobs])
    assert [job and job.status for job in found] == [JobStatus.SUCCEEDED] * 2
    assert sorted(job.tries for job in found if job) == [1, 1]


def test_stop_returns_when_no_job_is_running_and_claims_nothing_more(
    store: CountingStore, desk: Desk
) -> None:
    stored_job(store)
    dispatcher = a_dispatcher(store, desk)
    dispatcher.start()
    desk.arrival()
    assert dispatcher.alive
    ending = threading.Thread(target=dispatcher.stop)
    ending.start()
    desk.clear()
    ending.join(PATIENCE)
    stored_job(store)
    dispatcher.wake()
    dispatcher.start()
    assert (dispatcher.alive, dispatcher.running, len(desk.jobs)) == (False, 0, 1)


def test_stop_before_start_is_harmless_and_so_is_a_second_one(
    store: CountingStore, desk: Desk
) -> None:
    dispatcher = a_dispatcher(store, desk)
    dispatcher.stop()
    dispatcher.stop()
    dispatcher.start()
    assert not dispatcher.alive
