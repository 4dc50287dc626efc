"""How answers leave: text for people, with colours where they are wanted, or JSON."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from typing import Final, TextIO

import click
import orjson

from ductile.cli.render.text import Paint, Style, plain
from ductile.model.json import Json

_COLOURS: Final[Mapping[Style, Mapping[str, Json]]] = {
    Style.GOOD: {"fg": "green"},
    Style.BAD: {"fg": "red"},
    Style.BUSY: {"fg": "yellow"},
    Style.DIM: {"dim": True},
    Style.BOLD: {"bold": True},
}
_NARROW: Final = 100


def say(text: str) -> None:
    """Print what was asked for."""
    click.echo(text)


def note(text: str) -> None:
    """Print something besides, where it does not get into what was asked for."""
    click.echo(text, err=True)


def say_json(value: Json) -> None:
    """Print one JSON document, indented.

    Names of files need not be UTF-8; where one is not, its odd bytes become `\\ufffd`.
    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    except TypeError:
        text = orjson.dumps(_legible(value), option=orjson.OPT_INDENT_2)
    click.echo(text.decode())


def _legible(value: Json) -> Json:
    """The value with all text in it made Unicode."""
    match value:
        case str():
            return value.encode(errors="surrogatepass").decode(errors="replace")
        case Mapping():
            return {_legible(key): _legible(each) for key, each in value.items()}
        case list() | tuple():
            return [_legible(each) for each in value]
    return value


def paint(stream: TextIO | None = None) -> Paint:
    """What colours text for a stream, stdout by default.

    It does nothing unless the stream is a terminal and NO_COLOR is not set.
    """
    stream = stream or sys.stdout
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return plain
    return lambda text, style: click.style(text, **_COLOURS[style]) if style else text


def width() -> int:
    """Columns to write for: the terminal's, or 100 where there is none."""
    return shutil.get_terminal_size((_NARROW, 0)).columns
