"""The answer: what a plugin wrote to stdout, checked and kept within bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from json import JSONDecodeError
from typing import Final

from ductile.documents.problems import quoted
from ductile.errors import PluginError
from ductile.model.json import Json, JsonObject, decode
from ductile.model.outcome import EmittedEvent, LogLine, Response

LOG_LEVELS: Final = ("debug", "info", "warn", "error")
#: Longer results and errors are cut.
MAX_TEXT: Final = 16 * 1024
#: Longer log messages are cut.
MAX_LOG_MESSAGE: Final = 4 * 1024
#: Further log lines are counted and left out.
MAX_LOG_LINES: Final = 1000
#: Deeper JSON is refused: it comes back inside of other objects, and writers have a limit.
MAX_NESTING: Final = 100
#: Event types that begin like this are the core's.
RESERVED_PREFIX: Final = "ductile."

_EXPECTED: Final = "expected one JSON object on stdout"
_BOM: Final = b"\xef\xbb\xbf"
_EXCERPT: Final = 60
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
_NAMES: Final = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that keeps to the protocol."""

    response: Response = field(default_factory=Response)
    """Without events and state updates if there is an error."""
    error: str | None = None
    """None for status `ok`."""
    retry: bool = True
    """Whether another attempt may help, as far as the plugin knows."""
    logs: tuple[LogLine, ...] = ()


def read_answer(stdout: bytes) -> Answer:
    """The answer in `stdout`. Raises PluginError, which says what is wrong with it.

    Unknown keys are ignored; null stands for a key that is left out; of a key that stands
    twice the last value counts; integers of more than 64 bits become floats.
    """
    document = _Reader(_decode(stdout.removeprefix(_BOM)), "")
    status = document.text("status")
    if status not in ("ok", "error"):
        found = "nothing" if status is None else quoted(status)
        raise PluginError(f'expected "status" to be "ok" or "error", found {found}')
    result = document.text("result")
    if result is not None:
        result = _cut(result, MAX_TEXT)
    retry = document.flag("retry", default=True)
    logs = _logs(document)
    if status == "error":
        error = document.text("error")
        if error is None or not error.strip():
            raise PluginError('status is "error" but "error" says nothing; put the reason there')
        return Answer(Response(result), _cut(error, MAX_TEXT), retry, logs)
    events = tuple(_event(event) for event in document.objects("events"))
    return Answer(Response(result, events, document.object("state_updates")), None, retry, logs)


class _Reader:
    """Takes values out of one object; null counts as missing."""

    def __init__(self, values: JsonObject, where: str) -> None:
        self._values = values
        self._where = where

    def name(self, key: str) -> str:
        return f'"{self._where}{key}"'

    def text(self, key: str) -> str | None:
        value: str | None = self._typed(key, str)
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value: bool | None = self._typed(key, bool)
        return default if value is None else value

    def object(self, key: str) -> JsonObject:
        value: JsonObject | None = self._typed(key, dict)
        return {} if value is None else value

    def objects(self, key: str) -> list[_Reader]:
        readers = []
        for index, item in enumerate(self._typed(key, list) or ()):
            place = f"{key}[{index}]"
            if not isinstance(item, dict):
                raise PluginError(
                    f"expected {self.name(place)} to be an object, found {_NAMES[type(item)]}"
                )
            readers.append(_Reader(item, f"{place}."))
        return readers

    def _typed(self, key: str, kind: type) -> Json:
        value = self._values.get(key)
        if value is not None and not isinstance(value, kind):
            raise PluginError(
                f"expected {self.name(key)} to be {_NAMES[kind]}, found {_NAMES[type(value)]}"
            )
        return value


def _event(event: _Reader) -> EmittedEvent:
    kind = event.text("type")
    if kind is None or not kind.strip():
        raise PluginError(f"{event.name('type')} is missing; every event has a type")
    if kind.startswith(RESERVED_PREFIX):
        raise PluginError(
            f"{event.name('type')} is {quoted(kind)}, but types that begin with "
            f'"{RESERVED_PREFIX}" are the core\'s; choose another one'
        )
    return EmittedEvent(kind, event.object("payload"), event.text("dedupe_key"))


def _logs(document: _Reader) -> tuple[LogLine, ...]:
    entries = document.objects("logs")
    lines = [_log_line(entry) for entry in entries[:MAX_LOG_LINES]]
    if len(entries) > MAX_LOG_LINES:
        lines.append(LogLine("warn", f"{len(entries) - MAX_LOG_LINES} more lines were left out"))
    return tuple(lines)


def _log_line(entry: _Reader) -> LogLine:
    level = (entry.text("level") or "").strip().lower().replace("warning", "warn")
    message = _cut(entry.text("message") or "", MAX_LOG_MESSAGE)
    return LogLine(level if level in LOG_LEVELS else "info", message)


def _cut(text: str, limit: int) -> str:
    left = len(text) - limit
    return text if left <= 0 else f"{text[:limit]}… ({left} more characters)"


def _decode(stdout: bytes) -> JsonObject:
    if not stdout.strip():
        raise PluginError(f"{_EXPECTED}, found nothing; print the answer before the end")
    try:
        value = decode(stdout)
    except JSONDecodeError as error:
        raise PluginError(_diagnose(stdout, error)) from error
    if not isinstance(value, dict):
        raise PluginError(f"{_EXPECTED}, found {_NAMES[type(value)]}: {_excerpt(stdout.decode())}")
    if _nesting(stdout) > MAX_NESTING:
        raise PluginError(
            f"{_EXPECTED} that is nested {MAX_NESTING} levels deep at the most; write deeper data "
            "to a file"
        )
    return value


def _diagnose(stdout: bytes, error: JSONDecodeError) -> str:
    """Why `stdout` is not one JSON document, more helpfully than a parser says it."""
    try:
        text = stdout.decode()
    except UnicodeDecodeError as wrong:
        before = stdout[: wrong.start].decode()
        return (
            f"{_EXPECTED}, found byte 0x{stdout[wrong.start]:02x}, which is not UTF-8, at "
            f"{_position(before)}; encode the answer as UTF-8"
        )
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if text[start] not in "{[":
        return (
            f"{_EXPECTED}, found something else at {_position(text[:start])}: "
            f"{_excerpt(text[start:])}; write progress and log text to stderr"
        )
    reason, at = error.msg[:1].lower() + error.msg[1:], error.pos
    if not _is_document(text[:at]):
        around = _excerpt(text[max(0, at - _EXCERPT // 2) :])
        return f"{_EXPECTED}, found an error at {_position(text[:at])} ({reason}): {around}"
    return (
        f"{_EXPECTED}, found more behind it at {_position(text[:at])}: {_excerpt(text[at:])}; "
        "print one answer and write everything else to stderr"
    )


def _is_document(text: str) -> bool:
    try:
        decode(text)
    except JSONDecodeError:
        return False
    return True


def _nesting(stdout: bytes) -> int:
    """How deep valid JSON is nested."""
    if stdout.count(b"[") + stdout.count(b"{") <= MAX_NESTING:
        return 0
    depth = deepest = 0
    for match in _BRACKETS.finditer(stdout):
        bracket = match[0]
        if bracket in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in (b"]", b"}"):
            depth -= 1
    return deepest


def _position(before: str) -> str:
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


def _excerpt(text: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in text)
    return quoted(shown.strip(), _EXCERPT)
