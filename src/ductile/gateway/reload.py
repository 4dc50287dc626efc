"""The reload: all files read anew, and put in force together or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from ductile.config.settings import PluginSettings, Settings, WorkspaceSettings
from ductile.dispatch.current import Current, InForce
from ductile.dispatch.policies import Policies
from ductile.dispatch.privacy import Privacy
from ductile.documents.problems import Problem
from ductile.documents.render import render
from ductile.gateway.configuration import Configuration, read_configuration
from ductile.gateway.core import in_force
from ductile.plugin.manifest import MANIFEST_FILE, Manifest
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import ConfigurationReloaded, PartFailed, ReloadRefused

#: Problems that a log line names; `ductile config check` shows all.
_NAMED: Final = 5


class Reloader:
    """Takes in what the files say now: pipelines, plugins, and the settings of plugins.

    Runs in flight keep the version that they started with. Other settings wait for the next
    start.
    """

    def __init__(
        self,
        start: Configuration,
        current: Current,
        privacy: Privacy,
        telemetry: Telemetry,
        limit: Callable[[Mapping[str, int]], None],
    ) -> None:
        """`limit` is told how many jobs of single plugins may run at a time from now on."""
        self._directory = start.directory
        self._pipelines = start.directory / "pipelines"
        self._environment = start.environment
        self._current = current
        self._privacy = privacy
        self._telemetry = telemetry
        self._limit = limit
        self._reloading = threading.Lock()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the files of the set that is in force are, whether or not they exist."""
        return (self._pipelines, *self._current().settings.plugin_roots)

    def concerns(self, path: Path) -> bool:
        """Whether a change at `path` may change what a reload finds.

        What a plugin keeps in its folder, but for the manifest, does not.
        """
        if path.is_relative_to(self._pipelines):
            inside = path.relative_to(self._pipelines)
            return not _hidden(inside) and path.suffix in ("", ".yaml", ".yml")
        plugins = self._current().registry.plugins.values()
        folders = {manifest.directory for manifest in plugins}
        if path.name == MANIFEST_FILE:
            return folders.isdisjoint(path.parent.parents)
        return folders.isdisjoint(path.parents)

    def reload(self) -> bool:
        """Read all files and put them in force, unless anything is wrong; tells which.

        Never raises. Safe to call from several threads; whoever comes last has read last.
        """
        with self._reloading:
            try:
                return self._take_in(read_configuration(self._directory, self._environment))
            except Exception as error:
                self._telemetry.emit(PartFailed("reload", str(error) or repr(error)))
                return False

    def _take_in(self, found: Configuration) -> bool:
        if not found.usable:
            self._telemetry.emit(_refusal(found.problems))
            return False
        settings, registry, catalogue = found.parts()
        before = self._current()
        successor = in_force(_effective(before.settings, settings), registry, catalogue)
        # First what must hold when the first job of the new set is claimed and answers.
        self._privacy.learn(settings.secrets)
        self._limit(Policies(lambda: successor, self._environment).parallelism())
        self._current.exchange(successor)
        self._telemetry.emit(
            ConfigurationReloaded(
                len(catalogue.pipelines),
                len(registry.names()),
                tuple(_changes(before, successor)),
                tuple(_waiting(before.settings, settings)),
            )
        )
        return True


def _effective(before: Settings, found: Settings) -> Settings:
    """What holds from now on: of what was found, that which needs no start."""
    return replace(
        before,
        plugin_roots=found.plugin_roots,
        plugins=found.plugins,
        secrets=before.secrets | found.secrets,
    )


def _changes(before: InForce, after: InForce) -> Iterator[str]:
    """The pipelines and plugins that are not what they were, new and gone ones included."""
    was, now = before.catalogue.pipelines, after.catalogue.pipelines
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) != now.get(name):
            yield f"pipeline {name}"
    for name in sorted({*before.registry.names(), *after.registry.names()}):
        if _plugin(before, name) != _plugin(after, name):
            yield f"plugin {name}"


def _plugin(of: InForce, name: str) -> tuple[Manifest | None, PluginSettings]:
    return of.registry.get(name), of.settings.plugin(name)


def _waiting(before: Settings, found: Settings) -> Iterator[str]:
    """The keys of `config.yaml` with another value than the one that the gateway runs with."""
    if before.data_dir != found.data_dir:
        yield "data_dir"
    elif before.database != found.database:
        yield "state.url"
    for section in ("service", "workspace", "http"):
        was, now = getattr(before, section), getattr(found, section)
        for key in _keys(was):
            if getattr(was, key) != getattr(now, key):
                yield f"{section}.{key}"
    if before.webhooks != found.webhooks:
        yield "webhooks.endpoints"
    for key in _keys(before.inbox):
        if getattr(before.inbox, key) != getattr(found.inbox, key):
            yield f"webhooks.inbox.{key}"


def _keys(section: BaseModel | WorkspaceSettings) -> Iterator[str]:
    if isinstance(section, BaseModel):
        yield from type(section).model_fields
    else:
        yield from (field.name for field in fields(section))


def _refusal(problems: Sequence[Problem]) -> ReloadRefused:
    errors = [problem for problem in problems if not problem.warning]
    return ReloadRefused(len(errors), tuple(map(_line, errors[:_NAMED])))


def _line(problem: Problem) -> str:
    """The first line of the problem as it is rendered: its place, and what is wrong."""
    return render([problem]).partition("\n")[0]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
