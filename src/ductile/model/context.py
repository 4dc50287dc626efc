"""The context: one immutable ledger row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ductile.model.ids import ContextId, PipelineHash, RunId
from ductile.model.json import JsonObject


@dataclass(frozen=True, slots=True)
class Context:
    """The baggage accumulated up to one hop, and the row that it grew from."""

    id: ContextId
    parent_id: ContextId | None
    hop: int
    """Distance from the chain's root, which is 0."""
    baggage: JsonObject
    created_at: datetime
    run_id: RunId | None = None
    pipeline_hash: PipelineHash | None = None
    """The version that its run is pinned to."""
    step_id: str | None = None
