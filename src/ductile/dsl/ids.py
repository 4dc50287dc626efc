"""The ids of steps: those that were given, and those of steps that were given none."""

from __future__ import annotations

from itertools import count

from ductile.documents.yaml import Path
from ductile.dsl.syntax import DEFAULT_COMMAND, PipelineNode, StepNode


def step_ids(pipeline: PipelineNode) -> dict[Path, str]:
    """The id of each step by its place: the given one, or a free one like what it uses or calls.

    A `split` or `steps` has one only if it was given.
    """
    nodes = list(pipeline.walk())
    taken = {node.id for node in nodes if node.id is not None}
    numbers: dict[str, count[int]] = {}
    ids = {}
    for node in nodes:
        name = node.id
        if name is None:
            base = _default_id(node)
            if base is None:
                continue
            name = base
            while name in taken:
                name = f"{base}-{next(numbers.setdefault(base, count(2)))}"
            taken.add(name)
        ids[node.path] = name
    return ids


def _default_id(node: StepNode) -> str | None:
    if node.uses is None:
        return node.call
    plugin, command = node.uses
    return plugin if command == DEFAULT_COMMAND else f"{plugin}-{command}"
