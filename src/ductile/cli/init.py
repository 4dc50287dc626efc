"""`ductile init`: makes a config directory that works at once."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Final

import click

from ductile.cli.commands import Command
from ductile.cli.json_schemas import MODELS, json_schema, written
from ductile.cli.output import say
from ductile.errors import DuctileError, UsageError

_SCAFFOLD: Final = Path(__file__).with_name("scaffold")


@click.command(cls=Command)
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
def command(directory: Path) -> None:
    """Make a config directory with a pipeline and a plugin that work at once.

    DIR must not exist yet, or be empty.
    """
    try:
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise UsageError(
                f'"{directory}" is there already, and nothing in it is overwritten; '
                "name a directory that is empty or does not exist yet"
            )
        _copy(directory)
    except OSError as error:
        raise DuctileError(
            f'cannot write "{error.filename}": {error.strerror}; name a directory that this '
            "user may write to"
        ) from error
    here = shlex.quote(str(directory))
    say(
        f"""made {directory}
  config.yaml            what can be set, with comments
  pipelines/hello.yaml   one pipeline of two steps
  plugins/hello/         one plugin, in POSIX shell
  schemas/               what editors complete and check these files by

next:
  ductile --config {here} config check
  ductile --config {here} pipeline run hello --payload '{{"name": "world"}}'
  ductile --config {here} serve"""
    )


def _copy(directory: Path) -> None:
    shutil.copytree(_SCAFFOLD, directory, dirs_exist_ok=True)
    schemas = directory / "schemas"
    schemas.mkdir()
    for name in MODELS:
        (schemas / f"{name}.json").write_bytes(written(json_schema(name)))
    # A wide umask, or an installer that drops executable bits, must not make a plugin untrusted.
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.suffix == ".sh" else 0o644)
