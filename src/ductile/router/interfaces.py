"""The router: which jobs and runs follow from an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ductile.dsl.graph import Pipeline, Step
from ductile.model.context import Context
from ductile.model.event import Event


@dataclass(frozen=True, slots=True)
class Position:
    """Where in which version of a pipeline the job stands that emitted an event."""

    pipeline: Pipeline
    step: str


@dataclass(frozen=True, slots=True)
class Next:
    """What follows from one event."""

    steps: tuple[Step, ...] = ()
    """Steps of the same run, one job each."""
    starts: tuple[Pipeline, ...] = ()
    """Pipelines of which a new run starts, at all its entries."""


class Router(Protocol):
    """A pure function: no clock, no database, no randomness.

    Equal arguments give equal answers for as long as the set of pipelines is the same; the
    steps of a run come from the version in `at`, whatever the set is now.
    """

    def next(self, event: Event, context: Context, at: Position | None = None) -> Next:
        """What follows from `event` in `context`.

        `at` is None for an event from outside and for one that a job outside any pipeline
        emitted. The event that stands for a silent success starts no pipeline.
        """
