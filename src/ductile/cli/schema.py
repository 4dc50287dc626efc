"""`ductile schema`: prints the JSON Schemas that editors complete and check files by."""

from __future__ import annotations

import click

from ductile.cli.commands import Command
from ductile.cli.json_schemas import MODELS, json_schema, written
from ductile.cli.output import say


@click.command(cls=Command)
@click.argument("name", type=click.Choice(list(MODELS)), metavar="|".join(MODELS))
def command(name: str) -> None:
    """Print the JSON Schema of config.yaml, of the files under pipelines/, or of manifests.

    "ductile init" writes all three into schemas/. In a directory that is older, or after an
    update: ductile schema pipelines > schemas/pipelines.json, and in the first line of a file:
    "# yaml-language-server: $schema=../schemas/pipelines.json".
    """
    say(written(json_schema(name)).decode().rstrip("\n"))
