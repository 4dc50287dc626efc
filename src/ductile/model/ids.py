"""Identifiers: time-ordered UUIDs, one type per noun so that mypy catches a swap."""

from __future__ import annotations

import re
from typing import NewType

import uuid_utils

EventId = NewType("EventId", str)
#: A chain goes by the id of the external event that started it.
ChainId = NewType("ChainId", str)
ContextId = NewType("ContextId", str)
JobId = NewType("JobId", str)
RunId = NewType("RunId", str)
#: One request to a webhook endpoint; what the sender calls it is another matter.
DeliveryId = NewType("DeliveryId", str)
#: One process that claims jobs.
WorkerId = NewType("WorkerId", str)
#: `blake3:` and 64 hex digits; names one version of one pipeline.
PipelineHash = NewType("PipelineHash", str)

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    """A fresh id; ids made later by this process sort later."""
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """Whether `text` has the form of an id made by `new_id`; nothing else may become a path."""
    return _ID.fullmatch(text) is not None
