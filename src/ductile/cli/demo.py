"""`ductile demo`: the main job on this machine, offline, in seconds."""

from __future__ import annotations

from pathlib import Path

import click

from ductile.cli.commands import Command


@click.command(cls=Command)
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Leave everything there to look at.",
)
@click.option(
    "--captions",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Summarise this WebVTT file, not the speech that comes with the demo.",
)
def command(*, keep: Path | None, captions: Path | None) -> int:
    """Watch a chain of five jobs run, and check what it left behind.

    A signed Discord interaction comes in, its video's captions are fetched, summarised and
    searched for keywords, and the summary is posted, all on loopback. Needs no config
    directory. Exit code 1 if anything is not as promised.
    """
    from ductile.demo.command import run

    return run(keep, captions)
