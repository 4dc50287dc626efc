"""The catalogue of signals: everything that the program says about itself, in one place."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from ductile.model.ids import ChainId, EventId, JobId, RunId


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that happened inside the program; its fields are those of the log line."""

    sentence: ClassVar[str]
    """What happened, a few words in lower case; the fields follow it."""
    level: ClassVar[int] = logging.DEBUG


@dataclass(frozen=True, slots=True)
class DatabaseUpgrading(Signal):
    """The database of an earlier program is made this one's, before anything else happens."""

    sentence = "database upgrading"
    level = logging.INFO
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class GatewayStarted(Signal):
    """All parts are up."""

    sentence = "gateway started"
    level = logging.INFO
    listen: str
    pipelines: int
    plugins: int


@dataclass(frozen=True, slots=True)
class GatewayStopping(Signal):
    """No job is claimed any more; those that run get their grace time."""

    sentence = "gateway stopping"
    level = logging.INFO
    running: int


@dataclass(frozen=True, slots=True)
class GatewayStopped(Signal):
    """Everything has ended."""

    sentence = "gateway stopped"
    level = logging.INFO


@dataclass(frozen=True, slots=True)
class ConfigurationReloaded(Signal):
    """All files were read anew and are in force; runs in flight keep their version."""

    sentence = "configuration reloaded"
    level = logging.INFO
    pipelines: int
    plugins: int
    changed: tuple[str, ...]
    """`pipeline NAME` and `plugin NAME`, for each that is not what it was."""
    at_next_start: tuple[str, ...]
    """Keys of `config.yaml` that were changed and that only a start takes in."""


@dataclass(frozen=True, slots=True)
class ReloadRefused(Signal):
    """Something is wrong in the files; what was in force before still is."""

    sentence = "reload refused, nothing was changed"
    level = logging.WARNING
    problems: int
    first: tuple[str, ...]
    """The first of them, each with file, line and column; `ductile config check` shows all."""


@dataclass(frozen=True, slots=True)
class EventAccepted(Signal):
    """An event from outside is on disk, with what follows from it."""

    sentence = "event accepted"
    event: EventId
    type: str
    source: str
    jobs: int
    runs: int


@dataclass(frozen=True, slots=True)
class EventRepeated(Signal):
    """An event started nothing: one with its dedupe key, or the delivery's id, came before."""

    sentence = "event repeated"
    level = logging.INFO
    first: EventId
    type: str
    source: str
    job: JobId | None = None
    """The job that emitted it; None for what came from outside."""


@dataclass(frozen=True, slots=True)
class WebhookRefused(Signal):
    """Deliveries were not accepted; the sender was told less than this.

    The first of its kind is told at once, those after it once a minute, together.
    """

    sentence = "webhook refused"
    level = logging.WARNING
    endpoint: str
    status: int
    reason: str
    """Why; of several, the last one's."""
    times: int | None = None
    """How many there were in the last minute; None: this one."""


@dataclass(frozen=True, slots=True)
class JobStarted(Signal):
    """An attempt begins."""

    sentence = "job started"
    level = logging.INFO
    job: JobId
    plugin: str
    command: str
    step: str | None
    attempt: str
    """`2/4`: which try of how many."""
    chain: ChainId


@dataclass(frozen=True, slots=True)
class JobSettled(Signal):
    """An attempt has ended and what follows from it is on disk."""

    sentence = "job settled"
    level = logging.INFO
    job: JobId
    plugin: str
    step: str | None
    outcome: str
    attempt: str
    took: timedelta
    chain: ChainId
    next_try: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptDiscarded(Signal):
    """A worker finished an attempt that was no longer its own; nothing was written."""

    sentence = "attempt discarded: the job was given to another worker"
    level = logging.WARNING
    job: JobId
    attempt: int


@dataclass(frozen=True, slots=True)
class BaggageKeyQuestioned(Signal):
    """A plugin's `state_updates` use a key that the core uses too."""

    sentence = "state_updates use a key of the system"
    level = logging.WARNING
    job: JobId
    plugin: str
    key: str
    done: str
    """`merged` or `dropped`."""


@dataclass(frozen=True, slots=True)
class BranchesDisagree(Signal):
    """Two branches that a join gathered gave one key different values; the later one counts."""

    sentence = "branches gave a key different values; the later one counts"
    level = logging.WARNING
    run: RunId
    join: str
    key: str
    earlier_job: JobId | None
    later_job: JobId | None


@dataclass(frozen=True, slots=True)
class FileTainted(Signal):
    """A job changed an inherited file in place; the parent's copy changed with it."""

    sentence = "inherited file changed in place"
    level = logging.ERROR
    job: JobId
    plugin: str
    path: str
    detail: str


@dataclass(frozen=True, slots=True)
class RunSettled(Signal):
    """The last open job of a run is terminal."""

    sentence = "run settled"
    level = logging.INFO
    run: RunId
    pipeline: str
    status: str
    chain: ChainId
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class JobRescued(Signal):
    """A job was taken from a worker that is gone."""

    sentence = "job taken back from a worker that is gone"
    level = logging.WARNING
    job: JobId
    plugin: str
    worker: str
    killed: int
    """Processes of the attempt that were still alive, and are not any more."""


@dataclass(frozen=True, slots=True)
class WarmParentFailed(Signal):
    """A plugin with `runtime: python` is started cold for a while; its jobs run all the same."""

    sentence = "plugin is started cold"
    level = logging.WARNING
    entrypoint: str
    reason: str
    cold_for: timedelta | None = None
    """How long; None: until its file or its environment is another."""


@dataclass(frozen=True, slots=True)
class WorkspacesDeleted(Signal):
    """The janitor deleted what had expired."""

    sentence = "workspaces deleted"
    level = logging.INFO
    directories: int


@dataclass(frozen=True, slots=True)
class WorkspaceNotDeleted(Signal):
    """One directory could not be deleted; the janitor comes again."""

    sentence = "workspace not deleted"
    level = logging.WARNING
    directory: str
    error: str


@dataclass(frozen=True, slots=True)
class PartFailed(Signal):
    """A part of the gateway failed in a way that it did not expect; it tries again."""

    sentence = "a part of the gateway failed"
    level = logging.ERROR
    part: str
    error: str
