"""The compiled pipeline: a finite graph of steps, gates and joins, pinned by its hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Final, TypeAlias

from ductile.expressions.conditions import Condition
from ductile.expressions.paths import Path
from ductile.expressions.templates import Template
from ductile.model.ids import PipelineHash
from ductile.model.policy import WorkspaceMode

#: In `Step.on_events`, stands for every type that is not listed.
ANY_EVENT: Final = "*"


@dataclass(frozen=True, slots=True)
class Step:
    """Run this plugin's command."""

    id: str
    """Unique in its graph; steps of a called pipeline are `caller/callee`."""
    plugin: str
    command: str
    next: tuple[str, ...] = ()
    """The nodes that follow, in the order of the file."""
    workspace: WorkspaceMode = WorkspaceMode.CLONE
    timeout: timedelta | None = None
    """None: the plugin's own for this command."""
    max_attempts: int | None = None
    """None: the plugin's own."""
    backoff_base: timedelta | None = None
    """None: the plugin's own."""
    backoff_cap: timedelta | None = None
    """The longest wait between two attempts; None: the usual one."""
    condition: Condition | None = None
    """`if`: where it does not hold, the step is skipped and what came to it goes on to `next`."""
    inputs: Template | None = None
    """`with`: renders to an object that is laid over the event's payload."""
    baggage: tuple[tuple[str, Path], ...] | None = None
    """What goes into the context, by dotted path; None: all `state_updates`."""
    on_events: Mapping[str, tuple[str, ...]] | None = None
    """Nodes that follow by type of event, instead of `next`; `*` is for all other types."""

    def following(self, event_type: str) -> tuple[str, ...]:
        """The nodes that follow an event of that type."""
        if self.on_events is None:
            return self.next
        return self.on_events.get(event_type, self.on_events.get(ANY_EVENT, ()))


@dataclass(frozen=True, slots=True)
class Gate:
    """The `if` of a call or of a group: leads into it, or past it."""

    id: str
    """The guarded step's id and `:if`."""
    condition: Condition
    next: tuple[str, ...]
    """Into what it guards."""
    otherwise: tuple[str, ...] = ()
    """Past it."""


@dataclass(frozen=True, slots=True)
class Join:
    """Waits until everything before it has ended well, and goes on once per run."""

    id: str
    """The id of what follows and `:join`."""
    next: tuple[str, ...]
    sources: tuple[str, ...] = ()
    """The nodes that lead to it, in the order of the file: the order in which it merges."""


Node: TypeAlias = Step | Gate | Join


def successors(node: Node) -> tuple[str, ...]:
    """The nodes that can follow a node, each once."""
    match node:
        case Step(next=ahead, on_events=routes):
            listed = (route for _, route in sorted((routes or {}).items()))
            return tuple(dict.fromkeys((*ahead, *(each for route in listed for each in route))))
        case Gate(next=ahead, otherwise=past):
            return tuple(dict.fromkeys((*ahead, *past)))
        case Join(next=ahead):
            return ahead


@dataclass(frozen=True)
class Pipeline:
    """One version of one pipeline, calls inlined."""

    name: str
    hash: PipelineHash
    on: tuple[str, ...]
    """The types of the events that start it."""
    entries: tuple[str, ...]
    """The nodes that a run starts with, in the order of the file."""
    nodes: Mapping[str, Node]
    definition: str
    """Canonical JSON that `hash` is taken of; `restore` makes the pipeline from it again."""
    description: str = ""
    """For people; not part of the version."""
    source: str | None = None
    """`from`: only events of this source start it."""
    condition: Condition | None = None
    """`if`: decides whether a run starts at all."""
    timeout: timedelta | None = None
    """Of a whole run."""
    on_failure: tuple[str, ...] = ()
    """The nodes that follow when the run has failed."""
    finally_: tuple[str, ...] = ()
    """The nodes that follow at the end of a run, whatever it came to."""

    @cached_property
    def steps(self) -> Mapping[str, Step]:
        """The nodes that run a plugin."""
        found = {node.id: node for node in self.nodes.values() if isinstance(node, Step)}
        return MappingProxyType(found)

    @cached_property
    def joins(self) -> Mapping[str, Join]:
        """The nodes that wait."""
        found = {node.id: node for node in self.nodes.values() if isinstance(node, Join)}
        return MappingProxyType(found)

    def upstream(self, node_id: str) -> frozenset[str]:
        """All nodes from which that one can be reached; worked out once."""
        found = self._upstream.get(node_id)
        if found is None:
            reached: set[str] = set()
            pending = list(self._predecessors.get(node_id, ()))
            while pending:
                each = pending.pop()
                if each not in reached:
                    reached.add(each)
                    pending += self._predecessors.get(each, ())
            found = self._upstream[node_id] = frozenset(reached)
        return found

    @cached_property
    def _predecessors(self) -> Mapping[str, list[str]]:
        return predecessors(self.nodes)

    @cached_property
    def _upstream(self) -> dict[str, frozenset[str]]:
        return {}


def predecessors(nodes: Mapping[str, Node]) -> dict[str, list[str]]:
    """The nodes that lead to each node, in the order of `nodes`; nodes without any are left out."""
    found: dict[str, list[str]] = {}
    for node in nodes.values():
        for each in successors(node):
            found.setdefault(each, []).append(node.id)
    return found
