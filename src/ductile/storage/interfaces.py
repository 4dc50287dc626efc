"""The database behind one `Store`: one transaction at a time may write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from ductile.ledger.interfaces import ContextLedger
from ductile.model.artifact import Artifact
from ductile.model.context import Context
from ductile.model.delivery import Delivery, DeliveryVerdict
from ductile.model.event import Event
from ductile.model.ids import (
    ChainId,
    ContextId,
    DeliveryId,
    EventId,
    JobId,
    PipelineHash,
    RunId,
)
from ductile.model.job import Job, JobStatus
from ductile.model.json import JsonObject
from ductile.model.outcome import LogLine
from ductile.model.run import Failure, Phase, Progress, Run, RunStatus
from ductile.queue.interfaces import JobQueue

T = TypeVar("T")


class Events(Protocol):
    """The immutable record of events."""

    def add(self, event: Event) -> None:
        """Write one event. Raises StorageError if the job that emitted it does not exist."""

    def get(self, event_id: EventId) -> Event | None:
        """The event of that id."""


@dataclass(frozen=True, slots=True)
class SkipRecord:
    """A step that was passed by."""

    run_id: RunId
    step_id: str
    parent_job_id: JobId | None
    """The job that led to it; None at the start of a run."""
    event_id: EventId
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ArrivalRecord:
    """Something that came to a join, and with what."""

    run_id: RunId
    join_id: str
    source: str
    """The node of the graph that it came from."""
    position: int
    """Its place in the order in which the join merges, from 0; several may share one."""
    event_id: EventId
    context_id: ContextId
    job_id: JobId | None
    """The job whose workspace it brings; None if there was none before it."""
    created_at: datetime


class Joins(Protocol):
    """What runs wait for, and what they passed by."""

    def arrive(self, arrival: ArrivalRecord) -> None:
        """Write down an arrival. Raises Violation if the join has gone on already."""

    def arrivals(self, run_id: RunId, join_id: str) -> Sequence[ArrivalRecord]:
        """All that came to a join, by position, then in the order in which it came."""

    def leave(self, run_id: RunId, join_id: str, now: datetime) -> None:
        """Note that a join has gone on. Raises Violation if it has already."""

    def progress(self, run_id: RunId) -> Progress:
        """How far the run is; the cost grows with what is open, failed and joined in it, not
        with its finished jobs."""

    def skip(self, skip: SkipRecord) -> None:
        """Write down that a step was passed by."""


class Runs(Protocol):
    """Executions of pipelines."""

    def add(self, run: Run) -> None:
        """Write a run; the version that it is pinned to must be in `versions`."""

    def get(self, run_id: RunId) -> Run | None:
        """The run as it stands."""

    def advance(self, run_id: RunId, *, by: int, failure: Failure | None = None) -> Run:
        """Add `by` to the run's open jobs and remember the first `failure`.

        Returns the run as it stands after that; it does not end by itself. Raises Violation
        for a run that is over, and for one with fewer open jobs than are to end.
        """

    def move(self, run_id: RunId, phase: Phase) -> None:
        """Note the phase that the run is in from now on. Raises Violation if it is over."""

    def finish(
        self, run_id: RunId, status: RunStatus, *, now: datetime, reason: str | None = None
    ) -> Run:
        """Make a run without open jobs terminal; returns it as it stands after that.

        Raises Violation while a job of it is open, when it is over already, and for an end
        other than success without a reason, or success with one.
        """

    def overdue(self, now: datetime) -> Sequence[Run]:
        """Running runs whose deadline has come by `now`, the earliest first; the cost does not
        grow with the runs that are over or not yet due."""

    def end(self, run_id: RunId, status: RunStatus, *, reason: str) -> Run:
        """Note that a running run is being ended, as cancelled or timed out; the first word
        counts. Raises Violation for a run that is over or does not exist."""

    def ending(self, run_id: RunId) -> Run | None:
        """The run if `end` was called on it, None if not: cheaper than `get` for one that was not,
        as nearly all are."""

    def stopping(self) -> Sequence[JobId]:
        """Running jobs of runs that are being ended, but for those of `finally`."""

    def path(self, run_id: RunId) -> Sequence[Run]:
        """The run and those that led to it, outermost first."""


class Versions(Protocol):
    """Every pipeline version that ever ran."""

    def add(self, pipeline_hash: PipelineHash, name: str, definition: str, now: datetime) -> None:
        """Keep a version; one that is kept already is left as it is."""

    def get(self, pipeline_hash: PipelineHash) -> str | None:
        """The definition of that version."""


class Artifacts(Protocol):
    """What succeeded jobs changed in their workspaces."""

    def add(self, job_id: JobId, artifacts: Iterable[Artifact]) -> None:
        """Record the changes of one job."""

    def of_job(self, job_id: JobId) -> Sequence[Artifact]:
        """The changes of one job, by path."""

    def held(self, job_id: JobId) -> Mapping[str, tuple[JobId, Artifact]]:
        """All that the committed workspace of a job holds: path to (job that wrote it, artifact).

        The lineage of the job folded, from the root of its workspace on. A job behind a join
        begins with the union of what the jobs that arrived there hold, in the order of
        `Joins.arrivals`: where two have the same path, the later one wins, a directory and a
        file under one path included, and a job that arrived twice counts once, as the last.
        For a job that has not succeeded it is what its workspace begins with. The cost grows
        with the lineage, so nothing on the way of a job asks for it.
        """

    def origin(self, job_id: JobId, path: str) -> tuple[JobId, Artifact] | None:
        """Who wrote one path that the committed workspace of `job_id` holds; like `held`, but
        of the changes it reads only those near the path."""

    def bases(self, job_id: JobId) -> Sequence[JobId]:
        """The nearest jobs from which all workspaces descend that this one begins with.

        What a branch has as one of these has it was not given by the branch. None if a job
        begins with less than two workspaces, or with such that have nothing in common.
        """

    def taint(self, owner: JobId, path: str, *, by: JobId) -> None:
        """Mark an artifact as changed in place after its job, first noticed in job `by`."""


class PluginStates(Protocol):
    """What plugins remember from one run to the next."""

    def get(self, plugin: str) -> JsonObject:
        """The state of a plugin; empty if it has none."""

    def merge(self, plugin: str, updates: JsonObject, *, max_bytes: int, now: datetime) -> None:
        """Merge top-level keys; what says nothing new changes nothing.

        Raises Refused if the whole grows beyond `max_bytes` of JSON.
        """


@dataclass(frozen=True, slots=True)
class First:
    """What came of the first event with a dedupe key."""

    event_id: EventId
    job_ids: tuple[JobId, ...] = ()
    run_ids: tuple[RunId, ...] = ()


class DedupeKeys(Protocol):
    """Which events are not to start anything once more.

    `scope` says what a key is a key of; equal keys of two scopes have nothing to do with each
    other. Only one of two transactions at once can keep a key, so whoever asks and keeps in
    one transaction is the first or hears of it.
    """

    def first(self, scope: str, key: str, *, now: datetime) -> First | None:
        """What the key stands for, unless it has expired by `now`."""

    def keep(
        self, scope: str, key: str, first: First, *, now: datetime, expires_at: datetime
    ) -> None:
        """Let the key stand for `first`. Raises Violation while it stands for something, and
        for an event that does not exist."""

    def prune(self, *, now: datetime, limit: int) -> int:
        """Forget at most `limit` keys that have expired; returns how many."""


class Deliveries(Protocol):
    """The inbox: what came to webhook endpoints, and what became of it."""

    def add(self, delivery: Delivery) -> None:
        """Write a row. Raises Violation for an event that does not exist."""

    def get(self, delivery_id: DeliveryId) -> Delivery | None:
        """The delivery of that id."""

    def page(
        self,
        *,
        limit: int,
        endpoint: str | None = None,
        verdict: DeliveryVerdict | None = None,
        before: DeliveryId | None = None,
    ) -> Sequence[Delivery]:
        """Deliveries, newest first, those older than delivery `before` if given."""

    def expired(self, *, before: datetime, limit: int) -> Sequence[DeliveryId]:
        """Of the `limit` oldest deliveries, those that came before a moment."""

    def surplus(self, *, keep: int, limit: int) -> Sequence[DeliveryId]:
        """At most `limit` of those that started nothing and are not among the newest `keep`
        such of their endpoint."""

    def forget(self, ids: Sequence[DeliveryId]) -> int:
        """Delete these rows, where they still are; returns how many."""


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One row of `job_log`."""

    job_id: JobId
    attempt: int
    status: str
    started_at: datetime
    completed_at: datetime
    exit_code: int | None
    error: str | None
    result: str | None
    logs: tuple[LogLine, ...]
    stderr: str


