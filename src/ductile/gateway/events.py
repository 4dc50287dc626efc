"""What the events of a configuration lead to: pipelines that nothing starts, and circles."""

from __future__ import annotations

from collections.abc import Iterator

from ductile.config.settings import Settings
from ductile.documents.problems import Problem, quoted
from ductile.documents.suggest import did_you_mean
from ductile.dsl.catalogue import Catalogue
from ductile.dsl.graph import Pipeline
from ductile.plugin.registry import Registry


def event_warnings(
    catalogue: Catalogue, registry: Registry, settings: Settings
) -> Iterator[Problem]:
    """Warnings about event types that nothing produces, and about pipelines in a circle.

    Goes by what manifests say that commands emit. While any command in use does not say, no
    type is called unproduced.
    """
    if _all_said(catalogue, registry, settings):
        yield from _never_started(catalogue, _produced(registry, settings))
    for circle in _circles(catalogue, registry):
        yield Problem(
            f"events can lead in a circle of pipelines: {' -> '.join(circle)}",
            hint="see that a condition ends it; otherwise service.depth_limit does, with a failure",
            warning=True,
        )


def _emits(registry: Registry, plugin: str, name: str) -> tuple[str, ...] | None:
    command = registry.commands(plugin).get(name)
    return None if command is None else command.emits


def _all_said(catalogue: Catalogue, registry: Registry, settings: Settings) -> bool:
    used = {
        (step.plugin, step.command)
        for pipeline in catalogue.pipelines.values()
        for step in pipeline.steps.values()
    }
    used |= {(each.plugin, "handle") for each in settings.webhooks if each.plugin is not None}
    return all(_emits(registry, plugin, command) is not None for plugin, command in used)


def _produced(registry: Registry, settings: Settings) -> frozenset[str]:
    """All types that endpoints make and that manifests speak of."""
    types = {each.event or f"webhook.{each.name}" for each in settings.webhooks}
    for manifest in registry.plugins.values():
        for command in manifest.commands.values():
            types.update(command.emits or ())
    return frozenset(types)


def _never_started(catalogue: Catalogue, produced: frozenset[str]) -> Iterator[Problem]:
    inlined = _inlined(catalogue)
    for pipeline in catalogue.pipelines.values():
        # What another pipeline calls need not be started by an event.
        if not produced.isdisjoint(pipeline.on) or inlined.issuperset(pipeline.entries):
            continue
        types = " or ".join(quoted(each) for each in pipeline.on)
        meant = next(filter(None, (did_you_mean(each, produced) for each in pipeline.on)), None)
        remedy = "only the API and the command line can start it"
        yield Problem(
            f"pipeline {quoted(pipeline.name)} is started by {types}, "
            "which no webhook makes and no plugin emits",
            hint=f'did you mean "{meant}"? As it is, {remedy}' if meant else remedy,
            warning=True,
        )


def _inlined(catalogue: Catalogue) -> frozenset[str]:
    """The ids that nodes have in the pipelines from which calls have taken them."""
    found: set[str] = set()
    for pipeline in catalogue.pipelines.values():
        for node in pipeline.nodes:
            parts = node.split("/")
            found.update("/".join(parts[start:]) for start in range(1, len(parts)))
    return frozenset(found)


def _circles(catalogue: Catalogue, registry: Registry) -> Iterator[list[str]]:
    """Circles without common members, at least one wherever there are any; the first is repeated.

    A walk in depth, without recursion, since chains can be long.
    """
    seen: set[str] = set()
    told: set[str] = set()
    for root in catalogue.pipelines.values():
        if root.name in seen:
            continue
        seen.add(root.name)
        path = {root.name: _started(root, catalogue, registry)}
        while path:
            name, walk = next(reversed(path.items()))
            following = next(walk, None)
            if following is None:
                path.popitem()
            elif following not in seen:
                seen.add(following)
                path[following] = _started(catalogue.pipelines[following], catalogue, registry)
            elif following in path and told.isdisjoint((name, following)):
                names = list(path)
                circle = names[names.index(following) :]
                if told.isdisjoint(circle):
                    told.update(circle)
                    yield [*circle, following]


def _started(pipeline: Pipeline, catalogue: Catalogue, registry: Registry) -> Iterator[str]:
    """The pipelines that its steps' events can start, each once."""
    known: set[str] = set()
    for step in pipeline.steps.values():
        for event_type in _emits(registry, step.plugin, step.command) or ():
            for each in catalogue.by_type(event_type):
                if each.source in (None, step.plugin) and each.name not in known:
                    known.add(each.name)
                    yield each.name
