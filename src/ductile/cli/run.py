"""`ductile run`: lists runs and looks into one."""

from __future__ import annotations

import click

from ductile.cli.commands import Asked, Group, json_option, page_options
from ductile.cli.output import paint, say, say_json, width
from ductile.cli.render.chain import chain_tree
from ductile.cli.render.lists import run_table
from ductile.cli.session import ledger, usable_configuration
from ductile.cli.verifying import tell
from ductile.errors import UsageError
from ductile.gateway.core import cancel_run, open_ledger, serving
from ductile.gateway.verification import make_verifier
from ductile.insights.shapes import chain_json, run_json
from ductile.model.clock import SystemClock
from ductile.model.ids import RunId
from ductile.model.run import RunStatus


@click.group(cls=Group)
def command() -> None:
    """Runs: executions of one version of a pipeline."""


@command.command("list")
@click.option("--status", type=click.Choice([each.value for each in RunStatus]))
@click.option("--pipeline", metavar="NAME", help="Only runs of this pipeline.")
@page_options
@json_option
@click.pass_obj
def list_runs(
    asked: Asked,
    *,
    status: str | None,
    pipeline: str | None,
    before: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show runs, newest first.

    With --json: {"runs": […]}, each with the columns of pipeline_run.
    """
    with ledger(asked) as opened:
        runs = opened.insights.run_list(
            limit=limit,
            status=RunStatus(status) if status else None,
            pipeline=pipeline,
            before=opened.insights.run(before).id if before else None,
        )
    if as_json:
        say_json({"runs": [run_json(run) for run in runs]})
    else:
        say(run_table(runs, paint(), width=width()) if runs else "no runs")


@command.command()
@click.argument("run_id", metavar="ID")
@json_option
@click.pass_obj
def show(asked: Asked, run_id: str, *, as_json: bool) -> None:
    """Show a run within the chain that it belongs to, as a tree.

    With --json: like "ductile job inspect --json"; the run is the one in "runs" whose id is
    "asked".
    """
    with ledger(asked) as opened:
        chain = opened.insights.chain_of_run(run_id)
    if as_json:
        say_json(chain_json(chain))
    else:
        say(chain_tree(chain, paint(), width=width()))


@command.command()
@click.argument("some_id", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="Verify every chain there is.")
@json_option
@click.pass_obj
def verify(asked: Asked, some_id: str | None, *, everything: bool, as_json: bool) -> int:
    """Recompute what was committed: files, contexts and pipeline hashes.

    ID is that of a run, of a job, or of the event that started a chain. Every file is read.
    Problems come first, then a summary; what has expired is no problem. Exit code 1 if anything
    is wrong. With --json: {"intact", "checked", "files": […], "ledger": […], "not_listed"}.
    """
    if everything == (some_id is not None):
        raise UsageError("expected either an ID or --all; give one of them")
    with ledger(asked) as opened:
        verifier = make_verifier(opened.settings, opened.store, opened.clock)
        verdicts = verifier.all() if some_id is None else [verifier.verify(verifier.part(some_id))]
        return 0 if tell(verdicts, as_json=as_json) else 1


@command.command()
@click.argument("run_id", metavar="ID")
@click.pass_obj
def cancel(asked: Asked, run_id: str) -> None:
    """End a run: what is queued is cancelled, what is running is stopped.

    Steps under "finally" still run. A gateway that serves the database does the stopping,
    within a second.
    """
    found = usable_configuration(asked)
    settings, _, _ = found.parts()
    clock = SystemClock()
    store = open_ledger(settings, clock, writing=True)
    try:
        run = cancel_run(found, store, clock, RunId(run_id))
        busy = serving(settings) is not None
    finally:
        store.close()
    if run.status.terminal:
        say(f"run {run.id} ended as {run.status}")
    elif busy:
        say(f"run {run.id} is being cancelled")
    else:
        say(f'run {run.id} is to be cancelled; the rest of it is done by "ductile serve"')
