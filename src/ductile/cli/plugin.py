"""`ductile plugin`: lists, checks and runs plugins."""

from __future__ import annotations

from pathlib import Path

import click

from ductile.cli.commands import Asked, Group, json_option
from ductile.cli.output import paint, say, say_json, width
from ductile.cli.render.lists import plugin_table
from ductile.cli.session import configuration, usable_configuration
from ductile.cli.trigger import hand_in, read_wish, trigger_options
from ductile.dispatch.interfaces import Trigger
from ductile.documents.render import render, to_json
from ductile.model.json import Json
from ductile.plugin.manifest import MANIFEST_FILE, Command, Manifest, read_manifest

_CONFIGURATION = 3


@click.group(cls=Group)
def command() -> None:
    """Plugins: executables that read one JSON object and write one."""


@command.command("list")
@json_option
@click.pass_obj
def list_plugins(asked: Asked, *, as_json: bool) -> None:
    """Show all plugins that were found.

    With --json: {"plugins": [{"name", "version", "enabled", "description", "directory",
    "concurrency_safe", "commands": […], "config_keys": {"required", "optional"}}]}.
    """
    found = configuration(asked)
    settings, registry = found.settings, found.registry
    if settings is None or registry is None:
        settings, registry, _ = found.parts()
    plugins = [(registry.plugins[name], settings.plugin(name).enabled) for name in registry.names()]
    if as_json:
        say_json({"plugins": [_plugin_json(each, enabled) for each, enabled in plugins]})
    else:
        say(plugin_table(plugins, paint(), width=width()) if plugins else "no plugins")


@command.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@json_option
def check(directory: Path, *, as_json: bool) -> int:
    """Check one plugin's folder: its manifest, and the files that it speaks of.

    Needs no config directory. Exit code 3 if anything is wrong. With --json: {"usable",
    "plugin", "problems": […]}; plugin is null unless usable.
    """
    manifest, problems = read_manifest(directory / MANIFEST_FILE)
    if as_json:
        shown = None if manifest is None else _plugin_json(manifest, enabled=True)
        say_json({"usable": manifest is not None, "plugin": shown, "problems": to_json(problems)})
    else:
        if problems:
            say(render(problems, files=1, consequence="").rstrip("\n"))
        if manifest is not None:
            commands = ", ".join(manifest.commands)
            say(f"all in order: {manifest.name} {manifest.version}, which does {commands}")
    return 0 if manifest is not None else _CONFIGURATION


@command.command()
@click.argument("name")
@click.argument("action", default="handle", metavar="[COMMAND]")
@trigger_options
@click.pass_obj
def run(
    asked: Asked,
    name: str,
    action: str,
    *,
    payload: str,
    dedupe_key: str | None,
    wait: str | None,
    no_wait: bool,
    as_json: bool,
) -> int:
    """Run one command of a plugin as a job, by itself, and watch what follows.

    COMMAND is `handle` if left out. Events that it emits start their pipelines as ever. The
    gateway that serves the database works on it; where none is running, this process does.
    Exit code 1 unless all jobs of the chain succeed.
    """
    wish = read_wish(
        payload=payload, dedupe_key=dedupe_key, wait=wait, no_wait=no_wait, as_json=as_json
    )
    trigger = Trigger(
        f"cli.{name}",
        wish.payload,
        "cli",
        plugin=name,
        command=action,
        dedupe_key=wish.dedupe_key,
    )
    return hand_in(usable_configuration(asked), trigger, wish)


def _plugin_json(manifest: Manifest, enabled: bool) -> dict[str, Json]:
    return {
        "name": manifest.name,
        "version": manifest.version,
        "enabled": enabled,
        "description": manifest.description,
        "directory": str(manifest.directory),
        "concurrency_safe": manifest.concurrency_safe,
        "commands": [_command_json(each) for each in manifest.commands.values()],
        "config_keys": {
            "required": list(manifest.required_config),
            "optional": list(manifest.optional_config),
        },
    }


def _command_json(each: Command) -> dict[str, Json]:
    return {
        "name": each.name,
        "type": each.type.value,
        "private": each.private,
        "description": each.description,
        "input_schema": each.input_schema,
        "output_schema": each.output_schema,
    }
