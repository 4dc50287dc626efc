"""Lists of jobs, runs, pipelines and plugins as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ductile.cli.render.table import Cell, table
from ductile.cli.render.text import Paint, Style, moment, short_hash, style_of
from ductile.dsl.graph import Pipeline
from ductile.model.delivery import Delivery, DeliveryVerdict
from ductile.model.ids import PipelineHash
from ductile.model.job import Job
from ductile.model.run import Run
from ductile.plugin.manifest import Manifest

#: How many runs are in flight, by name of their pipeline and by version.
InFlight: TypeAlias = Mapping[str, Mapping[PipelineHash, int]]


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


def delivery_table(
    deliveries: Sequence[Delivery], paint: Paint, *, width: int | None = None
) -> str:
    """One line per delivery, in the given order."""
    rows = [
        (
            each.id,
            Cell(each.verdict, verdict_style(each.verdict)),
            "" if each.status is None else str(each.status),
            each.endpoint,
            moment(each.received_at),
            each.reason or each.delivery_id or "",
        )
        for each in deliveries
    ]
    headings = ("id", "verdict", "status", "endpoint", "received (UTC)", "reason, or sender's id")
    return table(headings, rows, paint, width=width)


def verdict_style(verdict: DeliveryVerdict) -> Style:
    """How a verdict looks: good if something was started, bad if it was refused."""
    if verdict.started:
        return Style.GOOD
    return Style.BAD if verdict is DeliveryVerdict.REFUSED else Style.BUSY


def pipeline_table(
    pipelines: Sequence[Pipeline],
    in_flight: InFlight,
    paint: Paint,
    *,
    width: int | None = None,
) -> str:
    """One line per pipeline, in the given order."""
    rows = [
        (
            each.name,
            ", ".join(each.on),
            str(len(each.steps)),
            Cell(short_hash(each.hash), Style.DIM),
            Cell(_running(in_flight.get(each.name, {})), Style.BUSY),
            each.description,
        )
        for each in pipelines
    ]
    headings = ("name", "on", "steps", "version", "running", "description")
    return table(headings, rows, paint, width=width)


def _running(by_version: Mapping[PipelineHash, int]) -> str:
    """`2 of 1a2b3c4d, 1 of 5e6f7a8b`: runs in flight by version."""
    return ", ".join(f"{count} of {short_hash(each)}" for each, count in by_version.items())


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
