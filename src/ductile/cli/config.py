"""`ductile config`: looks at the files without starting anything."""

from __future__ import annotations

import click

from ductile.cli.commands import Asked, Group, json_option
from ductile.cli.output import say, say_json
from ductile.cli.render.text import counted
from ductile.cli.session import configuration
from ductile.documents.render import render, to_json

_CONFIGURATION = 3


@click.group(cls=Group)
def command() -> None:
    """The config directory: config.yaml, pipelines/, plugins/."""


@command.command()
@json_option
@click.pass_obj
def check(asked: Asked, *, as_json: bool) -> int:
    """Check all files, and what they say about each other.

    Nothing is started and nothing is made. Exit code 3 if anything is wrong. With --json:
    {"directory", "usable", "files", "pipelines", "plugins", "problems": […]}.
    """
    found = configuration(asked)
    pipelines = len(found.catalogue.pipelines) if found.catalogue else 0
    plugins = len(found.registry.names()) if found.registry else 0
    if as_json:
        say_json(
            {
                "directory": str(found.directory),
                "usable": found.usable,
                "files": found.files,
                "pipelines": pipelines,
                "plugins": plugins,
                "problems": to_json(found.problems),
            }
        )
        return 0 if found.usable else _CONFIGURATION
    if found.problems:
        say(render(found.problems, files=found.files, consequence="").rstrip("\n"))
    if not found.usable:
        return _CONFIGURATION
    what = f"{counted(pipelines, 'pipeline')}, {counted(plugins, 'plugin')}"
    say(f"all in order: {what} in {found.directory}")
    return 0