@dataclass(frozen=True, slots=True)
class ChainRecords:
    """All that the ledger knows of one chain, each in the order in which it came."""

    chain_id: ChainId
    events: Sequence[Event]
    runs: Sequence[Run]
    jobs: Sequence[Job]
    contexts: Sequence[Context]
    attempts: Sequence[AttemptRecord]
    artifacts: Mapping[JobId, Sequence[Artifact]]
    skips: Sequence[SkipRecord] = ()
    arrivals: Sequence[ArrivalRecord] = ()


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """How far a chain is: what the janitor decides by."""

    chain_id: ChainId
    open_jobs: int
    """Jobs that are not terminal."""
    last_completed_at: datetime | None
    """The newest completion in `job_log`."""


class Views(Protocol):
    """Questions that readers ask; nothing here changes anything."""

    def jobs(
        self,
        *,
        limit: int,
        status: JobStatus | None = None,
        plugin: str | None = None,
        before: JobId | None = None,
    ) -> Sequence[Job]:
        """Jobs, newest first, those older than job `before` if given."""

    def runs(
        self,
        *,
        limit: int,
        status: RunStatus | None = None,
        pipeline: str | None = None,
        before: RunId | None = None,
    ) -> Sequence[Run]:
        """Runs, newest first, those older than run `before` if given."""

    def chains(self, *, limit: int, before: ChainId | None = None) -> Sequence[ChainId]:
        """Chains, newest first, those older than chain `before` if given."""

    def chain(self, chain_id: ChainId) -> ChainRecords:
        """Everything of one chain; empty if there is no such chain."""

    def chain_ends(self, job_ids: Sequence[JobId]) -> Mapping[JobId, ChainEnd]:
        """For each of these jobs that is known, how far its chain is."""

    def waiting(self, *, up_to: int) -> int:
        """How many jobs are queued, counted no further than to `up_to`."""

    def counts(self) -> Mapping[JobStatus, int]:
        """How many jobs are queued and running; other statuses are not counted."""


