"""Lists of jobs, runs, pipelines and plugins as tables."""

from __future__ import annotations

from collections.abc import Sequence

from ductile.cli.render.table import Cell, table
from ductile.cli.render.text import Paint, Style, moment, short_hash, style_of
from ductile.dsl.graph import Pipeline, Step
from ductile.model.job import Job
from ductile.model.run import Run
from ductile.plugin.manifest import Manifest


def job_table(jobs: Sequence[Job], paint: Paint, *, width: int | None = None) -> str:
    """One line per job, in the given order."""
    rows = [
        (
            job.id,
            Cell(job.status, style_of(job.status)),
            moment(job.created_at),
            f"{job.plugin}.{job.command}",
            job.step_id or "",
        )
        for job in jobs
    ]
    return table(("id", "status", "queued (UTC)", "runs", "step"), rows, paint, width=width)


def run_table(runs: Sequence[Run], paint: Paint, *, width: int | None = None) -> str:
    """One line per run, in the given order."""
    rows = [
        (
            run.id,
            Cell(run.status, style_of(run.status)),
            moment(run.created_at),
            run.pipeline_name,
            Cell(short_hash(run.pipeline_hash), Style.DIM),
        )
        for run in runs
    ]
    return table(("id", "status", "began (UTC)", "pipeline", "version"), rows, paint, width=width)


def pipeline_table(pipelines: Sequence[Pipeline], paint: Paint, *, width: int | None = None) -> str:
    """One line per pipeline, in the given order."""
    rows = [
        (
            each.name,
            each.on,
            str(len(each.steps)),
            Cell(short_hash(each.hash), Style.DIM),
            each.description,
        )
        for each in pipelines
    ]
    return table(("name", "on", "steps", "version", "description"), rows, paint, width=width)


def plugin_table(
    plugins: Sequence[tuple[Manifest, bool]], paint: Paint, *, width: int | None = None
) -> str:
    """One line per plugin, in the given order; each with whether it is enabled."""
    rows = [
        (
            each.name,
            each.version,
            Cell("enabled", Style.GOOD) if enabled else Cell("disabled", Style.BUSY),
            ", ".join(each.commands),
            each.description,
        )
        for each, enabled in plugins
    ]
    headings = ("name", "version", "state", "commands", "description")
    return table(headings, rows, paint, width=width)


def step_table(pipeline: Pipeline, paint: Paint, *, width: int | None = None) -> str:
    """One line per step of a pipeline, and what follows it."""
    rows = [_step(each) for each in pipeline.steps.values()]
    return table(("step", "uses", "then"), rows, paint, width=width)


def _step(step: Step) -> tuple[Cell | str, ...]:
    return Cell(step.id, Style.BOLD), f"{step.plugin}.{step.command}", ", ".join(step.next) or "end"
