"""Values of `config.yaml` that have a form of their own."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator

from ductile.documents.problems import BadValue, quoted
from ductile.documents.scalars import Duration, format_duration

_LISTEN: Final = re.compile(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^:\[\]\s]+)):([0-9]{1,5})")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLUGIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_LISTEN_HINT: Final = 'write address and port: "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:8080"'
_URL_HINT: Final = 'write "sqlite:///ductile.db", a path relative to data_dir'
#: Renewing it takes a commit every few seconds; less would take jobs from those that live.
_SHORTEST_LEASE: Final = timedelta(seconds=5)


def split_listen(text: str) -> tuple[str, int]:
    """Host, without brackets, and port. Raises BadValue for anything else."""
    match = _LISTEN.fullmatch(text)
    if match is None:
        raise BadValue(f"{quoted(text)} is not an address to listen at", _LISTEN_HINT)
    port = int(match[3])
    if port > 65535:
        raise BadValue(f"there is no port {port}", "write a port from 0 to 65535; 0 takes any")
    return match[1] or match[2], port


def database_path(url: str) -> str:
    """The path in a `sqlite:///…` address. Raises BadValue for every other address."""
    scheme, colon, rest = url.partition(":")
    if scheme.lower() in ("postgresql", "postgres"):
        raise BadValue("PostgreSQL comes with a later version; this one has SQLite", _URL_HINT)
    if not colon or scheme.lower() != "sqlite":
        raise BadValue(f"{quoted(scheme)} is not a database that this version has", _URL_HINT)
    path = rest.removeprefix("///")
    if path in ("", rest, ":memory:") or path.endswith("/") or re.search(r"[?#\0]", path):
        raise BadValue(f"{quoted(url)} does not name a database file", _URL_HINT)
    return path


def _database_url(url: str) -> str:
    database_path(url)
    return url


def _path(text: str) -> str:
    if not text or "\0" in text:
        found = "a null byte in it" if text else "an empty text"
        raise BadValue(f"expected a path, found {found}", "write the path of a folder")
    if text.startswith("~") and text != "~" and not text.startswith("~/"):
        raise BadValue(f"{quoted(text)} is somebody else's home", "write the whole path, or ~/…")
    return text


def _listen(text: str) -> str:
    split_listen(text)
    return text


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise BadValue(
            f"{quoted(text)} is not the name of a variable",
            "write the name alone: letters, digits and _",
        )
    return text


def _plugin(text: str) -> str:
    if not _PLUGIN.fullmatch(text):
        raise BadValue(
            f"{quoted(text)} is not the name of a plugin",
            "begin with a letter; then letters, digits, _ and -",
        )
    return text


def _lease(lease: timedelta) -> timedelta:
    if lease < _SHORTEST_LEASE:
        raise BadValue(
            f"a lease of {format_duration(lease)} runs out before it can be renewed",
            f"write {format_duration(_SHORTEST_LEASE)} or more",
        )
    return lease


Listen = Annotated[str, AfterValidator(_listen)]
VariableName = Annotated[str, AfterValidator(_variable)]
PluginName = Annotated[str, AfterValidator(_plugin)]
Lease = Annotated[Duration, AfterValidator(_lease)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
PathText = Annotated[str, AfterValidator(_path)]