class Transaction(Protocol):
    """All or nothing: what is written through it is committed as one, or not at all."""

    @property
    def jobs(self) -> JobQueue: ...
    @property
    def contexts(self) -> ContextLedger: ...
    @property
    def events(self) -> Events: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def joins(self) -> Joins: ...
    @property
    def versions(self) -> Versions: ...
    @property
    def artifacts(self) -> Artifacts: ...
    @property
    def plugin_states(self) -> PluginStates: ...
    @property
    def dedupe(self) -> DedupeKeys: ...
    @property
    def deliveries(self) -> Deliveries: ...
    @property
    def views(self) -> Views: ...

    def after_commit(self, action: Callable[[], None]) -> None:
        """Call `action` once this is on disk, before its caller hears of it; never after a
        rollback. It must be quick, must not raise and must not use the store."""


class Store(Protocol):
    """A durable database that many threads may use at once.

    Writers are taken in turn and committed together when they come together: what `write`
    returned is on disk. A writer that raises leaves no trace and disturbs no other.
    """

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and return its result after the commit.

        `work` runs on another thread, must not wait for anything, and must not use the store.
        Raises what `work` raised, or StorageError when the commit fails (a full disk, say).
        """

    def submit(self, work: Callable[[Transaction], T]) -> Future[T]:
        """Like `write`, without waiting: the future ends after the commit."""

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one consistent snapshot; writing through it raises StorageError."""

    def check(self) -> None:
        """Raise StorageError unless the database can be read and written right now."""

    def backup(self, target: Path) -> None:
        """Write a consistent copy to a file that must not exist yet."""

    def close(self) -> None:
        """Finish what was submitted and let go of the files; harmless when called again."""
