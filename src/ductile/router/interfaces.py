"""The router: which jobs and runs follow from an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ductile.dsl.graph import Pipeline, Step
from ductile.model.context import Context
from ductile.model.event import Event
from ductile.model.run import Phase, Progress


@dataclass(frozen=True, slots=True)
class Position:
    """Where in which version of a pipeline the job stands that emitted an event."""

    pipeline: Pipeline
    step: str


@dataclass(frozen=True, slots=True)
class Skip:
    """A step, or a call or group, that was passed by because its condition does not hold."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entered:
    """A call or group that was gone into because its condition holds."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something has come to a join."""

    join: str
    source: str
    """The node that it came from."""


@dataclass(frozen=True, slots=True)
class Routing:
    """What follows within one run."""

    steps: tuple[Step, ...] = ()
    """One job each."""
    skips: tuple[Skip, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    entered: tuple[Entered, ...] = ()


@dataclass(frozen=True, slots=True)
class Next:
    """What follows from one event."""

    here: Routing = Routing()
    """In the run that the event was emitted in."""
    starts: tuple[Pipeline, ...] = ()
    """Pipelines of which a new run starts; `enter` says with what."""


class Router(Protocol):
    """Pure functions: no clock, no database, no randomness.

    Equal arguments give equal answers for as long as the set of pipelines is the same; the
    steps of a run come from the version in its position, whatever the set is now.
    """

    def next(self, event: Event, context: Context, at: Position | None = None) -> Next:
        """What follows from `event` in `context`.

        `at` is None for an event from outside and for one that a job outside any pipeline
        emitted. The core's own events start no pipeline.
        """

    def admits(self, pipeline: Pipeline, event: Event, context: Context) -> bool:
        """Whether the condition of a pipeline lets a run start, whoever asks for it."""

    def enter(
        self, pipeline: Pipeline, event: Event, context: Context, phase: Phase = Phase.MAIN
    ) -> Routing:
        """What a run, or a later phase of it, begins with."""

    def beyond(self, join: str, pipeline: Pipeline, event: Event, context: Context) -> Routing:
        """What follows when a join has gathered all; `event` and `context` are what it made."""

    def ready(self, pipeline: Pipeline, progress: Progress) -> tuple[str, ...]:
        """The joins that go on now, in the order of the file.

        Those at which something has arrived and that have not gone on yet, with nothing open,
        nothing failed and no waiting join before them.
        """
