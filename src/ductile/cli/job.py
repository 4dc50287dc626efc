"""`ductile job`: lists jobs and looks into the whole chain of one."""

from __future__ import annotations

import click

from ductile.cli.commands import Asked, Group, json_option, page_options
from ductile.cli.output import paint, say, say_json, width
from ductile.cli.render.chain import chain_tree
from ductile.cli.render.lists import job_table
from ductile.cli.session import ledger
from ductile.insights.shapes import chain_json, job_json
from ductile.model.ids import JobId
from ductile.model.job import JobStatus


@click.group(cls=Group)
def command() -> None:
    """Jobs: durable units of work, each one command of one plugin."""


@command.command("list")
@click.option("--status", type=click.Choice([each.value for each in JobStatus]))
@click.option("--plugin", metavar="NAME", help="Only jobs of this plugin.")
@page_options
@json_option
@click.pass_obj
def list_jobs(
    asked: Asked,
    *,
    status: str | None,
    plugin: str | None,
    before: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show jobs, newest first.

    With --json: {"jobs": […]}, each with the columns of job_queue.
    """
    with ledger(asked) as opened:
        jobs = opened.insights.job_list(
            limit=limit,
            status=JobStatus(status) if status else None,
            plugin=plugin,
            before=opened.insights.job(before).id if before else None,
        )
    if as_json:
        say_json({"jobs": [job_json(job) for job in jobs]})
    else:
        say(job_table(jobs, paint(), width=width()) if jobs else "no jobs")


@command.command()
@click.argument("job_id", metavar="ID")
@json_option
@click.pass_obj
def inspect(asked: Asked, job_id: str, *, as_json: bool) -> None:
    """Show the whole chain of a job, as a tree.

    What each step came to, how long it took, what it added to the baggage, and its files.
    With --json: the same, nothing shortened; {"event", "runs": […], "jobs": […], …}.
    """
    with ledger(asked) as opened:
        chain = opened.insights.chain_of(JobId(job_id))
    if as_json:
        say_json(chain_json(chain))
    else:
        say(chain_tree(chain, paint(), width=width()))
