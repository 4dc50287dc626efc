"""Single values as people read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TypeAlias

import orjson

from ductile.model.json import Json


class Style(Enum):
    """What a piece of text is to the reader; a terminal shows it by colour."""

    GOOD = "good"
    BAD = "bad"
    BUSY = "busy"
    DIM = "dim"
    BOLD = "bold"


#: Gives text the look of a style.
Paint: TypeAlias = Callable[[str, Style | None], str]

_STYLES = {
    "succeeded": Style.GOOD,
    "failed": Style.BAD,
    "timed_out": Style.BAD,
    "crashed": Style.BAD,
    "cancelled": Style.BAD,
}


def plain(text: str, style: Style | None) -> str:
    """The paint that paints nothing."""
    return text


def style_of(status: str) -> Style:
    """How a status or an outcome looks; what is under way is busy."""
    return _STYLES.get(status, Style.BUSY)


def one_line(text: str) -> str:
    """The text on one line, with nothing in it that moves the cursor or hides other text."""
    joined = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in joined)


def cut(text: str, length: int) -> str:
    """At most `length` characters of the text, with a mark where some are missing."""
    if len(text) <= length:
        return text
    return f"{text[: length - 1]}…" if length > 0 else ""


def value(content: Json, length: int = 48) -> str:
    """A JSON value, cut after `length` characters; it then says how long it is."""
    text = one_line(orjson.dumps(content).decode())
    if len(text) <= length:
        return text
    return f"{text[: length - 1]}… ({len(text)} characters)"


def moment(when: datetime) -> str:
    """A point in time in UTC, to the second."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def duration(length: timedelta) -> str:
    """A length of time in the two largest units that say something."""
    seconds = length.total_seconds()
    if seconds < 0.9995:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def size(count: int) -> str:
    """A number of bytes, rounded."""
    if count < 1024:
        return f"{count} B"
    number = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        number /= 1024
        if number < 1000:
            return f"{number:.1f} {unit}"
    return f"{number / 1024:.1f} TiB"


def short_hash(digest: str) -> str:
    """Enough of a hash to tell two apart by eye."""
    return digest.removeprefix("blake3:")[:8]


def counted(count: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
