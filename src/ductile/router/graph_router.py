"""The router over compiled graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ductile.dsl.catalogue import Catalogue
from ductile.dsl.graph import Gate, Join, Node, Pipeline, Step
from ductile.errors import ConfigurationError
from ductile.expressions.conditions import Condition, Decision
from ductile.model.context import Context
from ductile.model.event import CORE_PREFIX, Event
from ductile.model.json import JsonObject
from ductile.model.run import Phase, Progress
from ductile.router.interfaces import Arrival, Entered, Next, Position, Routing, Skip
from ductile.router.scope import scope


@dataclass(frozen=True, slots=True)
class GraphRouter:
    """Follows the edges of graphs, and starts the pipelines of an event's type."""

    catalogue: Catalogue
    config: Callable[[str], JsonObject] = field(default=lambda plugin: {})
    """The configuration of a plugin, for conditions that look at it; always the same."""

    def next(self, event: Event, context: Context, at: Position | None = None) -> Next:
        """As the interface promises. Raises ConfigurationError for a step that is not in `at`."""
        here = Routing()
        if at is not None:
            step = _node(at.pipeline, at.step)
            if not isinstance(step, Step):
                raise ConfigurationError(f'"{at.step}" of pipeline "{at.pipeline.name}" is no step')
            following = step.following(event.type)
            here = _Walk(self, at.pipeline, event, context).routing(following, at.step)
        return Next(here, tuple(self._starts(event, context)))

    def admits(self, pipeline: Pipeline, event: Event, context: Context) -> bool:
        """As the interface promises."""
        condition = pipeline.condition
        return condition is None or condition.decide(scope(event, context, pipeline, "", {})).holds

    def enter(
        self, pipeline: Pipeline, event: Event, context: Context, phase: Phase = Phase.MAIN
    ) -> Routing:
        """As the interface promises."""
        entries = {
            Phase.MAIN: pipeline.entries,
            Phase.ON_FAILURE: pipeline.on_failure,
            Phase.FINALLY: pipeline.finally_,
        }
        return _Walk(self, pipeline, event, context).routing(entries[phase], "")

    def beyond(self, join: str, pipeline: Pipeline, event: Event, context: Context) -> Routing:
        """As the interface promises."""
        following = _node(pipeline, join).next
        return _Walk(self, pipeline, event, context).routing(following, join)

    def ready(self, pipeline: Pipeline, progress: Progress) -> tuple[str, ...]:
        """As the interface promises."""
        waiting = progress.arrived - progress.passed
        return tuple(
            join_id
            for join_id in pipeline.joins
            if join_id in waiting
            and pipeline.upstream(join_id).isdisjoint(progress.open | progress.failed | waiting)
        )

    def decide(
        self, condition: Condition, pipeline: Pipeline, node: Node, event: Event, context: Context
    ) -> Decision:
        """Whether a condition of a node holds, and why."""
        config = self.config(node.plugin) if isinstance(node, Step) else {}
        return condition.decide(scope(event, context, pipeline, node.id, config))

    def _starts(self, event: Event, context: Context) -> Iterator[Pipeline]:
        if event.type.startswith(CORE_PREFIX):
            return
        for pipeline in self.catalogue.by_type(event.type):
            if pipeline.source in (None, event.source) and self.admits(pipeline, event, context):
                yield pipeline


class _Walk:
    """One event on its way through the nodes of one graph, up to the steps that run."""

    def __init__(
        self, router: GraphRouter, pipeline: Pipeline, event: Event, context: Context
    ) -> None:
        self._router = router
        self._pipeline = pipeline
        self._event = event
        self._context = context
        # As keys, for the order of the file and each but once.
        self._steps: dict[str, Step] = {}
        self._skips: dict[str, Skip] = {}
        self._arrivals: dict[Arrival, None] = {}
        self._entered: dict[str, Entered] = {}

    def routing(self, node_ids: Iterable[str], source: str) -> Routing:
        """Where these nodes lead, coming from `source`."""
        waiting = [(node_id, source) for node_id in reversed(tuple(node_ids))]
        while waiting:
            node_id, origin = waiting.pop()
            onward = self._pass(_node(self._pipeline, node_id), origin)
            waiting += [(each, node_id) for each in reversed(onward)]
        return Routing(
            tuple(self._steps.values()),
            tuple(self._skips.values()),
            tuple(self._arrivals),
            tuple(self._entered.values()),
        )

    def _pass(self, node: Node, source: str) -> tuple[str, ...]:
        """Take note of a node; returns the nodes that are reached through it at once."""
        if isinstance(node, Join):
            self._arrivals[Arrival(node.id, source)] = None
            return ()
        if node.condition is None:
            self._steps[node.id] = node
            return ()
        decision = self._router.decide(
            node.condition, self._pipeline, node, self._event, self._context
        )
        if isinstance(node, Gate):
            guarded = node.id.partition(":")[0]
            if decision.holds:
                self._entered[guarded] = Entered(guarded, decision.reason)
                return node.next
            self._skip(guarded, decision)
            return node.otherwise
        if decision.holds:
            self._steps[node.id] = node
            return ()
        self._skip(node.id, decision)
        return node.next

    def _skip(self, step: str, decision: Decision) -> None:
        self._skips[step] = Skip(step, decision.reason)


def _node(pipeline: Pipeline, node_id: str) -> Node:
    node = pipeline.nodes.get(node_id)
    if node is None:
        raise ConfigurationError(
            f'pipeline "{pipeline.name}" has no step "{node_id}" in version {pipeline.hash}; '
            "the job belongs to another version"
        )
    return node
