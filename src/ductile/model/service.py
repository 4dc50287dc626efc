"""The service: anything that runs beside the others and can be stopped."""

from __future__ import annotations

from typing import Protocol


class Service(Protocol):
    """A part with a life of its own."""

    def start(self) -> None:
        """Begin to work in the background; a second call changes nothing."""

    def stop(self) -> None:
        """End what is under way and return when it has ended.

        Harmless before `start` and when called again.
        """
