"""The compiled pipeline: a finite graph of steps, pinned by its hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from ductile.model.ids import PipelineHash
from ductile.model.policy import WorkspaceMode


@dataclass(frozen=True, slots=True)
class Step:
    """One node: run this plugin's command."""

    id: str
    """Unique in its graph; steps of a called pipeline are `caller/callee`."""
    plugin: str
    command: str
    next: tuple[str, ...] = ()
    """The steps that follow, in the order of the file."""
    workspace: WorkspaceMode = WorkspaceMode.CLONE
    timeout: timedelta | None = None
    """None: the plugin's own for this command."""
    max_attempts: int | None = None
    """None: the plugin's own."""
    backoff_base: timedelta | None = None
    """None: the plugin's own."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One version of one pipeline, calls inlined."""

    name: str
    hash: PipelineHash
    on: str
    """The type of the events that start it."""
    entries: tuple[str, ...]
    """The steps that a run starts with, in the order of the file."""
    steps: Mapping[str, Step]
    definition: str
    """Canonical JSON that `hash` is taken of; `restore` makes the pipeline from it again."""
    description: str = ""
    """For people; not part of the version."""
