"""The JSON shapes that only the API has."""

from __future__ import annotations

from ductile.dispatch.interfaces import Accepted
from ductile.dsl.graph import Pipeline
from ductile.insights.shapes import run_json
from ductile.insights.views import ChainView, JobView
from ductile.model.ids import RunId
from ductile.model.json import Json, JsonObject
from ductile.model.run import Phase
from ductile.plugin.manifest import Manifest


def accepted_json(accepted: Accepted) -> dict[str, Json]:
    """What is on disk now; `duplicate_of` only where it was there before."""
    ids: dict[str, Json] = {
        "event_id": accepted.event_id,
        "run_ids": accepted.run_ids,
        "job_ids": accepted.job_ids,
    }
    if accepted.duplicate_of is not None:
        ids["duplicate_of"] = accepted.duplicate_of
    return ids


def result_json(chain: ChainView, run_id: RunId) -> dict[str, Json]:
    """A run that has ended: `{run, status, context, results}`.

    `context` is the baggage of the last context that the steps wrote, those of `on_failure` and
    `finally` aside. `results` has one `{step, job_id, status, result, error}` for each job, in
    tree order.
    """
    [run] = [each.run for each in chain.runs if each.run.id == run_id]
    jobs = [each for each in chain.jobs if each.job.run_id == run_id]
    return {
        "run": run_json(run),
        "status": run.status.value,
        "context": dict(_last_baggage(chain, jobs)),
        "results": [_result(each) for each in jobs],
    }


def _last_baggage(chain: ChainView, jobs: list[JobView]) -> JsonObject:
    contexts = [each.context for each in jobs if each.context and each.phase is Phase.MAIN]
    if not contexts:
        return chain.baggage
    return max(contexts, key=lambda context: (context.created_at, context.id)).baggage


def _result(view: JobView) -> dict[str, Json]:
    return {
        "step": view.job.step_id,
        "job_id": view.job.id,
        "status": view.job.status.value,
        "result": view.attempts[-1].result if view.attempts else None,
        "error": view.job.last_error,
    }


def pipeline_json(pipeline: Pipeline) -> dict[str, Json]:
    """A pipeline that is in force; `hash` is its version."""
    return {
        "name": pipeline.name,
        "on": list(pipeline.on),
        "from": pipeline.source,
        "description": pipeline.description,
        "hash": pipeline.hash,
        "steps": [
            {"id": step.id, "plugin": step.plugin, "command": step.command}
            for step in pipeline.steps.values()
        ],
    }


def plugin_json(manifest: Manifest, *, enabled: bool) -> dict[str, Json]:
    """A plugin; where it is on this machine is nobody's business."""
    return {
        "name": manifest.name,
        "version": manifest.version,
        "enabled": enabled,
        "description": manifest.description,
        "concurrency_safe": manifest.concurrency_safe,
        "commands": [
            {
                "name": each.name,
                "type": each.type.value,
                "description": each.description,
                "input_schema": each.input_schema,
                "output_schema": each.output_schema,
            }
            for each in manifest.commands.values()
        ],
    }
