"""Writes without end from several threads and prints the id of whatever was acknowledged."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from ductile.model.clock import SystemClock
from ductile.storage.interfaces import Store
from ductile.storage.sqlite import open_store
from tests.support.builders import store_job


def acknowledge(store: Store, output: threading.Lock) -> None:
    while True:
        job = store.write(lambda tx: store_job(tx))
        with output:
            print(job.id, flush=True)


def main() -> None:
    store = open_store(Path(sys.argv[1]), SystemClock(), exclusive=True)
    output = threading.Lock()
    for _ in range(4):
        threading.Thread(target=acknowledge, args=(store, output)).start()


if __name__ == "__main__":
    main()
