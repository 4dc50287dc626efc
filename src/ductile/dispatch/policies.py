"""Policies: what step, settings and manifest say together about one job."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from ductile.config.settings import PluginSettings, Settings
from ductile.documents.suggest import hint
from ductile.dsl.graph import Step
from ductile.errors import NotFound, PluginError
from ductile.model.job import Job
from ductile.model.json import JsonObject
from ductile.model.policy import RetryPolicy
from ductile.plugin.orphans import JOB_ID_VARIABLE
from ductile.plugin.registry import Registry

#: What every plugin gets of the gateway's own environment, besides what its settings list.
INHERITED: Final = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")


class Plugins(Protocol):
    """Plugins and their settings, read together; never changes."""

    @property
    def settings(self) -> Settings: ...

    @property
    def registry(self) -> Registry: ...


class Policies:
    """Answers what holds for one job; where two sources speak, the step wins, then the settings.

    Each answer is of the set that is in force when it is asked for.
    """

    def __init__(
        self, current: Callable[[], Plugins], environment: Mapping[str, str] = os.environ
    ) -> None:
        self._current = current
        self._environment = environment

    def pinned(self) -> Policies:
        """The same, of the set that is in force now: for several answers that belong together."""
        plugins = self._current()
        return Policies(lambda: plugins, self._environment)

    def require(self, plugin: str, command: str) -> None:
        """Raise NotFound unless this plugin can be asked for this command."""
        plugins = self._current()
        manifest = plugins.registry.get(plugin)
        if manifest is None:
            remedy = hint(plugin, plugins.registry.names()) or 'see "ductile plugin list"'
            raise NotFound(f'no plugin named "{plugin}"; {remedy}')
        if not plugins.settings.plugin(plugin).enabled:
            raise NotFound(f'plugin "{plugin}" is disabled (plugins.{plugin}.enabled)')
        if command not in manifest.commands:
            known = ", ".join(manifest.commands)
            raise NotFound(f'plugin "{plugin}" has no command "{command}"; it has {known}')

    def entrypoint(self, plugin: str) -> Path:
        """The executable. Raises PluginError if the plugin is gone or disabled by now."""
        plugins = self._current()
        manifest = plugins.registry.get(plugin)
        if manifest is None:
            raise PluginError(
                f'no plugin named "{plugin}" is loaded; put it back into a plugin root and reload'
            )
        if not plugins.settings.plugin(plugin).enabled:
            raise PluginError(f'plugin "{plugin}" is disabled (plugins.{plugin}.enabled)')
        return manifest.entrypoint_path

    def config(self, plugin: str) -> JsonObject:
        """What the plugin's settings hand to it."""
        return self._of(plugin).config

    def environment(self, job: Job) -> Mapping[str, str]:
        """The whole environment of one attempt."""
        names = (*INHERITED, *self._of(job.plugin).env)
        chosen = {name: self._environment[name] for name in names if name in self._environment}
        return {**chosen, JOB_ID_VARIABLE: job.id}

    def timeout(self, plugin: str, command: str, step: Step | None) -> timedelta:
        """How long one attempt may take."""
        if step is not None and step.timeout is not None:
            return step.timeout
        return self._of(plugin).timeout_for(command)

    def retry(self, plugin: str, step: Step | None) -> RetryPolicy:
        """How often, and how far apart, the job is tried."""
        own = self._of(plugin).retry
        if step is None:
            return own
        return RetryPolicy(
            own.max_attempts if step.max_attempts is None else step.max_attempts,
            own.backoff_base if step.backoff_base is None else step.backoff_base,
            own.backoff_cap if step.backoff_cap is None else step.backoff_cap,
        )

    def preload(self, plugin: str) -> tuple[str, ...] | None:
        """What a warm parent is to import for the plugin; None if it is to be executed."""
        manifest = self._current().registry.get(plugin)
        return manifest.preload if manifest is not None and self._of(plugin).warm else None

    def max_stdout(self, plugin: str) -> int:
        """Bytes that the plugin may write to stdout."""
        return self._of(plugin).max_stdout

    def keeps_private(self, job: Job) -> bool:
        """Whether this command's `state_updates` stay out of the baggage."""
        manifest = self._current().registry.get(job.plugin)
        command = manifest.commands.get(job.command) if manifest else None
        return command is not None and command.private

    def dedupe_ttl(self) -> timedelta:
        """How long the dedupe key of an event counts."""
        return self._current().settings.service.dedupe_ttl

    def repeat_window(self) -> timedelta:
        """How long the id of a delivery counts."""
        return self._current().settings.inbox.window

    def parallelism(self) -> Mapping[str, int]:
        """The most jobs at a time of those plugins that have a limit.

        One of a plugin that is not `concurrency_safe`, whatever the settings say.
        """
        plugins = self._current()
        limits = {}
        for name, manifest in plugins.registry.plugins.items():
            own = plugins.settings.plugin(name).parallelism
            limit = own if manifest.concurrency_safe else 1
            if limit is not None:
                limits[name] = limit
        return limits

    def _of(self, plugin: str) -> PluginSettings:
        return self._current().settings.plugin(plugin)
