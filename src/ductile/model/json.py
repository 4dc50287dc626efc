"""What JSON looks like to the type checker, and the one way to write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import orjson

from ductile.errors import Refused

#: Any JSON value. `Any`, since every reader checks the shape that it needs.
Json: TypeAlias = Any
JsonObject: TypeAlias = Mapping[str, Json]

#: Levels that orjson writes at the most.
_WRITABLE: Final = 254
#: Levels that anything which is kept may have: it is told inside of other objects (a request, a
#: chain), which must still be writable then.
MAX_NESTING: Final = 200


def encode(value: Json) -> bytes:
    """Compact UTF-8 JSON."""
    return orjson.dumps(value)


def encode_kept(value: Json, what: str) -> bytes:
    """The JSON of something that is to be kept.

    Raises Refused, which calls it `what`, for what is nested more than `MAX_NESTING` levels
    deep and for what JSON cannot carry.
    """
    try:
        data = encode(value)
    except TypeError as error:
        # Deeper than orjson goes is one reason of several, and only its text tells it.
        if "recursion" in str(error).lower():
            raise _too_deep(what) from error
        raise Refused(f"{what} cannot be written as JSON: {error}") from error
    # Hardly anything has so many brackets, and those that have are asked by being written deeper.
    if data.count(b"{") + data.count(b"[") > MAX_NESTING:
        for _ in range(_WRITABLE - MAX_NESTING):
            value = [value]
        try:
            encode(value)
        except TypeError as error:
            raise _too_deep(what) from error
    return data


def _too_deep(what: str) -> Refused:
    return Refused(
        f"{what} may be nested {MAX_NESTING} levels deep, and is deeper; keep such data in a file "
        "of the workspace, or as text"
    )


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
