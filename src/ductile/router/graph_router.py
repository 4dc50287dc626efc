"""The router over compiled graphs."""

from __future__ import annotations

from dataclasses import dataclass

from ductile.dsl.catalogue import Catalogue
from ductile.dsl.graph import Step
from ductile.errors import ConfigurationError
from ductile.model.context import Context
from ductile.model.event import STEP_SUCCEEDED, Event
from ductile.router.interfaces import Next, Position


@dataclass(frozen=True, slots=True)
class GraphRouter:
    """Follows the edges of the step, and starts the pipelines of the event's type."""

    catalogue: Catalogue

    def next(self, event: Event, context: Context, at: Position | None = None) -> Next:
        """As the interface promises. Raises ConfigurationError for a step that is not in `at`."""
        steps = () if at is None else _following(at)
        starts = () if event.type == STEP_SUCCEEDED else self.catalogue.by_type(event.type)
        return Next(steps, starts)


def _following(at: Position) -> tuple[Step, ...]:
    pipeline = at.pipeline
    step = pipeline.steps.get(at.step)
    if step is None:
        raise ConfigurationError(
            f'pipeline "{pipeline.name}" has no step "{at.step}" in version {pipeline.hash}; '
            "the job belongs to another version"
        )
    return tuple(pipeline.steps[step_id] for step_id in step.next)
