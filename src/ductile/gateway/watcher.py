"""The watcher: reloads when a pipeline or a manifest was changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from ductile.gateway.reload import Reloader
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import PartFailed

#: How long nothing may change before what has changed is taken in; and the longest wait for that.
_QUIET: Final = timedelta(milliseconds=100)
_PATIENCE: Final = timedelta(seconds=1)
#: How long it waits when the folders cannot be watched.
_AGAIN: Final = timedelta(seconds=10)


class Watcher:
    """Watches the folders of pipelines and plugins, sub-folders included, on a thread of its own.

    A folder that does not exist is watched from the first reload on that finds it.
    """

    def __init__(self, reloader: Reloader, telemetry: Telemetry) -> None:
        self._reloader = reloader
        self._telemetry = telemetry
        self._begun = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch, soon; a second call changes nothing."""
        if self._thread is None and not self._stopping.is_set():
            self._thread = threading.Thread(target=self._loop, name="watcher", daemon=True)
            self._thread.start()

    def begun(self) -> None:
        """Wait, after `start`, until what changes from now on is seen, or until `stop`."""
        self._begun.wait()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._begun.set()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            folders = self._folders()
            try:
                self._watch(folders)
            except Exception as error:
                self._telemetry.emit(PartFailed("watcher", str(error) or repr(error)))
                self._begun.set()
                self._stopping.wait(_AGAIN.total_seconds())

    def _watch(self, folders: tuple[Path, ...]) -> None:
        """Reload at each change, until there are other folders to watch."""
        # Imported here: of all that use a gateway, only one that watches needs it.
        from watchfiles import watch

        changes = watch(
            *folders,
            watch_filter=lambda _, path: self._reloader.concerns(Path(path)),
            step=_milliseconds(_QUIET),
            debounce=_milliseconds(_PATIENCE),
            stop_event=_Stop(self._stopping, self._watching),
            raise_interrupt=False,
        )
        for _ in changes:
            self._reloader.reload()
            if self._folders() != folders:
                return

    def _watching(self) -> None:
        """What was changed before this watch, but after the one before it, was not seen."""
        if self._begun.is_set():
            self._reloader.reload()
        self._begun.set()

    def _folders(self) -> tuple[Path, ...]:
        return tuple(folder for folder in self._reloader.folders if folder.is_dir())


class _Stop:
    """What a watch asks over and over whether to end; for the first time when it has begun."""

    def __init__(self, stopping: threading.Event, begun: Callable[[], None]) -> None:
        self._stopping = stopping
        self._begun: Callable[[], None] | None = begun

    def is_set(self) -> bool:
        begun, self._begun = self._begun, None
        if begun is not None:
            begun()
        return self._stopping.is_set()


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
