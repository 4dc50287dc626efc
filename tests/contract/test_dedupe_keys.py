"""What the keys of every database promise."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest

from ductile.errors import Violation
from ductile.model.ids import EventId, JobId, RunId
from ductile.storage.interfaces import First, Store, Transaction
from tests.support.builders import an_event
from tests.support.clock import START

SCOPE: Final = "event a.b"
DAY: Final = timedelta(days=1)


def kept(store: Store, key: str = "k", scope: str = SCOPE, ttl: timedelta = DAY) -> First:
    """A key that stands for an event of its own."""
    event = an_event()
    first = First(event.id, (JobId("j1"), JobId("j2")), (RunId("r"),))
    store.write(lambda tx: tx.events.add(event))
    store.write(lambda tx: tx.dedupe.keep(scope, key, first, now=START, expires_at=START + ttl))
    return first


def known(
    store: Store, key: str = "k", scope: str = SCOPE, after: timedelta = timedelta(0)
) -> First | None:
    return store.read(lambda tx: tx.dedupe.first(scope, key, now=START + after))


def test_a_key_stands_for_its_first_event_and_what_that_started(store: Store) -> None:
    first = kept(store)
    assert known(store) == first


def test_a_key_that_nobody_kept_stands_for_nothing(store: Store) -> None:
    kept(store)
    assert known(store, key="other") is None


def test_a_key_counts_until_the_moment_at_which_it_expires(store: Store) -> None:
    first = kept(store)
    assert known(store, after=DAY - timedelta(microseconds=1)) == first
    assert known(store, after=DAY) is None


@pytest.mark.parametrize(
    ("scope", "key"),
    [("event a.c", "k"), ("pipeline a.b", "k"), ("event a.bk", ""), ("event a.", "bk")],
)
def test_another_scope_has_keys_of_its_own(store: Store, scope: str, key: str) -> None:
    kept(store)
    assert known(store, scope=scope, key=key) is None


def test_a_key_that_still_counts_cannot_be_kept_for_another_event(store: Store) -> None:
    first = kept(store)
    with pytest.raises(Violation, match=r'key "k" of event a\.b still counts'):
        kept(store)
    assert known(store) == first


def test_an_expired_key_can_be_kept_again_before_it_is_pruned(store: Store) -> None:
    kept(store, ttl=timedelta(0))
    again = kept(store)
    assert known(store) == again


def test_a_key_cannot_stand_for_an_event_that_does_not_exist(store: Store) -> None:
    nobody = First(EventId("nobody"))
    with pytest.raises(Violation):
        store.write(lambda tx: tx.dedupe.keep(SCOPE, "k", nobody, now=START, expires_at=START))


def test_what_a_rolled_back_transaction_kept_is_not_kept(store: Store) -> None:
    event = an_event()
    first = First(event.id)

    def work(tx: Transaction) -> None:
        tx.events.add(event)
        tx.dedupe.keep(SCOPE, "k", first, now=START, expires_at=START + DAY)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.write(work)
    assert known(store) is None


@pytest.mark.parametrize("key", ["ключ", "\ud800", "a\x00b", 100_000 * "long"])
def test_a_key_may_be_any_text(store: Store, key: str) -> None:
    first = kept(store, key=key)
    assert known(store, key=key) == first


def test_pruning_forgets_what_has_expired_and_nothing_else(store: Store) -> None:
    kept(store, "old", ttl=timedelta(hours=1))
    first = kept(store, "young")
    now = START + timedelta(hours=1)
    assert store.write(lambda tx: tx.dedupe.prune(now=now, limit=10)) == 1
    assert known(store, "old") is None
    assert known(store, "young") == first


def test_pruning_takes_no_more_at_a_time_than_it_is_asked_to(store: Store) -> None:
    for number in range(5):
        kept(store, str(number), ttl=timedelta(hours=1))
    pruned = [store.write(lambda tx: tx.dedupe.prune(now=START + DAY, limit=2)) for _ in range(4)]
    assert pruned == [2, 2, 1, 0]
