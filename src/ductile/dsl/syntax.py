"""The syntax of the pipeline language: what a file may hold, and its steps with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema

from ductile.documents.problems import BadValue, Place, Problem, quoted
from ductile.documents.scalars import Duration
from ductile.documents.validation import Schema, validate
from ductile.documents.yaml import Document, Path
from ductile.dsl.graph import ANY_EVENT
from ductile.model.event import CORE_PREFIX, STEP_SUCCEEDED
from ductile.model.json import Json, JsonObject
from ductile.model.policy import WorkspaceMode

#: What a step may be; it is exactly one of these.
MODES: Final = ("uses", "call", "split", "steps")
#: Keys that say how a plugin is run, so that they need a plugin.
OPTIONS: Final = ("workspace", "timeout", "retry", "with", "baggage", "on_events")
#: The lists of steps that a pipeline may have.
PHASES: Final = ("steps", "on_failure", "finally")
#: The command of a step that names none.
DEFAULT_COMMAND: Final = "handle"

_LONGEST_NAME: Final = 64
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_USES = re.compile(rf"{_NAME.pattern}(?:\.{_NAME.pattern})?")
_EVENT_TYPE = re.compile(rf"{_NAME.pattern}(?:\.{_NAME.pattern})*")
_BAGGAGE_KEY = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_TYPE_HINT: Final = 'use names with dots between them, like "discord.message"'
#: What the beginnings of keys of the baggage are reserved for.
_NOT_WRITABLE: Final = {"origin_": "the origin of the chain", "ductile": "the core"}
#: The two forms of `on`; no key of a file is called so.
_ONE: Final = "a type"
_SEVERAL: Final = "a list of types"
_NAME_HINT: Final = 'use letters, digits, "_" and "-", and begin with a letter or a digit'


def _check(text: str, pattern: re.Pattern[str], kind: str, hint: str, longest: int) -> None:
    if len(text) > longest:
        raise BadValue(f"{quoted(text)} is too long", f"use {longest} characters or less")
    if not pattern.fullmatch(text):
        raise BadValue(f"{quoted(text)} is not {kind}", hint)


def _matches(pattern: re.Pattern[str], kind: str, hint: str, longest: int) -> AfterValidator:
    def check(text: str) -> str:
        _check(text, pattern, kind, hint, longest)
        return text

    return AfterValidator(check)


def _event_type(text: str) -> str:
    _check(text, _EVENT_TYPE, "an event type", _TYPE_HINT, 3 * _LONGEST_NAME)
    if text.startswith(CORE_PREFIX):
        raise BadValue(
            f'event types that begin with "{CORE_PREFIX}" belong to the core',
            "choose another type; what follows a step is the next step of its pipeline",
        )
    return text


def _routed_type(text: str) -> str:
    # Of the core's own types only the one that a step without events emits can be met here.
    return text if text in (ANY_EVENT, STEP_SUCCEEDED) else _event_type(text)


def _writable(text: str) -> str:
    for prefix, owner in _NOT_WRITABLE.items():
        if text.startswith(prefix):
            message = f"keys that begin with {quoted(prefix)} belong to {owner}"
            raise BadValue(message, "choose another key")
    return text


def _once_each(types: tuple[str, ...]) -> tuple[str, ...]:
    for index, event_type in enumerate(types):
        if event_type in types[:index]:
            raise BadValue(f"{quoted(event_type)} stands twice", "remove one", at=(index,))
    return types


def _one_or_several(value: Json) -> str:
    return _SEVERAL if isinstance(value, list) else _ONE


def _shape(pattern: str, longest: int) -> WithJsonSchema:
    """What editors are told of a text that a validator looks at."""
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "maxLength": longest})


_NAME_SHAPE: Final = _shape(_NAME.pattern, _LONGEST_NAME)
_NOT_OF_CORE: Final = rf"(?!{re.escape(CORE_PREFIX)}){_EVENT_TYPE.pattern}"

Name = Annotated[str, _matches(_NAME, "a name", _NAME_HINT, _LONGEST_NAME), _NAME_SHAPE]
Id = Annotated[str, _matches(_NAME, "an id", _NAME_HINT, _LONGEST_NAME), _NAME_SHAPE]
Uses = Annotated[
    str,
    _matches(
        _USES,
        'of the form "plugin" or "plugin.command"',
        f"{_NAME_HINT}; put one dot before the command",
        2 * _LONGEST_NAME + 1,
    ),
    _shape(_USES.pattern, 2 * _LONGEST_NAME + 1),
]
EventType = Annotated[str, AfterValidator(_event_type), _shape(_NOT_OF_CORE, 3 * _LONGEST_NAME)]
#: A type in `on_events`.
RoutedType = Annotated[
    str,
    AfterValidator(_routed_type),
    _shape(
        f"(?:{re.escape(ANY_EVENT)}|{re.escape(STEP_SUCCEEDED)}|{_NOT_OF_CORE})", 3 * _LONGEST_NAME
    ),
]
#: A type, or a list of them.
EventTypes = Annotated[
    Annotated[EventType, Tag(_ONE)]
    | Annotated[
        tuple[EventType, ...], Field(min_length=1), AfterValidator(_once_each), Tag(_SEVERAL)
    ],
    Discriminator(_one_or_several),
]
BaggageKey = Annotated[
    str,
    _matches(
        _BAGGAGE_KEY,
        "a key of the baggage",
        'use letters, digits, "_" and "-", with dots between the parts',
        3 * _LONGEST_NAME,
    ),
    AfterValidator(_writable),
    _shape(rf"(?!{'|'.join(_NOT_WRITABLE)}){_BAGGAGE_KEY.pattern}", 3 * _LONGEST_NAME),
]

# A default stands for a key that was left out. None of the fields takes null: a key without a
# value is a mistake, not a wish.


class RetrySyntax(Schema):
    """When a step is tried again; what is left out is as the plugin has it."""

    noun: ClassVar[str] = "retry"

    max_attempts: Annotated[int, Field(ge=1, le=100)] = 1
    backoff_base: Duration = timedelta(0)
    backoff_cap: Duration = timedelta(0)


class StepSyntax(Schema):
    """One step: exactly one of `uses`, `call`, `split` and `steps`."""

    noun: ClassVar[str] = "a step"

    id: Id = ""
    uses: Uses = ""
    call: Name = ""
    split: Annotated[tuple[StepSyntax, ...], Field(min_length=1)] = ()
    steps: Annotated[tuple[StepSyntax, ...], Field(min_length=1)] = ()
    workspace: WorkspaceMode = WorkspaceMode.CLONE
    timeout: Duration = timedelta(0)
    retry: RetrySyntax = RetrySyntax()
    condition: Annotated[Json, Field(alias="if")] = None
    inputs: Annotated[dict[str, Json], Field(alias="with", default_factory=dict)]
    baggage: Annotated[dict[BaggageKey, str], Field(default_factory=dict)]
    on_events: Annotated[dict[RoutedType, tuple[Id, ...]], Field(default_factory=dict)]
    join: Literal["all"] = "all"


class PipelineSyntax(Schema):
    """One pipeline."""

    noun: ClassVar[str] = "a pipeline"

    name: Name
    description: str = ""
    on: EventTypes
    source: Annotated[Name, Field(alias="from")] = ""
    condition: Annotated[Json, Field(alias="if")] = None
    timeout: Duration = timedelta(0)
    steps: Annotated[tuple[StepSyntax, ...], Field(min_length=1)]
    on_failure: Annotated[tuple[StepSyntax, ...], Field(min_length=1)] = ()
    finally_: Annotated[tuple[StepSyntax, ...], Field(alias="finally", min_length=1)] = ()


class FileSyntax(Schema):
    """One file under `pipelines/`."""

    noun: ClassVar[str] = "a file of pipelines"

    pipelines: Annotated[tuple[PipelineSyntax, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class StepNode:
    """A step as it stands in its file; it may be wrong in every way."""

    path: Path
    raw: JsonObject
    split: tuple[StepNode, ...]
    steps: tuple[StepNode, ...]

    @property
    def modes(self) -> tuple[str, ...]:
        """Which of `MODES` it has."""
        return tuple(mode for mode in MODES if mode in self.raw)

    @property
    def uses(self) -> tuple[str, str] | None:
        """Plugin and command."""
        text = _text(self.raw, "uses")
        if text is None or not _USES.fullmatch(text):
            return None
        plugin, _, command = text.partition(".")
        return plugin, command or DEFAULT_COMMAND

    @property
    def call(self) -> str | None:
        """The pipeline that it calls."""
        text = _text(self.raw, "call")
        return text if text is not None and _NAME.fullmatch(text) else None

    @property
    def id(self) -> str | None:
        """The id that it was given."""
        return _text(self.raw, "id")

    def walk(self) -> Iterator[StepNode]:
        """Itself and all that it contains, in the order of the file."""
        yield self
        for part in (*self.split, *self.steps):
            yield from part.walk()


@dataclass(frozen=True, slots=True)
class PipelineNode:
    """A pipeline as it stands in its file; it may be wrong in every way."""

    document: Document
    path: Path
    raw: JsonObject
    steps: tuple[StepNode, ...]
    on_failure: tuple[StepNode, ...]
    finally_: tuple[StepNode, ...]

    @property
    def phases(self) -> tuple[tuple[StepNode, ...], ...]:
        """The lists of `PHASES`; those that it has not are empty."""
        return self.steps, self.on_failure, self.finally_

    @property
    def name(self) -> str | None:
        """Its name."""
        return _text(self.raw, "name")

    def walk(self) -> Iterator[StepNode]:
        """All its steps, those within others included; those of the main part come first."""
        for steps in self.phases:
            for step in steps:
                yield from step.walk()

    def place(self, path: Path) -> Place:
        """Where a value of the file stands."""
        return self.document.place(path)


def read(document: Document) -> tuple[list[PipelineNode], list[Problem]]:
    """The pipelines of a file, whatever their state, and what is wrong with their syntax.

    An empty file holds no pipelines.
    """
    if document.value is None:
        return [], []
    _, problems = validate(FileSyntax, document)
    items = document.get(("pipelines",))
    nodes = [
        PipelineNode(
            document, path, raw, *(_step_nodes(raw.get(key), (*path, key)) for key in PHASES)
        )
        for path, raw in _mappings(items, ("pipelines",))
    ]
    return nodes, problems


def _step_nodes(value: Json, path: Path) -> tuple[StepNode, ...]:
    return tuple(
        StepNode(
            at,
            raw,
            _step_nodes(raw.get("split"), (*at, "split")),
            _step_nodes(raw.get("steps"), (*at, "steps")),
        )
        for at, raw in _mappings(value, path)
    )


def _mappings(value: Json, path: Path) -> Iterator[tuple[Path, JsonObject]]:
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, Mapping):
            yield (*path, index), item


def _text(raw: JsonObject, key: str) -> str | None:
    value = raw.get(key)
    return value if isinstance(value, str) else None
