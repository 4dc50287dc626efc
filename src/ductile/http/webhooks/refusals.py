"""Tells the operator of deliveries that were refused, without filling the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import WebhookRefused

#: Seconds between two signals of one kind.
EVERY: Final = 60.0

#: Calls something after so many seconds.
Later: TypeAlias = Callable[[float, Callable[[], None]], object]
Kind: TypeAlias = tuple[str, int, str]


@dataclass(slots=True)
class _Counted:
    """Refusals of one kind since it was last told of."""

    times: int = 0
    reason: str = ""


def on_the_loop(delay: float, action: Callable[[], None]) -> object:
    """Only on the thread of the loop."""
    return asyncio.get_running_loop().call_later(delay, action)


class Refusals:
    """The first refusal of a kind is a signal at once, those after it are counted.

    Every minute the count is one more signal, until a minute has had none. A kind is endpoint
    and status, and for a 401 its reason too, so that whoever scans for open doors does not hide
    that the clock of a sender is wrong; strangers can bring about a handful of kinds.
    """

    def __init__(
        self, telemetry: Telemetry, *, every: float = EVERY, later: Later = on_the_loop
    ) -> None:
        self._telemetry = telemetry
        self._every = every
        self._later = later
        self._counted: dict[Kind, _Counted] = {}

    def add(self, endpoint: str, status: int, reason: str) -> None:
        """Only on the thread of the loop."""
        kind = (endpoint, status, reason if status == 401 else "")
        counted = self._counted.get(kind)
        if counted is None:
            self._telemetry.emit(WebhookRefused(endpoint, status, reason))
            self._begin(kind)
        else:
            counted.times += 1
            counted.reason = reason

    def close(self) -> None:
        """Tell the counts that are waiting for their minute to end."""
        for kind, counted in self._counted.items():
            self._tell(kind, counted)
        self._counted.clear()

    def _begin(self, kind: Kind) -> None:
        self._counted[kind] = _Counted()
        self._later(self._every, lambda: self._end(kind))

    def _end(self, kind: Kind) -> None:
        counted = self._counted.pop(kind, None)
        if counted is not None and counted.times:
            self._tell(kind, counted)
            self._begin(kind)

    def _tell(self, kind: Kind, counted: _Counted) -> None:
        if counted.times:
            endpoint, status, _ = kind
            self._telemetry.emit(WebhookRefused(endpoint, status, counted.reason, counted.times))
