"""Durations and sizes as people write them: `30s`, `1h30m`, `10MiB`."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction
from typing import Annotated, Final

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from ductile.documents.problems import BadValue, described, quoted
from ductile.model.json import Json

_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?"
#: Largest first, each in microseconds.
_TIMES: Final = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000}
_MILLISECOND: Final = 1_000
#: Far from where adding to a date overflows.
_LONGEST: Final = timedelta(days=36_500)
_SIZES: Final = {
    "GiB": 1024**3,
    "GB": 1000**3,
    "MiB": 1024**2,
    "MB": 1000**2,
    "KiB": 1024,
    "KB": 1000,
    "B": 1,
}
#: What SQLite and JSON readers hold.
_LARGEST: Final = 2**63 - 1
#: More characters than any sensible value has; keeps the arithmetic small.
_LONGEST_TEXT: Final = 60

_DURATION = re.compile("".join(f"(?:({_NUMBER}){unit})?" for unit in (*_TIMES, "ms")))
_SIZE = re.compile(f"({_NUMBER}) ?({'|'.join(_SIZES)})")

_DURATION_HINT: Final = "write a number and a unit: 30s, 5m, 2h"
_SIZE_HINT: Final = "write a number and a unit: 64KiB, 10MiB, 1GiB"


def parse_duration(text: str) -> timedelta:
    """The duration that `text` states, to the microsecond.

    Units are d, h, m, s and ms, the larger before the smaller. Raises BadValue for anything
    else, for zero, and for more than 36500d.
    """
    match = _DURATION.fullmatch(text) if 0 < len(text) <= _LONGEST_TEXT else None
    if match is None:
        raise BadValue(f"{quoted(text)} is not a duration", _DURATION_HINT)
    units = (*_TIMES.values(), _MILLISECOND)
    parts = zip(match.groups(), units, strict=True)
    microseconds = sum(_times(number, unit) for number, unit in parts if number)
    if microseconds == 0:
        raise BadValue(f"{quoted(text)} is no time at all", "write a duration of at least 1ms")
    if microseconds > _LONGEST // timedelta(microseconds=1):
        raise BadValue(f"{quoted(text)} is too long a duration", "write 36500d or less")
    return timedelta(microseconds=microseconds)


def parse_size(text: str) -> int:
    """The number of bytes that `text` states.

    Units are B, KiB, MiB, GiB (powers of 1024) and KB, MB, GB (powers of 1000). Raises
    BadValue for anything else, for zero, and for what does not fit into 63 bits.
    """
    match = _SIZE.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if match is None:
        raise BadValue(f"{quoted(text)} is not a size", _SIZE_HINT)
    size = _times(match[1], _SIZES[match[2]])
    if size == 0:
        raise BadValue(f"{quoted(text)} is no size at all", "write a size of at least 1B")
    if size > _LARGEST:
        raise BadValue(f"{quoted(text)} is too large a size", "write 8589934591GiB or less")
    return size


def format_duration(duration: timedelta) -> str:
    """The shortest text of a positive duration that `parse_duration` reads back."""
    rest = duration // timedelta(microseconds=1)
    parts = []
    for unit, microseconds in _TIMES.items():
        count, rest = divmod(rest, microseconds)
        if count:
            parts.append(f"{count}{unit}")
    if rest or not parts:
        whole, fraction = divmod(rest, _MILLISECOND)
        decimals = f".{fraction:03}".rstrip("0") if fraction else ""
        parts.append(f"{whole}{decimals}ms")
    return "".join(parts)


def format_size(size: int) -> str:
    """A number of bytes in the largest unit in which it is a whole number."""
    for unit, count in sorted(_SIZES.items(), key=lambda item: -item[1]):
        if size and size % count == 0:
            return f"{size // count}{unit}"
    return f"{size}B"


def _times(number: str, unit: int) -> int:
    return int(number) * unit if number.isdigit() else int(Fraction(number) * unit)


def _duration(value: Json) -> timedelta:
    if isinstance(value, str):
        return parse_duration(value)
    raise BadValue(f"{described(value)} is not a duration", _DURATION_HINT)


def _size(value: Json) -> int:
    if isinstance(value, str):
        return parse_size(value)
    raise BadValue(f"{described(value)} is not a size", _SIZE_HINT)


def _text_schema(pattern: str, examples: list[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "examples": examples})


#: A field that is written as `30s` and is a timedelta.
Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    PlainSerializer(format_duration, when_used="json"),
    _text_schema(_DURATION.pattern, ["30s", "5m", "1h30m"]),
]
#: A field that is written as `10MiB` and is a number of bytes.
ByteSize = Annotated[
    int,
    PlainValidator(_size),
    PlainSerializer(format_size, when_used="json"),
    _text_schema(_SIZE.pattern, ["64KiB", "10MiB", "1GiB"]),
]
