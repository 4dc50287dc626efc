"""Policies: what step, settings and manifest say together about one job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from ductile.config.settings import PluginSettings, Settings
from ductile.documents.suggest import hint
from ductile.dsl.graph import Step
from ductile.errors import NotFound, PluginError
from ductile.model.job import Job
from ductile.model.json import JsonObject
from ductile.model.policy import RetryPolicy
from ductile.plugin.manifest import Command, Manifest
from ductile.plugin.orphans import JOB_ID_VARIABLE
from ductile.plugin.registry import Registry

#: What every plugin gets of the gateway's own environment, besides what its settings list.
INHERITED: Final = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")


class Policies:
    """Answers what holds for one job; where two sources speak, the step wins, then the settings."""

    def __init__(
        self, settings: Settings, registry: Registry, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._environment = environment

    def require(self, plugin: str, command: str) -> None:
        """Raise NotFound unless this plugin can be asked for this command."""
        manifest = self._registry.get(plugin)
        if manifest is None:
            remedy = hint(plugin, self._registry.names()) or 'see "ductile plugin list"'
            raise NotFound(f'no plugin named "{plugin}"; {remedy}')
        if not self._of(plugin).enabled:
            raise NotFound(f'plugin "{plugin}" is disabled (plugins.{plugin}.enabled)')
        if command not in manifest.commands:
            known = ", ".join(manifest.commands)
            raise NotFound(f'plugin "{plugin}" has no command "{command}"; it has {known}')

    def entrypoint(self, plugin: str) -> Path:
        """The executable. Raises PluginError if the plugin is gone or disabled by now."""
        manifest = self._manifest(plugin)
        if not self._of(plugin).enabled:
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
        )

    def max_stdout(self, plugin: str) -> int:
        """Bytes that the plugin may write to stdout."""
        return self._of(plugin).max_stdout

    def keeps_private(self, job: Job) -> bool:
        """Whether this command's `state_updates` stay out of the baggage."""
        command = self._command(job)
        return command is not None and command.private

    def parallelism(self) -> Mapping[str, int]:
        """The most jobs at a time of those plugins that have a limit.

        One of a plugin that is not `concurrency_safe`, whatever the settings say.
        """
        limits = {}
        for name in self._registry.names():
            own = self._of(name).parallelism
            limit = own if self._manifest(name).concurrency_safe else 1
            if limit is not None:
                limits[name] = limit
        return limits

    def _of(self, plugin: str) -> PluginSettings:
        return self._settings.plugin(plugin)

    def _manifest(self, plugin: str) -> Manifest:
        manifest = self._registry.get(plugin)
        if manifest is None:
            raise PluginError(
                f'no plugin named "{plugin}" is loaded; put it back into a plugin root and restart'
            )
        return manifest

    def _command(self, job: Job) -> Command | None:
        manifest = self._registry.get(job.plugin)
        return manifest.commands.get(job.command) if manifest else None
