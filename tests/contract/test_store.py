"""The promises of `Store` and `Transaction`."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from ductile.errors import DuctileError, NotFound, StorageError
from ductile.model.context import Context
from ductile.model.event import Event
from ductile.storage.interfaces import Store, Transaction
from tests.contract.conftest import Opener
from tests.support.builders import a_context, an_event, store_job, stored_job


def exists(store: Store, context: Context) -> bool:
    return store.read(lambda tx: tx.contexts.get(context.id)) is not None


def failing(tx: Transaction, context: Context) -> None:
    tx.contexts.add(context)
    raise NotFound("no such thing")


class Gate:
    """Work that holds up the writer until it is opened, so that others gather behind it."""

    def __init__(self, store: Store) -> None:
        self._entered, self._open = threading.Event(), threading.Event()
        self.future = store.submit(self._work)
        assert self._entered.wait(10)

    def _work(self, _: Transaction) -> None:
        self._entered.set()
        assert self._open.wait(10)

    def open(self) -> None:
        self._open.set()


# Writing


def test_write_returns_what_the_work_returned(store: Store) -> None:
    assert store.write(lambda tx: 42) == 42


def test_what_was_written_is_there_when_the_database_is_opened_again(opener: Opener) -> None:
    context = a_context()
    first = opener()
    first.write(lambda tx: tx.contexts.add(context))
    first.close()
    assert exists(opener(), context)


def test_work_sees_what_it_has_written_itself(store: Store) -> None:
    context = a_context()

    def work(tx: Transaction) -> Context | None:
        tx.contexts.add(context)
        return tx.contexts.get(context.id)

    assert store.write(work) == context


def test_work_that_raises_leaves_no_trace(store: Store) -> None:
    context = a_context()
    with pytest.raises(NotFound, match="no such thing"):
        store.write(lambda tx: failing(tx, context))
    assert not exists(store, context)


def test_work_that_catches_a_refusal_keeps_the_rest(store: Store) -> None:
    good, orphan = a_context(), a_context(a_context())

    def work(tx: Transaction) -> None:
        tx.contexts.add(good)
        with pytest.raises(StorageError):
            tx.contexts.add(orphan)

    store.write(work)
    assert exists(store, good)


def test_one_that_raises_disturbs_no_other_of_its_group(store: Store) -> None:
    good, bad, late = a_context(), a_context(), a_context()
    gate = Gate(store)
    futures: list[Future[None]] = [
        store.submit(lambda tx: tx.contexts.add(good)),
        store.submit(lambda tx: failing(tx, bad)),
        store.submit(lambda tx: tx.contexts.add(late)),
    ]
    gate.open()
    raised = [type(future.exception(10)) for future in futures]
    kept = [exists(store, context) for context in (good, bad, late)]
    assert (raised, kept) == ([type(None), NotFound, type(None)], [True, False, True])


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), MemoryError()])
def test_the_writer_survives_whatever_work_raises(store: Store, error: BaseException) -> None:
    def work(tx: Transaction) -> None:
        raise error

    assert store.submit(work).exception(10) is error
    assert store.write(lambda tx: 1) == 1


def test_work_that_was_cancelled_before_its_turn_is_not_done(store: Store) -> None:
    context = a_context()
    gate = Gate(store)
    future = store.submit(lambda tx: tx.contexts.add(context))
    cancelled = future.cancel()
    gate.open()
    store.write(lambda tx: None)
    assert (cancelled, exists(store, context)) == (True, False)


def test_work_that_uses_the_store_is_told_so_instead_of_waiting_for_itself(store: Store) -> None:
    with pytest.raises(StorageError, match="must not use the store"):
        store.write(lambda tx: store.write(lambda inner: None))


def test_a_transaction_that_is_over_cannot_be_used(store: Store) -> None:
    leaked = store.write(lambda tx: tx)
    with pytest.raises(StorageError, match="transaction is over"):
        leaked.contexts.add(a_context())


def test_many_threads_write_at_once_and_nothing_is_lost(store: Store) -> None:
    events = [an_event() for _ in range(400)]

    def add(event: Event) -> None:
        store.write(lambda tx: tx.events.add(event))

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(add, events))
    found = store.read(lambda tx: [tx.events.get(event.id) for event in events])
    assert found == events


def test_several_processes_worth_of_stores_write_to_one_database(opener: Opener) -> None:
    stores = [opener(), opener()]

    def add(number: int) -> Event:
        event = an_event()
        stores[number % 2].write(lambda tx: tx.events.add(event))
        return event

    with ThreadPoolExecutor(8) as threads:
        events = list(threads.map(add, range(100)))
    found = stores[0].read(lambda tx: [tx.events.get(event.id) for event in events])
    assert found == events


# After the commit


def test_actions_run_after_the_commit_and_before_the_caller_hears_of_it(store: Store) -> None:
    context, seen = a_context(), []

    def work(tx: Transaction) -> None:
        tx.contexts.add(context)
        tx.after_commit(lambda: seen.append(future.done()))

    gate = Gate(store)
    future = store.submit(work)
    gate.open()
    future.result(10)
    assert seen == [False]


def test_actions_of_work_that_raised_do_not_run(store: Store) -> None:
    ran = []

    def work(tx: Transaction) -> None:
        tx.after_commit(lambda: ran.append(1))
        raise NotFound("x")

    with pytest.raises(NotFound):
        store.write(work)
    store.write(lambda tx: None)
    assert ran == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_action_that_raises_against_the_rules_loses_nothing(store: Store) -> None:
    ran = []

    def work(tx: Transaction) -> str:
        tx.after_commit(lambda: 1 // 0)  # type: ignore[arg-type]  # it raises
        tx.after_commit(lambda: ran.append("second"))
        return "kept"

    assert (store.write(work), ran) == ("kept", ["second"])


# Reading


def test_a_read_does_not_see_what_is_committed_while_it_lasts(store: Store) -> None:
    context = a_context()

    def work(tx: Transaction) -> tuple[bool, bool]:
        before = tx.contexts.get(context.id) is not None
        store.write(lambda other: other.contexts.add(context))
        return before, tx.contexts.get(context.id) is not None

    assert store.read(work) == (False, False)


def test_writing_through_a_read_is_refused(store: Store) -> None:
    with pytest.raises(StorageError, match="a read cannot change anything"):
        store.read(lambda tx: tx.contexts.add(a_context()))


def test_a_read_that_raised_leaves_the_next_one_a_fresh_snapshot(store: Store) -> None:
    def work(tx: Transaction) -> None:
        tx.views.counts()
        raise DuctileError("x")

    with pytest.raises(DuctileError):
        store.read(work)
    job = stored_job(store)
    assert store.read(lambda tx: tx.jobs.get(job.id)) == job


def test_more_readers_than_connections_do_not_wait_for_each_other(store: Store) -> None:
    together = threading.Barrier(12, timeout=10)
    with ThreadPoolExecutor(12) as threads:
        done = [threads.submit(store.read, lambda tx: together.wait()) for _ in range(12)]
        assert sorted(future.result() for future in done) == list(range(12))


# The whole database


def test_a_database_in_order_passes_the_check(store: Store) -> None:
    store.check()


def test_a_backup_holds_what_was_committed_and_can_be_opened(
    opener: Opener, tmp_path: Path
) -> None:
    store = opener()
    job = stored_job(store)
    target = tmp_path / "copies" / "ductile.db"
    target.parent.mkdir()
    store.backup(target)
    stored_job(store)
    store.close()
    target.replace(tmp_path / "ductile.db")
    restored = opener()
    assert [each.id for each in restored.read(lambda tx: tx.views.jobs(limit=9))] == [job.id]


def test_a_backup_never_overwrites(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    with pytest.raises(StorageError, match="exists already"):
        store.backup(target)
    assert target.read_text() == "mine"


def test_a_backup_into_a_directory_that_is_missing_says_so(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file or directory"):
        store.backup(tmp_path / "missing" / "copy.db")


def test_a_backup_leaves_nothing_else_behind(store: Store, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    store.backup(copies / "copy.db")
    assert [each.name for each in copies.iterdir()] == ["copy.db"]


def test_closing_finishes_what_was_submitted(opener: Opener) -> None:
    store = opener()
    gate = Gate(store)
    futures = [store.submit(lambda tx: store_job(tx)) for _ in range(20)]
    closing = threading.Thread(target=store.close)
    closing.start()
    gate.open()
    closing.join(10)
    jobs = [future.result(0) for future in futures]
    again = opener()
    assert [again.read(lambda tx: tx.jobs.get(jobs[19].id))] == [jobs[19]]


def test_closing_twice_is_harmless(store: Store) -> None:
    store.close()
    store.close()


@pytest.mark.parametrize("use", ["write", "read", "check"])
def test_a_closed_store_says_that_it_is_closed(store: Store, use: str) -> None:
    store.close()
    uses = {
        "write": lambda: store.write(lambda tx: None),
        "read": lambda: store.read(lambda tx: None),
        "check": store.check,
    }
    with pytest.raises(StorageError, match="the database is closed"):
        uses[use]()
