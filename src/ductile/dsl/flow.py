"""How a run can go through a pipeline: where events are routed to, and what is never reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ductile.documents.problems import Problem, quoted
from ductile.documents.suggest import hint
from ductile.documents.yaml import Path
from ductile.dsl.ids import step_ids
from ductile.dsl.syntax import PipelineNode, StepNode
from ductile.model.json import Json

_FORWARD: Final = "lead to a step behind this one, in the same list of steps or around it"


def check_flow(pipelines: Sequence[PipelineNode]) -> list[Problem]:
    """What is wrong with the ways through pipelines; those that are called come first."""
    problems: list[Problem] = []
    cuts: dict[str, str | None] = {}
    for pipeline in pipelines:
        flow = _Flow(pipeline, cuts)
        problems += flow.problems
        if pipeline.name is not None:
            cuts.setdefault(pipeline.name, flow.cut)
    return problems


class _Flow:
    """A walk through one pipeline in the order of the file, which no way runs against.

    In each step it asks what cuts the way behind it: the id of a step whose `on_events` alone
    say what follows, or None where the next step follows.
    """

    def __init__(self, pipeline: PipelineNode, callees: Mapping[str, str | None]) -> None:
        self.problems: list[Problem] = []
        self._pipeline = pipeline
        self._callees = callees
        self._ids = step_ids(pipeline)
        self._places = {step_id: path for path, step_id in self._ids.items()}
        self._led_to: set[str] = set()
        #: The steps that the current one can lead to: those behind it in its list and around it.
        self._ahead: set[str] = set()
        for steps in pipeline.phases:
            self._check_first(steps)
        cuts = [self._sequence(steps) for steps in pipeline.phases]
        self.cut = cuts[0]
        """What keeps the step behind a call of this pipeline from being reached."""

    def _check_first(self, steps: Sequence[StepNode]) -> None:
        """Nothing is before the first step that a join could wait for."""
        for step in steps[:1]:
            if "join" in step.raw:
                self.problems.append(
                    Problem(
                        'the first step of a pipeline has nothing to wait for with "join"',
                        self._pipeline.document.key_place((*step.path, "join")),
                        'remove "join"',
                    )
                )
            self._check_first(step.steps)
            for branch in step.split:
                self._check_first((branch,))

    def _sequence(self, steps: Sequence[StepNode]) -> str | None:
        cut: str | None = None
        ids = [self._ids.get(step.path, "") for step in steps]
        self._ahead.update(ids)
        for step_id, step in zip(ids, steps, strict=True):
            self._ahead.discard(step_id)
            if cut is not None and step_id not in self._led_to:
                message = f"nothing leads to this step: {quoted(cut)} goes on by its on_events only"
                remedy = "name this step in its on_events, or remove it"
                place = self._pipeline.place(step.path)
                self.problems.append(Problem(message, place, remedy))
            cut = self._step(step)
        return cut

    def _step(self, step: StepNode) -> str | None:
        cut: str | None = None
        if step.split:
            cuts = [self._step(branch) for branch in step.split]
            cut = None if None in cuts else cuts[0]
        elif step.steps:
            cut = self._sequence(step.steps)
        elif step.call is not None:
            inner = self._callees.get(step.call)
            cut = inner and f"{self._ids.get(step.path, step.call)}/{inner}"
        elif "on_events" in step.raw:
            cut = self._routes(step)
        return None if "if" in step.raw else cut

    def _routes(self, step: StepNode) -> str | None:
        """Check where a step's events lead; after a mistake they might lead anywhere."""
        mistaken = False
        for path, target, first in _targets(step):
            if target in self._ahead and first:
                self._led_to.add(target)
                continue
            mistaken = True
            self.problems.append(self._wrong(path, step, target, first=first))
        known = isinstance(step.raw["on_events"], Mapping) and not mistaken
        return self._ids.get(step.path) if known else None

    def _wrong(self, path: Path, step: StepNode, target: str, *, first: bool) -> Problem:
        place = self._pipeline.place(path)
        if not first:
            return Problem(f"{quoted(target)} stands twice in this list", place, "remove one")
        if target not in self._places:
            message = f"no step {quoted(target)} in this pipeline"
            return Problem(message, place, hint(target, self._ahead - {""}) or _FORWARD)
        if self._ids.get(step.path) == target:
            return Problem(f"step {quoted(target)} leads to itself", place, _FORWARD)
        line = self._pipeline.place(self._places[target]).line
        message = f"step {quoted(target)}, in line {line}, cannot be reached from here"
        return Problem(message, place, _FORWARD)


def _targets(step: StepNode) -> Iterator[tuple[Path, str, bool]]:
    """Each id that `on_events` names, its place, and whether it is the first time in its list."""
    routes: Json = step.raw["on_events"]
    for event_type, targets in routes.items() if isinstance(routes, Mapping) else ():
        for index, target in enumerate(targets if isinstance(targets, list) else ()):
            if isinstance(target, str):
                path = (*step.path, "on_events", event_type, index)
                yield path, target, target not in targets[:index]
