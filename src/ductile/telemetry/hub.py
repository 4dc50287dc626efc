"""The hub: parts emit signals, and whoever listens gets them in order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeAlias

from ductile.telemetry.signals import Signal

Listener: TypeAlias = Callable[[Signal], None]

_log = logging.getLogger("ductile")


class Telemetry:
    """Hands each signal to all listeners, on the thread that emits it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every signal from now on; returns what ends that.

        A listener must be quick. One that raises is logged and kept.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)
        return lambda: self._unsubscribe(listener)

    def _unsubscribe(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = tuple(each for each in self._listeners if each is not listener)

    def emit(self, signal: Signal) -> None:
        """Tell all listeners; never raises."""
        for listener in self._listeners:
            try:
                listener(signal)
            except Exception:
                _log.exception("a listener failed on %s", type(signal).__name__)
