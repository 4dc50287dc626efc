"""The log: signals rendered as lines, for people or as JSON."""

from __future__ import annotations

import dataclasses
import logging
import sys
from datetime import datetime, timedelta
from typing import Any, TextIO

import structlog

from ductile.model.clock import Clock, to_text
from ductile.telemetry.hub import Listener
from ductile.telemetry.signals import Signal


def log_listener(
    clock: Clock, *, level: str = "info", as_json: bool = False, stream: TextIO | None = None
) -> Listener:
    """A listener that writes one line per signal of at least `level` to `stream` (stderr)."""
    threshold: int = logging.getLevelNamesMapping()[level.upper()]
    target = stream or sys.stderr
    render = _json_renderer() if as_json else _text_renderer()

    def write(signal: Signal) -> None:
        if signal.level < threshold:
            return
        line = render(
            None,
            "",
            {
                "timestamp": to_text(clock.now()),
                "level": logging.getLevelName(signal.level).lower(),
                "event": signal.sentence,
                **_fields(signal),
            },
        )
        target.write(f"{line if isinstance(line, str) else line.decode()}\n")
        target.flush()

    return write


def _fields(signal: Signal) -> dict[str, Any]:
    values = ((field.name, getattr(signal, field.name)) for field in dataclasses.fields(signal))
    return {name: _plain(value) for name, value in values if value is not None}


def _plain(value: Any) -> Any:
    match value:
        case timedelta():
            return f"{value.total_seconds():.3f}s"
        case datetime():
            return to_text(value)
        case _:
            return value


def _json_renderer() -> structlog.typing.Processor:
    return structlog.processors.JSONRenderer()


def _text_renderer() -> structlog.typing.Processor:
    return structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
