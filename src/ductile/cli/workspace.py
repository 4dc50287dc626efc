"""`ductile workspace`: finds the files of a job and deletes what has expired."""

from __future__ import annotations

import click

from ductile.cli.commands import Asked, Group, json_option
from ductile.cli.output import note, say, say_json
from ductile.cli.render.text import counted
from ductile.cli.session import ledger
from ductile.documents.scalars import format_duration
from ductile.errors import WorkspaceError
from ductile.gateway.core import make_janitor, open_workspaces
from ductile.telemetry.hub import Telemetry
from ductile.workspace.interfaces import WorkspaceKey


@click.group(cls=Group)
def command() -> None:
    """Workspaces: the directories that jobs work in."""


@command.command()
@click.argument("job_id", metavar="JOB")
@json_option
@click.pass_obj
def path(asked: Asked, job_id: str, *, as_json: bool) -> None:
    """Print the directory of a job's latest attempt.

    Fails if it is not there: not made yet, or deleted already. With --json: {"job_id",
    "attempt", "path", "committed"}; committed says whether the job succeeded.
    """
    with ledger(asked) as opened:
        job = opened.insights.job(job_id)
    if job.attempt == 0:
        raise WorkspaceError(f"job {job.id} has no workspace yet: it waits for its first attempt")
    workspaces = open_workspaces(opened.settings, opened.clock)
    directory = workspaces.path(WorkspaceKey(job.id, job.attempt))
    if not directory.is_dir():
        ttl = format_duration(opened.settings.workspace.ttl)
        raise WorkspaceError(
            f'the workspace of job {job.id} is not there any more ("workspace.ttl" is {ttl}); '
            f'"ductile job inspect {job.id}" tells what was in it'
        )
    if as_json:
        say_json(
            {
                "job_id": job.id,
                "attempt": job.attempt,
                "path": str(directory),
                "committed": job.status == "succeeded",
            }
        )
    else:
        say(str(directory))


@command.command()
@click.pass_obj
def clean(asked: Asked) -> int:
    """Delete the workspaces that have expired, as a running gateway does by itself.

    A chain's workspaces expire "workspace.ttl" after its last job ended.
    """
    with ledger(asked) as opened:
        ttl = opened.settings.workspace.ttl
        janitor = make_janitor(opened.settings, opened.store, opened.clock, Telemetry())
        report = janitor.run_once()
    say(f"deleted {counted(len(report.deleted), 'workspace')} older than {format_duration(ttl)}")
    for name, error in report.failures.items():
        note(f"not deleted: {name}: {error}")
    return 1 if report.failures else 0
