"""The plan: every row that follows, decided before any is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import ductile.ledger.baggage as baggage
from ductile.dsl.graph import Pipeline
from ductile.model.context import Context
from ductile.model.event import Event
from ductile.model.ids import ContextId, JobId, RunId
from ductile.model.job import Job
from ductile.model.outcome import LogLine
from ductile.model.run import Run
from ductile.storage.interfaces import ArrivalRecord, SkipRecord, Transaction


@dataclass(frozen=True, slots=True)
class Origin:
    """What new jobs and runs descend from."""

    event: Event
    context: Context
    run: Run | None = None
    parents: tuple[JobId, ...] = ()
    """The jobs whose files the new ones start with, in the order in which they are merged."""
    join_id: str | None = None
    """The join that gathered them, if there are several."""

    def within(self, run: Run) -> Origin:
        """The same, as a part of that run."""
        # Not `replace`, which takes many times as long, and this is on the way of every job.
        return Origin(self.event, self.context, run, self.parents, self.join_id)

    @property
    def parent_job_id(self) -> JobId | None:
        """The last of them."""
        return self.parents[-1] if self.parents else None


@dataclass(frozen=True, slots=True)
class Start:
    """A run that begins."""

    run: Run
    pipeline: Pipeline
    origin: Origin


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows to write, all or none."""

    events: list[Event] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    contexts: list[Context] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    skips: list[SkipRecord] = field(default_factory=list)
    arrivals: list[ArrivalRecord] = field(default_factory=list)
    result_context_id: ContextId | None = None
    """Which of the contexts is the one that a success writes."""
    questioned: list[baggage.Questioned] = field(default_factory=list)
    """Keys of `state_updates` that the core uses too."""

    def write(self, tx: Transaction, now: datetime) -> None:
        """Write the rows, each after those that it refers to."""
        for event in self.events:
            tx.events.add(event)
        for start in self.starts:
            version = start.pipeline
            tx.versions.add(version.hash, version.name, version.definition, now)
            tx.runs.add(start.run)
        for context in self.contexts:
            tx.contexts.add(context)
        for job in self.jobs:
            tx.jobs.add(job)
        for skip in self.skips:
            tx.joins.skip(skip)
        for arrival in self.arrivals:
            tx.joins.arrive(arrival)

    def children_in(self, run_id: RunId) -> int:
        """How many jobs of that run are to be queued."""
        return sum(job.run_id == run_id for job in self.jobs)


def log_lines(questioned: Iterable[baggage.Questioned]) -> tuple[LogLine, ...]:
    """The lines of the job's log that tell of questioned keys."""
    return tuple(
        LogLine("warn", f'state_updates use the key "{each.key}" of the system; it was {each.done}')
        for each in questioned
    )
