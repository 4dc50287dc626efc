"""What the events of a configuration lead to: pipelines that nothing starts, and circles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ductile.config.event_types import TypePattern
from ductile.config.settings import Settings
from ductile.documents.problems import Place, Problem, in_order, quoted
from ductile.documents.suggest import did_you_mean
from ductile.documents.yaml import Document
from ductile.dsl.catalogue import Catalogue
from ductile.dsl.graph import Pipeline
from ductile.plugin.registry import Registry


def event_warnings(
    catalogue: Catalogue,
    registry: Registry,
    settings: Settings,
    documents: Iterable[Document],
) -> list[Problem]:
    """Warnings about event types that nothing produces, and about pipelines in a circle.

    Goes by what manifests say that commands emit. While any command in use does not say, no
    type is called unproduced. Each stands at an `on` in one of the documents, which are those
    that the catalogue was compiled from.
    """
    places = _Places(documents)
    warnings: list[Problem] = []
    if _all_said(catalogue, registry, settings):
        produced = _produced(registry, settings)
        inlined = _inlined(catalogue)
        for pipeline in catalogue.pipelines.values():
            # What another pipeline calls need not be started by an event.
            started = any(map(produced.has, pipeline.on))
            if not started and not inlined.issuperset(pipeline.entries):
                warnings.append(_never_started(pipeline, produced.types, places))
    warnings += [_goes_round(circle, places) for circle in _circles(catalogue, registry)]
    return in_order(warnings)


class _Places:
    """Where the `on` of each pipeline stands."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents = tuple(documents)

    def of(self, name: str, event_type: str | None = None) -> Place | None:
        """The place of the whole `on`, or of one type in it; None if there is no such pipeline."""
        for document in self._documents:
            found = document.get(("pipelines",))
            for index, each in enumerate(found if isinstance(found, list) else ()):
                if each["name"] != name:
                    continue
                path = ("pipelines", index, "on")
                if isinstance(each["on"], list) and event_type is not None:
                    return document.place((*path, each["on"].index(event_type)))
                return document.place(path)
        return None


def _goes_round(circle: list[str], places: _Places) -> Problem:
    return Problem(
        f"events can lead in a circle of pipelines: {' -> '.join(circle)}",
        places.of(circle[0]),
        "see that a condition ends it; otherwise service.depth_limit does, with a failure",
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


@dataclass(frozen=True, slots=True)
class _Produced:
    """The types of events that there can be."""

    types: frozenset[str]
    patterns: tuple[TypePattern, ...]
    """Of endpoints whose senders have a part in the type."""

    def has(self, event_type: str) -> bool:
        return event_type in self.types or any(each.matches(event_type) for each in self.patterns)


def _produced(registry: Registry, settings: Settings) -> _Produced:
    """All that endpoints make and that manifests speak of."""
    events = [each.event for each in settings.webhooks if each.event is not None]
    patterns = [TypePattern.parse(each) for each in events]
    types = {each.before for each in patterns if not each.open}
    types |= {f"webhook.{each.name}" for each in settings.webhooks if each.event is None}
    for manifest in registry.plugins.values():
        for command in manifest.commands.values():
            types.update(command.emits or ())
    return _Produced(frozenset(types), tuple(each for each in patterns if each.open))


def _never_started(pipeline: Pipeline, produced: frozenset[str], places: _Places) -> Problem:
    types = " or ".join(quoted(each) for each in pipeline.on)
    close = ((each, did_you_mean(each, produced)) for each in pipeline.on)
    wrong, meant = next(((each, word) for each, word in close if word), (None, None))
    remedy = "only the API and the command line can start it"
    return Problem(
        f"pipeline {quoted(pipeline.name)} is started by {types}, "
        "which no webhook makes and no plugin emits",
        places.of(pipeline.name, wrong),
        f'did you mean "{meant}"? As it is, {remedy}' if meant else remedy,
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
