"""The canonical form of a compiled pipeline: what its hash is taken of, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from blake3 import blake3
from pydantic import Field, ValidationError

from ductile.documents.scalars import Duration, format_duration
from ductile.documents.validation import Schema
from ductile.dsl.graph import Pipeline, Step
from ductile.errors import ConfigurationError
from ductile.model.ids import PipelineHash
from ductile.model.json import JsonObject, canonical
from ductile.model.policy import WorkspaceMode


class _StepForm(Schema):
    """A step. What a step does not say is not there, so that new keys keep old hashes."""

    plugin: str
    command: str
    next: tuple[str, ...] = ()
    workspace: WorkspaceMode = WorkspaceMode.CLONE
    timeout: Duration | None = None
    max_attempts: int | None = None
    backoff_base: Duration | None = None


class _Form(Schema):
    """A pipeline, and the version of this form."""

    format: Literal[1]
    name: str
    on: str
    entries: Annotated[tuple[str, ...], Field(min_length=1)]
    steps: Mapping[str, _StepForm]


def pipeline_of(
    *,
    name: str,
    on: str,
    entries: tuple[str, ...],
    steps: Mapping[str, Step],
    description: str = "",
) -> Pipeline:
    """The pipeline of that graph, with its definition and hash."""
    form = {
        "format": 1,
        "name": name,
        "on": on,
        "entries": entries,
        "steps": {step.id: _form(step) for step in steps.values()},
    }
    definition = canonical(form).decode()
    return Pipeline(
        name=name,
        hash=_fingerprint(definition),
        on=on,
        entries=entries,
        steps=MappingProxyType(dict(steps)),
        definition=definition,
        description=description,
    )


def restore(definition: str) -> Pipeline:
    """The pipeline that a definition was made of, but for its description.

    Raises ConfigurationError for a text that is no definition of this or an earlier version.
    """
    try:
        form = _Form.model_validate_json(definition)
    except ValidationError as error:
        raise ConfigurationError(
            f"the stored pipeline version {_fingerprint(definition)} cannot be read "
            f"({error.error_count()} errors); was it written by a later version of ductile?"
        ) from None
    steps = _in_order(form)
    if steps is None:
        raise ConfigurationError(
            f"the stored pipeline version {_fingerprint(definition)} is damaged: its steps do "
            "not form a graph; restore the database from a backup"
        )
    return Pipeline(
        name=form.name,
        hash=_fingerprint(definition),
        on=form.on,
        entries=form.entries,
        steps=MappingProxyType(steps),
        definition=definition,
    )


def _fingerprint(definition: str) -> PipelineHash:
    return PipelineHash(f"blake3:{blake3(definition.encode()).hexdigest()}")


def _form(step: Step) -> JsonObject:
    form: dict[str, object] = {"plugin": step.plugin, "command": step.command}
    if step.next:
        form["next"] = step.next
    if step.workspace is not WorkspaceMode.CLONE:
        form["workspace"] = step.workspace
    if step.timeout is not None:
        form["timeout"] = format_duration(step.timeout)
    if step.max_attempts is not None:
        form["max_attempts"] = step.max_attempts
    if step.backoff_base is not None:
        form["backoff_base"] = format_duration(step.backoff_base)
    return form


def _in_order(form: _Form) -> dict[str, Step] | None:
    """The steps in the order of the file; None unless each can be reached in just one way."""
    steps: dict[str, Step] = {}
    pending = list(reversed(form.entries))
    while pending:
        step_id = pending.pop()
        found = form.steps.get(step_id)
        if found is None or step_id in steps:
            return None
        steps[step_id] = Step(
            id=step_id,
            plugin=found.plugin,
            command=found.command,
            next=found.next,
            workspace=found.workspace,
            timeout=found.timeout,
            max_attempts=found.max_attempts,
            backoff_base=found.backoff_base,
        )
        pending += reversed(found.next)
    return steps if len(steps) == len(form.steps) else None
