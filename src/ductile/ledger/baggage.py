"""The rules by which baggage grows from hop to hop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ductile.errors import Refused
from ductile.model.clock import to_text
from ductile.model.event import Event
from ductile.model.json import Json, JsonObject, encode, encode_kept, equal

#: Keys that begin so are set where a chain starts and are read-only from then on.
ORIGIN: Final = "origin_"
#: Keys that begin so belong to the core.
CORE: Final = "ductile"
#: The names of the request's fields: a plugin author who uses one is probably confused.
SYSTEM_KEYS: Final = frozenset(
    {
        "protocol",
        "job_id",
        "attempt",
        "command",
        "config",
        "state",
        "context",
        "workspace_dir",
        "event",
        "event_id",
        "payload",
        "run",
        "deadline_at",
    }
)
#: Bytes of JSON that baggage may grow to unless set otherwise.
MAX_BYTES: Final = 1024 * 1024
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Questioned:
    """A top-level key that is also a system key."""

    key: str
    dropped: bool
    """Whether it was left out; otherwise it was merged."""

    @property
    def done(self) -> str:
        """What became of it, for people: `dropped` or `merged`."""
        return "dropped" if self.dropped else "merged"


@dataclass(frozen=True, slots=True)
class Merged:
    """Baggage with updates merged over it."""

    baggage: JsonObject
    questioned: tuple[Questioned, ...] = ()
    """What somebody should be warned of, in the order of the updates."""


def as_object(payload: Json) -> JsonObject:
    """The payload if it is an object, otherwise an object with the payload as its `value`."""
    return payload if isinstance(payload, Mapping) else {"value": payload}


def root(event: Event) -> JsonObject:
    """The baggage that an event from outside starts a chain with.

    The keys of its payload and the stamps of the core, which win over keys of the same name.
    Other `origin_` keys of the payload become part of the anchor.
    """
    return {
        **as_object(event.payload),
        f"{ORIGIN}event_id": event.id,
        f"{ORIGIN}event_type": event.type,
        f"{ORIGIN}source": event.source,
        f"{ORIGIN}received_at": to_text(event.timestamp),
    }


def merge(parent: JsonObject, updates: JsonObject) -> Merged:
    """Merge updates over the parent's baggage, top-level key by key.

    Raises Refused if an `origin_` key would be changed or added; repeating its value is
    allowed. Neither argument is changed.
    """
    touched = [
        key
        for key, value in updates.items()
        if key.startswith(ORIGIN) and not (key in parent and equal(parent[key], value))
    ]
    if touched:
        raise Refused(_origin_touched(parent, touched))
    baggage = dict(parent)
    questioned: list[Questioned] = []
    for key, value in updates.items():
        dropped = key.startswith(CORE)
        if dropped or key in SYSTEM_KEYS:
            questioned.append(Questioned(key, dropped))
        if not dropped and not key.startswith(ORIGIN):
            baggage[key] = value
    return Merged(baggage, tuple(questioned))


def view(event_payload: Json, baggage: JsonObject) -> JsonObject:
    """What a plugin gets as `event.payload`: the payload over the baggage; the payload wins."""
    return {**baggage, **as_object(event_payload)}


def check_size(value: JsonObject, max_bytes: int = MAX_BYTES, *, what: str = "baggage") -> None:
    """Raise Refused if `value` takes more than `max_bytes` of JSON, naming its largest keys.

    Also raises it for what cannot be kept as JSON at all, such as too deep a nesting.
    """
    size = len(encode_kept(value, what))
    if size <= max_bytes:
        return
    sizes = {key: len(encode(each)) for key, each in value.items()}
    largest = sorted(sizes, key=lambda key: (-sizes[key], key))[:_NAMED]
    named = ", ".join(f'"{key}" ({sizes[key]} bytes)' for key in largest)
    raise Refused(
        f"{what} may take {max_bytes} bytes of JSON and would take {size}; its largest keys are "
        f"{named}: keep such data in a file of the workspace"
    )


def _origin_touched(parent: JsonObject, touched: list[str]) -> str:
    changed = ", ".join(f'"{key}"' for key in touched if key in parent)
    added = ", ".join(f'"{key}"' for key in touched if key not in parent)
    found = "; ".join(
        f"{verb} {keys}" for verb, keys in (("changes", changed), ("adds", added)) if keys
    )
    return (
        f'keys that begin with "{ORIGIN}" are read-only after the start of a chain, and the '
        f"response {found}: choose other names, or repeat the values as they are"
    )
