"""The rule by which a join makes one baggage of those of its branches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ductile.model.context import Context
from ductile.model.ids import ContextId
from ductile.model.json import Json, JsonObject, canonical


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two branches gave one key different values; the later one's counts."""

    key: str
    earlier: int
    """Which branch, from 0."""
    later: int


@dataclass(frozen=True, slots=True)
class Joined:
    """The baggage of all branches together."""

    baggage: JsonObject
    disagreements: tuple[Disagreement, ...] = ()


def join(base: JsonObject, branches: Sequence[JsonObject]) -> Joined:
    """What the branches gave, laid over what they all began with, in their order.

    What a branch has as `base` has it was not given by the branch.
    """
    merged: dict[str, Json] = dict(base)
    given: dict[str, tuple[bytes, int]] = {}
    disagreements: list[Disagreement] = []
    known = {key: canonical(value) for key, value in base.items()}
    for number, branch in enumerate(branches):
        for key, value in branch.items():
            form = canonical(value)
            if known.get(key) == form:
                continue
            if key in given and given[key][0] != form:
                disagreements.append(Disagreement(key, given[key][1], number))
            given[key] = (form, number)
            merged[key] = value
    return Joined(merged, tuple(disagreements))


def common_baggage(
    contexts: Sequence[Context], get: Callable[[ContextId], Context | None]
) -> JsonObject:
    """The baggage of the row from which all these grew; the cost is that of the branches."""
    rows = {context.id: context for context in contexts}
    while len(rows) > 1:
        deepest = max(rows.values(), key=lambda each: each.hop)
        del rows[deepest.id]
        parent = None if deepest.parent_id is None else get(deepest.parent_id)
        if parent is None:
            return {}
        rows[parent.id] = parent
    return next(iter(rows.values())).baggage
