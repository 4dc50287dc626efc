"""The event: an immutable record that something happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ductile.model.ids import ChainId, EventId, JobId
from ductile.model.json import JsonObject

#: The type of the event that stands for "the step succeeded and emitted nothing".
STEP_SUCCEEDED: Final = "ductile.step.succeeded"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, from outside or emitted by a job."""

    id: EventId
    type: str
    payload: JsonObject
    source: str
    """Who says so: an endpoint, `api`, `cli`, or the plugin that emitted it."""
    timestamp: datetime
    chain_id: ChainId
    job_id: JobId | None = None
    """The job that emitted it; None for what came from outside."""
    dedupe_key: str | None = None
