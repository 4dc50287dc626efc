"""The pruner: forgets what counts no more, so that it does not pile up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from ductile.config.endpoints import InboxSettings
from ductile.model.clock import Clock
from ductile.model.ids import DeliveryId
from ductile.storage.interfaces import Store, Transaction

#: Between two rounds of the gateway's own.
INTERVAL: Final = timedelta(minutes=1)
#: Rows that go at a time: whoever writes meanwhile waits for no more than these.
BATCH: Final = 500


class Pruner:
    """Deletes dedupe keys that have expired, and rows of the inbox that are too old or too many,
    in small transactions."""

    def __init__(
        self, store: Store, inbox: InboxSettings, clock: Clock, *, batch: int = BATCH
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._clock = clock
        self._batch = batch

    def run_once(self) -> int:
        """Forget what is to be forgotten by now; returns how much it was."""
        now = self._clock.now()
        before, keep = now - self._inbox.ttl, self._inbox.limit
        return (
            self._in_batches(
                lambda: self._store.write(lambda tx: tx.dedupe.prune(now=now, limit=self._batch))
            )
            + self._deliveries(lambda tx: tx.deliveries.expired(before=before, limit=self._batch))
            + self._deliveries(lambda tx: tx.deliveries.surplus(keep=keep, limit=self._batch))
        )

    def _deliveries(self, find: Callable[[Transaction], Sequence[DeliveryId]]) -> int:
        def forget() -> int:
            # Found on a snapshot, since nobody waits for those who read.
            found = self._store.read(find)
            return self._store.write(lambda tx: tx.deliveries.forget(found)) if found else 0

        return self._in_batches(forget)

    def _in_batches(self, prune: Callable[[], int]) -> int:
        pruned = 0
        while True:
            count = prune()
            pruned += count
            if count < self._batch:
                return pruned
