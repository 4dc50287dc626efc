"""Everything that the files say, read and checked together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ductile.config.loader import ConfigSource, find_config_dir, load_settings
from ductile.config.settings import PluginSettings, Settings
from ductile.documents.problems import Problem
from ductile.documents.render import render
from ductile.documents.suggest import hint
from ductile.dsl.catalogue import Catalogue
from ductile.dsl.loader import load as load_pipelines
from ductile.errors import ConfigurationError
from ductile.gateway.events import event_warnings
from ductile.plugin.manifest import Manifest
from ductile.plugin.registry import Registry, discover


@dataclass(frozen=True)
class Configuration:
    """Settings, plugins and pipelines, with all that is wrong with them."""

    directory: Path
    environment: Mapping[str, str]
    """What plugins may be given of, and what `${NAME}` was taken from."""
    settings: Settings | None
    registry: Registry | None
    catalogue: Catalogue | None
    problems: tuple[Problem, ...]
    files: int
    """How many were read."""

    @property
    def usable(self) -> bool:
        """Whether nothing is worse than a warning."""
        return not any(not problem.warning for problem in self.problems)

    def parts(self) -> tuple[Settings, Registry, Catalogue]:
        """All three. Raises ConfigurationError, with every problem, unless it is usable."""
        if (
            not self.usable
            or self.settings is None
            or self.registry is None
            or self.catalogue is None
        ):
            raise ConfigurationError(render(self.problems, files=self.files))
        return self.settings, self.registry, self.catalogue


def read_configuration(directory: Path | None, environment: Mapping[str, str]) -> Configuration:
    """Read all files of a configuration directory and hold them against each other.

    Without `directory`, `$DUCTILE_CONFIG` or `~/.config/ductile`. Nothing is started or made.
    """
    found = find_config_dir(directory, environment)
    settings, source, problems = load_settings(found, environment)
    if settings is None:
        return Configuration(found, environment, None, None, None, tuple(problems), 1)
    registry, plugin_problems = discover(settings.plugin_roots)
    loaded = load_pipelines(found / "pipelines", UsablePlugins(settings, registry))
    problems = [
        *problems,
        *_cross_references(settings, source, registry),
        *plugin_problems,
        *loaded.problems,
    ]
    if loaded.catalogue is not None:
        problems += event_warnings(loaded.catalogue, registry, settings, loaded.documents)
    return Configuration(
        found,
        environment,
        settings,
        registry,
        loaded.catalogue,
        tuple(problems),
        1 + len(registry.names()) + loaded.files,
    )


@dataclass(frozen=True)
class UsablePlugins:
    """The plugins that pipelines may use, as the compiler asks for them."""

    settings: Settings
    registry: Registry

    def names(self) -> Collection[str]:
        return self.registry.names()

    def commands(self, plugin: str) -> Collection[str] | None:
        manifest = self.registry.get(plugin)
        return None if manifest is None else tuple(manifest.commands)

    def disabled(self, plugin: str) -> bool:
        return not self.settings.plugin(plugin).enabled


def _cross_references(
    settings: Settings, source: ConfigSource, registry: Registry
) -> Iterator[Problem]:
    """What the config file says of plugins, held against the plugins that there are."""
    for name, own in settings.plugins.items():
        manifest = registry.get(name)
        if manifest is None:
            yield _unknown(source, ("plugins", name), name, registry, key=True)
        else:
            yield from _check_plugin(source, manifest, own)
    for index, endpoint in enumerate(settings.webhooks):
        if endpoint.plugin is None:
            continue
        place = ("webhooks", "endpoints", index, "plugin")
        manifest = registry.get(endpoint.plugin)
        if manifest is None:
            yield _unknown(source, place, endpoint.plugin, registry)
        elif "handle" not in manifest.commands:
            message = f'plugin "{endpoint.plugin}" has no command "handle"'
            yield source.problem_at(place, message, "name a plugin that handles events")
        elif not settings.plugin(endpoint.plugin).enabled:
            message = f'plugin "{endpoint.plugin}" is disabled'
            yield source.problem_at(place, message, "enable it, or name another one")


def _check_plugin(
    source: ConfigSource, manifest: Manifest, own: PluginSettings
) -> Iterator[Problem]:
    place = ("plugins", manifest.name)
    missing = [key for key in manifest.required_config if key not in own.config]
    if missing and own.enabled:
        yield source.problem_at(
            place,
            f'plugin "{manifest.name}" needs {_listed(missing)} in its config',
            f"add it under plugins.{manifest.name}.config",
            key=True,
        )
    for command in own.timeouts:
        if command not in manifest.commands:
            yield source.problem_at(
                (*place, "timeouts", command),
                f'plugin "{manifest.name}" has no command "{command}"',
                hint(command, manifest.commands) or f"it has {_listed(manifest.commands)}",
                key=True,
            )


def _unknown(
    source: ConfigSource,
    place: tuple[str | int, ...],
    name: str,
    registry: Registry,
    *,
    key: bool = False,
) -> Problem:
    remedy = hint(name, registry.names()) or "put it into a plugin root, or correct the name"
    return source.problem_at(place, f'no plugin named "{name}"', remedy, key=key)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
