"""The pruner: forgets what counts no more, so that it does not pile up."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ductile.model.clock import Clock
from ductile.storage.interfaces import Store

#: Between two rounds of the gateway's own.
INTERVAL: Final = timedelta(minutes=1)
#: Rows that go at a time: whoever writes meanwhile waits for no more than these.
BATCH: Final = 500


class Pruner:
    """Deletes dedupe keys that have expired, in small transactions."""

    def __init__(self, store: Store, clock: Clock, *, batch: int = BATCH) -> None:
        self._store = store
        self._clock = clock
        self._batch = batch

    def run_once(self) -> int:
        """Forget what has expired by now; returns how much it was."""
        now, pruned = self._clock.now(), 0
        while True:
            count = self._store.write(lambda tx: tx.dedupe.prune(now=now, limit=self._batch))
            pruned += count
            if count < self._batch:
                return pruned
