"""`ductile db`: looks at the database and backs it up."""

from __future__ import annotations

from pathlib import Path

import click

from ductile.cli.commands import Asked, Group, json_option
from ductile.cli.output import paint, say, say_json
from ductile.cli.render.text import Style, counted, one_line, size
from ductile.cli.session import existing_database, ledger
from ductile.gateway.core import database_defects, serving
from ductile.model.job import JobStatus


@click.group(cls=Group)
def command() -> None:
    """The database: everything that was accepted, and what became of it."""


@command.command()
@json_option
@click.pass_obj
def status(asked: Asked, *, as_json: bool) -> None:
    """Show where the database is, who serves it and how much is to be done.

    With --json: {"database", "bytes", "gateway_pid", "queued", "running"}; gateway_pid is null
    if no gateway serves it.
    """
    with ledger(asked) as opened:
        opened.store.check()
        counts = opened.insights.counts()
        database = opened.settings.database
        pid = serving(opened.settings)
    queued, running = counts.get(JobStatus.QUEUED, 0), counts.get(JobStatus.RUNNING, 0)
    count = database.stat().st_size
    if as_json:
        say_json(
            {
                "database": str(database),
                "bytes": count,
                "gateway_pid": pid,
                "queued": queued,
                "running": running,
            }
        )
        return
    say(f"database  {database}  {size(count)}")
    say(f"gateway   {'none is running' if pid is None else f'process {pid}'}")
    say(f"jobs      {queued} queued, {running} running")


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(asked: Asked, file: Path) -> None:
    """Write a consistent copy of the database to FILE, which must not exist yet.

    A gateway that serves the database goes on meanwhile. Workspaces are not copied.
    """
    with ledger(asked) as opened:
        opened.store.backup(file)
    say(f"wrote {file}  {size(file.stat().st_size)}")


@command.command()
@json_option
@click.pass_obj
def check(asked: Asked, *, as_json: bool) -> int:
    """Have the database look for damage in its file, page by page, row by row.

    A gateway that serves the database goes on meanwhile. Exit code 1 if anything is wrong.
    What the rows say is for "ductile run verify --all". With --json: {"database", "sound",
    "defects": […]}.
    """
    settings = existing_database(asked)
    found = database_defects(settings)
    if as_json:
        say_json({"database": str(settings.database), "sound": not found, "defects": list(found)})
    else:
        for each in found:
            say(f"{paint()('damaged', Style.BAD)}  {one_line(each)}")
        verdict = counted(len(found), "defect") if found else paint()("sound", Style.GOOD)
        say(f"{verdict}  {settings.database}")
    return 1 if found else 0
