"""The event: an immutable record that something happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ductile.model.ids import ChainId, EventId, JobId
from ductile.model.json import JsonObject

#: Types that begin like this are the core's own; they start no pipeline.
CORE_PREFIX: Final = "ductile."
#: The type of the event that stands for "the step succeeded and emitted nothing".
STEP_SUCCEEDED: Final = "ductile.step.succeeded"
#: The type of the event with which a join goes on; its payload is `{"results": […]}`.
JOINED: Final = "ductile.joined"
#: The type of the event with which `on_failure` begins; its payload is `{"failure": {…}}`.
RUN_FAILED: Final = "ductile.run.failed"
#: The type of the event with which `finally` begins; its payload is `{"status", "failure"?}`.
RUN_ENDING: Final = "ductile.run.ending"


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
