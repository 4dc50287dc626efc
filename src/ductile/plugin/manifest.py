"""The manifest: what a plugin says about itself, and whether its files can be trusted."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, Field

from ductile.documents.files import read_file
from ductile.documents.problems import BadValue, Place, Problem, in_order, quoted, refuses
from ductile.documents.validation import Schema, validate
from ductile.documents.yaml import Document, parse
from ductile.model.json import Json, JsonObject
from ductile.plugin.protocol import PROTOCOL

MANIFEST_FILE: Final = "manifest.yaml"
#: Keeps its `state_updates` to itself unless the manifest says otherwise.
_PRIVATE_COMMAND: Final = "poll"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class CommandType(StrEnum):
    """What a command does to the world outside of its workspace."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that a plugin can be asked to do."""

    name: str
    type: CommandType
    private: bool
    """Whether its `state_updates` stay with the plugin and out of the baggage."""
    description: str = ""
    input_schema: JsonObject | None = None
    """Documentation: payloads are not held against it."""
    output_schema: JsonObject | None = None
    emits: tuple[str, ...] | None = None
    """The types of the events that it may answer with; None: the manifest does not say."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One plugin: an executable that can be started, and its commands."""

    name: str
    version: str
    commands: Mapping[str, Command]
    directory: Path
    """The plugin's folder."""
    entrypoint_path: Path
    """The executable, absolute, symlinks resolved."""
    description: str = ""
    concurrency_safe: bool = True
    """Whether two jobs of the plugin may run at once."""
    required_config: tuple[str, ...] = ()
    """Keys without which its `config` is not complete."""
    optional_config: tuple[str, ...] = ()
    preload: tuple[str, ...] | None = None
    """With `runtime: python`, the modules that a warm parent imports; None without it."""
    place: Place = field(default_factory=lambda: Place(MANIFEST_FILE, 1, 1), compare=False)
    """Where its name stands."""


def _protocol(value: int) -> int:
    if value != PROTOCOL:
        raise BadValue(
            f"protocol {value} is not supported",
            f"write a plugin that speaks protocol {PROTOCOL}, and say so here",
        )
    return value


def _manifest_version(value: int) -> int:
    if value != 1:
        raise BadValue(f"manifest_version {value} is not supported", "write manifest_version: 1")
    return value


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise BadValue(
            f"{quoted(text)} is not a name", "begin with a letter; then letters, digits, _ and -"
        )
    return text


def _module(text: str) -> str:
    if not all(part.isidentifier() for part in text.split(".")):
        raise BadValue(f"{quoted(text)} is not the name of a Python module")
    return text


_Name = Annotated[str, AfterValidator(_name)]
_Module = Annotated[str, AfterValidator(_module)]
_Text = Annotated[str, Field(min_length=1)]


class _CommandFile(Schema):
    noun: ClassVar[str] = "a command"

    name: _Name
    type: Literal["read", "write"]
    description: str | None = None
    input_schema: dict[str, Json] | None = None
    output_schema: dict[str, Json] | None = None
    state: Literal["private", "baggage"] | None = None
    # Of any shape in existing manifests: only `emit` is looked at, and only where it is clear.
    values: Json = None
    # In existing manifests; taken as they are, and not looked at.
    idempotent: bool | None = None
    retry_safe: bool | None = None

    def command(self) -> Command:
        scope = self.state or ("private" if self.name == _PRIVATE_COMMAND else "baggage")
        return Command(
            name=self.name,
            type=CommandType(self.type),
            private=scope == "private",
            description=self.description or "",
            input_schema=self.input_schema,
            output_schema=self.output_schema,
            emits=_emits(self.values),
        )


def _emits(values: Json) -> tuple[str, ...] | None:
    """The types in `values.emit`; None unless every entry of it names one."""
    entries = values.get("emit") if isinstance(values, dict) else None
    if not isinstance(entries, list):
        return None
    types = [entry.get("event") if isinstance(entry, dict) else None for entry in entries]
    named = [each for each in types if isinstance(each, str) and each]
    return tuple(dict.fromkeys(named)) if len(named) == len(types) else None


class _ConfigKeys(Schema):
    noun: ClassVar[str] = "config_keys"

    required: list[_Text] | None = None
    optional: list[_Text] | None = None


