"""The parts that decisions are made with, without files or a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from ductile.config.http import HttpSettings
from ductile.config.settings import (
    PluginSettings,
    ServiceSettings,
    Settings,
    WorkspaceSettings,
)
from ductile.dispatch.policies import Policies
from ductile.plugin.manifest import Command, CommandType, Manifest
from ductile.plugin.registry import Registry


@dataclass(frozen=True)
class Plugins:
    """A set that never changes."""

    settings: Settings
    registry: Registry


WORKSPACES = Path("/data/ws")


def policies(
    *names: str,
    environment: Mapping[str, str] | None = None,
    manifest: Mapping[str, Any] | None = None,
    **plugins: Mapping[str, Any],
) -> Policies:
    """Policies for these plugins and for those whose settings are given, as the file has them."""
    loaded = a_set(*names, manifest=manifest, **plugins)
    return Policies(lambda: loaded, environment or {})


def a_set(
    *names: str, manifest: Mapping[str, Any] | None = None, **plugins: Mapping[str, Any]
) -> Plugins:
    """These plugins, and those whose settings are given."""
    settings = Settings(
        config_dir=Path("/config"),
        data_dir=Path("/data"),
        database=Path("/data/ductile.db"),
        service=ServiceSettings(),
        workspace=WorkspaceSettings(WORKSPACES, timedelta(hours=24), timedelta(minutes=10)),
        http=HttpSettings(),
        plugin_roots=(),
        plugins={name: PluginSettings.model_validate(dict(own)) for name, own in plugins.items()},
        webhooks=(),
    )
    found = {name: a_manifest(name, **(manifest or {})) for name in (*names, *plugins)}
    return Plugins(settings, Registry(found))


def a_manifest(name: str, **fields: Any) -> Manifest:
    """A plugin with the commands `handle` and `poll`, the second of which keeps its state."""
    described = {
        "version": "1.0.0",
        "commands": {
            "handle": Command("handle", CommandType.WRITE, private=False),
            "poll": Command("poll", CommandType.READ, private=True),
        },
        "directory": Path("/plugins", name),
        "entrypoint_path": Path("/plugins", name, "run"),
        **fields,
    }
    return Manifest(name=name, **described)
