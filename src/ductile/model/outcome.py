"""The outcome: what one attempt came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from ductile.model.artifact import Artifact, Taint
from ductile.model.json import JsonObject

#: The level of what the core has to say about a job that is no cause for worry; no plugin's.
NOTICE: Final = "notice"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a plugin, or the core on its behalf, left in the job's log."""

    level: str
    message: str


@dataclass(frozen=True, slots=True)
class EmittedEvent:
    """An event as a plugin's response states it."""

    type: str
    payload: JsonObject
    dedupe_key: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What a plugin answered with status `ok`."""

    result: str | None = None
    events: tuple[EmittedEvent, ...] = ()
    state_updates: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The plugin answered `ok` and its workspace is sealed."""

    response: Response
    artifacts: tuple[Artifact, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed; `retry` says whether another one may help."""

    error: str
    retry: bool = True


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The plugin did not end in time and was stopped."""

    error: str


@dataclass(frozen=True, slots=True)
class Crashed:
    """The worker died, or lost its lease, in the middle of the attempt."""

    error: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A shutdown cut the attempt off; it does not count."""

    error: str


Outcome: TypeAlias = Succeeded | Failed | TimedOut | Crashed | Interrupted


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a job, finished: its outcome and the evidence."""

    outcome: Outcome
    started_at: datetime
    completed_at: datetime
    exit_code: int | None = None
    """Negative for the number of the signal that ended the process; None if none was started."""
    result: str | None = None
    logs: tuple[LogLine, ...] = ()
    stderr: str = ""
    taints: tuple[Taint, ...] = ()
    """Inherited files found changed in place, whatever the outcome."""