class ManifestFile(Schema):
    """`manifest.yaml` as it is written."""

    noun: ClassVar[str] = "a manifest"

    manifest_spec: Literal["ductile.plugin"]
    manifest_version: Annotated[int, AfterValidator(_manifest_version)]
    name: _Name
    version: str | int | float = ""
    protocol: Annotated[int, AfterValidator(_protocol)]
    entrypoint: _Text
    description: str | None = None
    concurrency_safe: bool = True
    commands: Annotated[list[_CommandFile], Field(min_length=1)]
    config_keys: _ConfigKeys | None = None
    runtime: Literal["python"] | None = None
    preload: list[_Module] = Field(default_factory=list)
    # In existing manifests; taken as they are, and not looked at.
    fact_outputs: Json = None


def read_manifest(path: Path) -> tuple[Manifest | None, list[Problem]]:
    """Read one `manifest.yaml` and look at the files that it speaks of; never raises.

    There is no manifest if any problem is more than a warning. Unknown keys are warnings.
    """
    try:
        text = read_file(path)
    except OSError as error:
        message = f"the manifest cannot be read: {error.strerror}"
        return None, [Problem(message, Place(str(path), 1, 1), "make it a readable file")]
    document, problems = parse(text, str(path))
    if document is None:
        return None, problems
    read, more = validate(ManifestFile, document, warn_unknown=True)
    problems += more
    directory = path.parent.resolve()
    entrypoint, reasons = _entrypoint(directory, document)
    problems += reasons
    if read is not None:
        problems += _same_names(read, document) + _no_runtime(read, document)
    if read is None or entrypoint is None or refuses(problems):
        return None, in_order(problems)
    keys = read.config_keys or _ConfigKeys()
    manifest = Manifest(
        name=read.name,
        version=str(read.version),
        commands={command.name: command.command() for command in read.commands},
        directory=directory,
        entrypoint_path=entrypoint,
        description=read.description or "",
        concurrency_safe=read.concurrency_safe,
        required_config=tuple(keys.required or ()),
        optional_config=tuple(keys.optional or ()),
        preload=None if read.runtime is None else tuple(dict.fromkeys(read.preload)),
        place=document.place(("name",)),
    )
    return manifest, problems


def _no_runtime(read: ManifestFile, document: Document) -> list[Problem]:
    if read.runtime is not None or not read.preload:
        return []
    message = "preload has no effect without a runtime that imports"
    place = document.place(("preload",))
    return [Problem(message, place, 'add "runtime: python", or remove preload', warning=True)]


def _same_names(read: ManifestFile, document: Document) -> list[Problem]:
    problems, seen = [], set()
    for index, command in enumerate(read.commands):
        if command.name in seen:
            message = f"command {quoted(command.name)} stands twice"
            place = document.place(("commands", index, "name"))
            problems.append(Problem(message, place, "remove one of the two, or rename it"))
        seen.add(command.name)
    return problems


def _entrypoint(directory: Path, document: Document) -> tuple[Path | None, list[Problem]]:
    """The executable, symlinks resolved, and why it must not be started, if there is a reason."""
    written = document.get(("entrypoint",))
    if not isinstance(written, str) or not written or "\0" in written:
        return None, []
    place, name = document.place(("entrypoint",)), quoted(written)
    try:
        path = (directory / written).resolve(strict=True)
        mode = path.stat().st_mode
    except (OSError, RuntimeError) as error:  # RuntimeError: symlinks that lead in a circle
        reason = error.strerror if isinstance(error, OSError) else error
        message = f"entrypoint {name} cannot be found: {reason}"
        return None, [Problem(message, place, "put the file there, or correct its name")]
    if not path.is_relative_to(directory):
        message = f"entrypoint {name} is not inside the plugin's folder"
        hint = "put the file itself into the folder, not a link to it"
        return None, [Problem(message, place, hint)]
    if not stat.S_ISREG(mode):
        message = f"entrypoint {name} is not a regular file"
        return None, [Problem(message, place, "name an executable file")]
    problems = []
    if not mode & 0o111:
        hint = f'run "chmod +x {path}"'
        problems.append(Problem(f"entrypoint {name} is not executable", place, hint))
    for item in dict.fromkeys((directory, path.parent, path)):
        if item.stat().st_mode & stat.S_IWOTH:
            what = "entrypoint" if item == path else "the folder of entrypoint"
            message = f"{what} {name} can be changed by every user of this machine"
            problems.append(Problem(message, place, f'run "chmod o-w {item}"'))
    return path, problems
