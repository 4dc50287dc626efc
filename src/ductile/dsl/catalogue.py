"""The catalogue: the pipelines that are in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from ductile.dsl.graph import Pipeline


@dataclass(frozen=True)
class Catalogue:
    """An unchanging set of pipelines that were compiled together."""

    pipelines: Mapping[str, Pipeline] = field(default_factory=dict)
    """By name, in the order of the names."""

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "pipelines", MappingProxyType(dict(sorted(self.pipelines.items())))
        )

    def get(self, name: str) -> Pipeline | None:
        """The pipeline of that name."""
        return self.pipelines.get(name)

    def by_type(self, event_type: str) -> tuple[Pipeline, ...]:
        """The pipelines that have that type in their `on`, in the order of their names.

        Whether an event starts one is also for its `source` and `condition` to say.
        """
        return self._by_type.get(event_type, ())

    @cached_property
    def _by_type(self) -> Mapping[str, tuple[Pipeline, ...]]:
        types: dict[str, list[Pipeline]] = {}
        for pipeline in self.pipelines.values():
            for event_type in pipeline.on:
                types.setdefault(event_type, []).append(pipeline)
        return {event_type: tuple(pipelines) for event_type, pipelines in types.items()}
