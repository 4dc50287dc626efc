"""What readers get to see of runs, jobs and whole chains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ductile.model.artifact import Artifact
from ductile.model.context import Context
from ductile.model.event import Event
from ductile.model.ids import ChainId, JobId, RunId
from ductile.model.job import Job
from ductile.model.json import Json, JsonObject
from ductile.model.run import Phase, Run, RunStatus
from ductile.storage.interfaces import ArrivalRecord, AttemptRecord, SkipRecord


@dataclass(frozen=True, slots=True)
class Changed:
    """The value of one baggage key, before and after."""

    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class BaggageChange:
    """What one context row has that the row it grew from had not."""

    added: JsonObject = field(default_factory=dict)
    changed: Mapping[str, Changed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobView:
    """One job of a chain, with all that it left behind."""

    job: Job
    depth: int
    """How many jobs are above it in its chain; 0 for one that the event from outside started."""
    children: tuple[JobId, ...] = ()
    """The jobs whose `parent_job_id` it is, in the order in which they were queued."""
    attempts: tuple[AttemptRecord, ...] = ()
    """Those that have ended; the one that is under way is not among them."""
    context: Context | None = None
    """The row that its success wrote; None unless it succeeded."""
    baggage: BaggageChange = BaggageChange()
    """What that row changed of the row that the job read."""
    emitted: tuple[Event, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    """By path."""
    phase: Phase = Phase.MAIN
    """The part of its pipeline that its step belongs to."""
    joined: tuple[ArrivalRecord, ...] = ()
    """What the join that it follows had gathered, in the order in which it came; empty for a
    job that follows none."""


@dataclass(frozen=True, slots=True)
class RunView:
    """One run of a chain."""

    run: Run
    jobs: tuple[JobId, ...] = ()
    """All its jobs, in tree order."""
    baggage: BaggageChange = BaggageChange()
    """What the event that started it added; empty for a run that started from outside."""
    skips: tuple[SkipRecord, ...] = ()
    """Steps that were passed by, in the order in which it was decided."""
    arrivals: tuple[ArrivalRecord, ...] = ()
    """What came to its joins, in the order in which it came."""


@dataclass(frozen=True, slots=True)
class ChainView:
    """All that descends from one event from outside.

    The tree is kept flat, since it may be deeper than readers can recurse: `jobs` are in tree
    order (each before its children, siblings in the order in which they were queued), and
    each knows its depth, its parent and its children.
    """

    id: ChainId
    event: Event
    status: RunStatus
    """Running while any job is queued or running; failed if any job or run ended other than
    succeeded."""
    as_of: datetime
    """When this was read."""
    completed_at: datetime | None
    """When the last job ended; None while one is open."""
    baggage: JsonObject
    """What the chain started with: the event's payload and the origin anchor; empty for an
    event that nothing followed from."""
    runs: tuple[RunView, ...] = ()
    jobs: tuple[JobView, ...] = ()
    asked: JobId | RunId | None = None
    """The job or run by whose id the chain was found, if it was."""
