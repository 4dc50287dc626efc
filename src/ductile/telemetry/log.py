"""The log: signals rendered as lines, for people or as JSON."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, TextIO, TypeAlias

from ductile.model.clock import Clock, to_text
from ductile.telemetry.hub import Listener
from ductile.telemetry.signals import Signal

_Render: TypeAlias = Callable[[str, str, str, dict[str, Any]], str]

#: What stands in a line as it is. All else is quoted as in JSON, so that a line stays one line.
_PLAIN: Final = re.compile(r"[\w./:+,@-]+")
_UNSEEN: Final = re.compile("[\x7f-\x9f\u2028\u2029]")


def log_listener(
    clock: Clock, *, level: str = "info", as_json: bool = False, stream: TextIO | None = None
) -> Listener:
    """A listener that writes one line per signal of at least `level` to `stream` (stderr)."""
    threshold: int = logging.getLevelNamesMapping()[level.upper()]
    target = stream or sys.stderr
    render: _Render = _json if as_json else _text

    def write(signal: Signal) -> None:
        if signal.level >= threshold:
            name = logging.getLevelName(signal.level).lower()
            line = render(to_text(clock.now()), name, signal.sentence, _fields(signal))
            target.write(f"{line}\n")
            target.flush()

    return write


def _text(time: str, level: str, sentence: str, fields: dict[str, Any]) -> str:
    pairs = [_pair(name, value) for name, value in fields.items() if value != ()]
    return f"{time} {level:7} {sentence}  {' '.join(pairs)}".rstrip()


def _pair(name: str, value: Any) -> str:
    if isinstance(value, tuple):
        value = "; ".join(value)
    text = str(value)
    if not _PLAIN.fullmatch(text):
        text = json.dumps(text, ensure_ascii=False)
        text = _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return f"{name}={text}"


def _json(time: str, level: str, sentence: str, fields: dict[str, Any]) -> str:
    return json.dumps({"time": time, "level": level, "event": sentence, **fields})


def _fields(signal: Signal) -> dict[str, Any]:
    # The names of the fields, in order; to ask `dataclasses` takes longer than to write the line.
    names: tuple[str, ...] = signal.__match_args__
    found: dict[str, Any] = {}
    for name in names:
        value = getattr(signal, name)
        if value is not None:
            found[name] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.3f}s"
    return to_text(value) if isinstance(value, datetime) else value
