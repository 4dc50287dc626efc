"""Signals that tests wait for, instead of time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from ductile.telemetry.signals import Signal

#: Seconds after which a test has failed; nothing that works takes a tenth of it.
PATIENCE: Final = 30.0

S = TypeVar("S", bound=Signal)


class Signals:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.heard: list[Signal] = []

    def __call__(self, signal: Signal) -> None:
        with self._changed:
            self.heard.append(signal)
            self._changed.notify_all()

    def of(self, kind: type[S]) -> list[S]:
        """All signals of one kind so far."""
        return [signal for signal in self.heard if isinstance(signal, kind)]

    def wait_for(self, kind: type[S], which: Callable[[S], bool] = lambda _: True) -> S:
        """The first signal of that kind for which `which` holds, heard already or not yet."""
        found: list[S] = []

        def arrived() -> bool:
            found.extend(signal for signal in self.of(kind) if which(signal))
            return bool(found)

        with self._changed:
            if not self._changed.wait_for(arrived, PATIENCE):
                raise AssertionError(f"no {kind.__name__} in {PATIENCE:.0f} s; heard {self.heard}")
        return found[0]

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until something that signals tell of holds."""
        with self._changed:
            if not self._changed.wait_for(holds, PATIENCE):
                raise AssertionError(f"not so within {PATIENCE:.0f} s; heard {self.heard}")
