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


def equal(left: Json, right: Json) -> bool:
    """Whether two JSON values are the same: 1 is 1.0, but not true and not "1".

    Keeps its own stack, since what a plugin sends may be nested deeper than Python may recurse.
    """
    pairs: list[tuple[Json, Json]] = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            if one.keys() != other.keys():
                return False
            pairs.extend((one[key], other[key]) for key in one)
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            pairs.extend(zip(one, other, strict=True))
        elif isinstance(one, bool) is not isinstance(other, bool) or one != other:
            return False
    return True
