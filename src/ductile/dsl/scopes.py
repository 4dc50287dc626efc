"""What the expressions of a pipeline may look at, and what is wrong with how they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ductile.documents.problems import Problem, quoted
from ductile.documents.yaml import Path
from ductile.dsl.syntax import PipelineNode, StepNode
from ductile.expressions.conditions import Condition
from ductile.expressions.errors import ExpressionError
from ductile.expressions.paths import Path as ExpressionPath
from ductile.expressions.templates import Template
from ductile.model.json import Json

_FAILURE: Final = "failure"
#: Before a run there is nothing else.
_START: Final = frozenset(("payload", "context"))
_MAIN: Final = frozenset(("payload", "context", "config", "run"))
_AFTER: Final = _MAIN | {_FAILURE}
#: Of what a response brought, and of what was there before.
_RESPONSE: Final = frozenset(("payload", "context"))


def check_expressions(pipeline: PipelineNode) -> Iterator[Problem]:
    """Everything that is wrong with the conditions, templates and baggage of a pipeline."""
    yield from _check(pipeline, pipeline.path, pipeline.raw, "if", _START)
    for steps in pipeline.phases:
        roots = _MAIN if steps is pipeline.steps else _AFTER
        for step in (each for top in steps for each in top.walk()):
            yield from _check(pipeline, step.path, step.raw, "if", roots)
            if isinstance(step.raw.get("with"), Mapping):
                yield from _check(pipeline, step.path, step.raw, "with", roots)
            yield from _check_baggage(pipeline, step)


def _check(
    pipeline: PipelineNode, path: Path, raw: Mapping[str, Json], key: str, roots: frozenset[str]
) -> Iterator[Problem]:
    if key not in raw:
        return
    errors = _errors(raw[key], key, roots)
    if not errors:
        return
    # What would be right in another part of the pipeline is told so.
    elsewhere = {error.at for error in errors}
    if _FAILURE not in roots:
        elsewhere -= {error.at for error in _errors(raw[key], key, roots | {_FAILURE})}
    else:
        elsewhere.clear()
    for error in errors:
        remedy = error.hint
        if error.at in elsewhere:
            remedy = 'only the steps of "on_failure" and "finally" can look at it'
        yield _problem(pipeline, (*path, key), error, remedy)


def _errors(raw: Json, key: str, roots: frozenset[str]) -> list[ExpressionError]:
    parse = Condition.parse if key == "if" else Template.parse
    return parse(raw, roots)[1]


def _check_baggage(pipeline: PipelineNode, step: StepNode) -> Iterator[Problem]:
    raw = step.raw.get("baggage")
    if not isinstance(raw, Mapping):
        return
    at = (*step.path, "baggage")
    for key, text in raw.items():
        if isinstance(text, str):
            try:
                ExpressionPath.parse(text, _RESPONSE)
            except ExpressionError as error:
                yield _problem(pipeline, (*at, key), error, error.hint)
        above = next((other for other in raw if key.startswith(f"{other}.")), None)
        if above is not None:
            message = f"{quoted(key)} is a part of {quoted(above)}, which is set here too"
            place = pipeline.document.key_place((*at, key))
            yield Problem(message, place, "name the whole or its parts, not both")


def _problem(
    pipeline: PipelineNode, at: Path, error: ExpressionError, remedy: str | None
) -> Problem:
    path = (*at, *error.at)
    document = pipeline.document
    # A value that is not there has no place of its own.
    by_key = error.at_key or document.get(path) is None
    place = document.key_place(path) if by_key else document.place(path)
    return Problem(error.message, place, remedy)
