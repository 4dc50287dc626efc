"""What JSON looks like to the type checker, and the one way to write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import orjson

#: Any JSON value. `Any`, since every reader checks the shape that it needs.
Json: TypeAlias = Any
JsonObject: TypeAlias = Mapping[str, Json]


def encode(value: Json) -> bytes:
    """Compact UTF-8 JSON."""
    return orjson.dumps(value)


def canonical(value: Json) -> bytes:
    """Compact UTF-8 JSON with sorted keys: equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def decode(data: bytes | str) -> Json:
    """Parse one JSON document; raises ValueError for anything else."""
    return orjson.loads(data)
