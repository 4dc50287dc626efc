"""What changed in meaning between two versions of pipelines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ductile.model.json import Json, JsonObject, canonical


class Change(StrEnum):
    """What happened to a node, or to a key."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the two do not have in common."""

    change: Change
    kind: str
    """`pipeline`, `step`, `gate` or `join`."""
    id: str
    """Of the node; the name of the first pipeline for what is said of the whole."""
    key: str | None = None
    """What of it, as a dotted path; None: all of it."""
    before: Json = None
    after: Json = None


def differences(before: JsonObject, after: JsonObject) -> tuple[Difference, ...]:
    """What differs between two pipelines, in the shape of `pipeline_json`.

    First what is said of the whole, then the nodes: those of the first pipeline in its order,
    then those that are new. Descriptions are for people and make no difference.
    """
    ours, theirs = _nodes(before), _nodes(after)
    found = list(_keys("pipeline", before["name"], _head(before), _head(after)))
    for node_id, node in ours.items():
        other = theirs.get(node_id)
        if other is not None and other["kind"] == node["kind"]:
            found += _keys(node["kind"], node_id, _without_name(node), _without_name(other))
            continue
        found.append(Difference(Change.REMOVED, node["kind"], node_id, before=_without_name(node)))
        if other is not None:
            found.append(
                Difference(Change.ADDED, other["kind"], node_id, after=_without_name(other))
            )
    found += [
        Difference(Change.ADDED, node["kind"], node_id, after=_without_name(node))
        for node_id, node in theirs.items()
        if node_id not in ours
    ]
    return tuple(found)


def _nodes(pipeline: JsonObject) -> dict[str, JsonObject]:
    return {node["id"]: node for node in pipeline["nodes"]}


def _head(pipeline: JsonObject) -> JsonObject:
    apart = ("hash", "description", "nodes")
    return {key: value for key, value in pipeline.items() if key not in apart}


def _without_name(node: JsonObject) -> JsonObject:
    return {key: value for key, value in node.items() if key not in ("id", "kind")}


def _keys(kind: str, node_id: str, before: JsonObject, after: JsonObject) -> Iterator[Difference]:
    for path, old, new in _leaves("", before, after):
        change = Change.CHANGED
        if old is None:
            change = Change.ADDED
        elif new is None:
            change = Change.REMOVED
        yield Difference(change, kind, node_id, path, old, new)


def _leaves(prefix: str, before: JsonObject, after: JsonObject) -> Iterator[tuple[str, Json, Json]]:
    """The values that differ, by dotted path; conditions and lists as wholes."""
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if canonical(old) == canonical(new):
            continue
        path = f"{prefix}{key}"
        if key != "if" and isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _leaves(f"{path}.", old, new)
        else:
            yield path, old, new
