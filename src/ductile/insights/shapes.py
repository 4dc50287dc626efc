"""The JSON shapes of what readers get to see: the same for `--json`, API and web."""

from __future__ import annotations

from datetime import datetime

from ductile.insights.views import BaggageChange, ChainView, JobView, RunView
from ductile.model.artifact import Artifact
from ductile.model.clock import to_text
from ductile.model.delivery import Delivery
from ductile.model.event import Event
from ductile.model.job import Job
from ductile.model.json import Json
from ductile.model.run import Run
from ductile.storage.interfaces import ArrivalRecord, AttemptRecord, SkipRecord


def job_json(job: Job) -> dict[str, Json]:
    """One job. Keys are the columns of `job_queue`; times are UTC text or null.

    `tries` is the number of attempts that count towards `max_attempts`.
    """
    return {
        "id": job.id,
        "chain_id": job.chain_id,
        "run_id": job.run_id,
        "step_id": job.step_id,
        "plugin": job.plugin,
        "command": job.command,
        "status": job.status.value,
        "attempt": job.attempt,
        "tries": job.tries,
        "max_attempts": job.max_attempts,
        "parent_job_id": job.parent_job_id,
        "join_id": job.join_id,
        "source_event_id": job.source_event_id,
        "event_context_id": job.event_context_id,
        "dedupe_key": job.dedupe_key,
        "submitted_by": job.submitted_by,
        "workspace": job.workspace.value,
        "created_at": to_text(job.created_at),
        "started_at": _moment(job.started_at),
        "completed_at": _moment(job.completed_at),
        "next_retry_at": _moment(job.next_retry_at),
        "last_error": job.last_error,
    }


def run_json(run: Run) -> dict[str, Json]:
    """One run. Times are UTC text or null.

    `phase` is the part of its pipeline that it is in, or was in at its end: `main`,
    `on_failure` or `finally`. `reason` says why it came to another end than success; `failure`
    is the first job of it that failed for good, or null: `{pipeline, step, job_id, plugin,
    error, attempts}`.
    """
    return {
        "id": run.id,
        "chain_id": run.chain_id,
        "pipeline_name": run.pipeline_name,
        "pipeline_hash": run.pipeline_hash,
        "status": run.status.value,
        "phase": run.phase.value,
        "reason": run.reason,
        "failure": run.failure and run.failure.as_json(),
        "event_id": run.event_id,
        "depth": run.depth,
        "parent_run_id": run.parent_run_id,
        "parent_job_id": run.parent_job_id,
        "open_jobs": run.open_jobs,
        "created_at": to_text(run.created_at),
        "deadline_at": _moment(run.deadline_at),
        "completed_at": _moment(run.completed_at),
    }


def delivery_json(delivery: Delivery) -> dict[str, Json]:
    """One row of the inbox. Keys are the columns of `delivery`; `received_at` is UTC text.

    `delivery_id` is what the sender calls it, and `size` is in bytes; both may be null.
    """
    return {
        "id": delivery.id,
        "received_at": to_text(delivery.received_at),
        "endpoint": delivery.endpoint,
        "scheme": delivery.scheme,
        "verdict": delivery.verdict.value,
        "status": delivery.status,
        "reason": delivery.reason,
        "delivery_id": delivery.delivery_id,
        "size": delivery.size,
        "event_id": delivery.event_id,
    }


def chain_json(chain: ChainView) -> dict[str, Json]:
    """A whole chain.

    `{id, status, asked, as_of, completed_at, event, baggage, runs: […], jobs: […]}`.

    * `asked`: the id of the job or run that the chain was found by, or null.
    * `event`: what started it: `{id, type, payload, source, timestamp, dedupe_key}`.
    * `baggage`: what it started with, payload and origin anchor.
    * `runs`: like `run_json`, and `jobs` (ids in tree order), `baggage` (a change, below),
      `skips` (steps that were passed by: `{step_id, reason, parent_job_id, event_id,
      created_at}`) and `arrivals` (what came to its joins: `{join_id, source, job_id, event_id,
      context_id, created_at}`; `source` is the node that it came from).
    * `jobs`: in tree order, each before its children; like `job_json`, and `phase` (the part of
      the pipeline that its step belongs to), `depth`, `children` (ids), `attempts`, `context`
      (`{id, parent_id, hop}`, null unless it succeeded), `baggage` (a change), `events` (those
      it emitted, as above), `artifacts`. One with a `join_id` follows what arrived there.
    * a change of baggage: `{added: {key: value}, changed: {key: {before, after}}}`.
    * an attempt: `{attempt, status, started_at, completed_at, exit_code, error, result, logs:
      [{level, message}], stderr}`.
    * an artifact: `{path, change, size, mode, blake3, symlink, tainted_by}`; `mode` is octal
      text.
    """
    return {
        "id": chain.id,
        "status": chain.status.value,
        "asked": chain.asked,
        "as_of": to_text(chain.as_of),
        "completed_at": _moment(chain.completed_at),
        "event": _event(chain.event),
        "baggage": dict(chain.baggage),
        "runs": [_run_view(each) for each in chain.runs],
        "jobs": [_job_view(each) for each in chain.jobs],
    }


def _run_view(view: RunView) -> dict[str, Json]:
    return {
        **run_json(view.run),
        "jobs": list(view.jobs),
        "baggage": _change(view.baggage),
        "skips": [_skip(each) for each in view.skips],
        "arrivals": [_arrival(each) for each in view.arrivals],
    }


def _skip(skip: SkipRecord) -> dict[str, Json]:
    return {
        "step_id": skip.step_id,
        "reason": skip.reason,
        "parent_job_id": skip.parent_job_id,
        "event_id": skip.event_id,
        "created_at": to_text(skip.created_at),
    }


def _arrival(arrival: ArrivalRecord) -> dict[str, Json]:
    return {
        "join_id": arrival.join_id,
        "source": arrival.source,
        "job_id": arrival.job_id,
        "event_id": arrival.event_id,
        "context_id": arrival.context_id,
        "created_at": to_text(arrival.created_at),
    }


def _job_view(view: JobView) -> dict[str, Json]:
    context = view.context
    return {
        **job_json(view.job),
        "phase": view.phase.value,
        "depth": view.depth,
        "children": list(view.children),
        "attempts": [_attempt(each) for each in view.attempts],
        "context": context
        and {"id": context.id, "parent_id": context.parent_id, "hop": context.hop},
        "baggage": _change(view.baggage),
        "events": [_event(each) for each in view.emitted],
        "artifacts": [_artifact(each) for each in view.artifacts],
    }


def _attempt(attempt: AttemptRecord) -> dict[str, Json]:
    return {
        "attempt": attempt.attempt,
        "status": attempt.status,
        "started_at": to_text(attempt.started_at),
        "completed_at": to_text(attempt.completed_at),
        "exit_code": attempt.exit_code,
        "error": attempt.error,
        "result": attempt.result,
        "logs": [{"level": each.level, "message": each.message} for each in attempt.logs],
        "stderr": attempt.stderr,
    }


def _artifact(artifact: Artifact) -> dict[str, Json]:
    return {
        # JSON has no way to write bytes that are not UTF-8.
        "path": artifact.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        "change": artifact.change.value,
        "size": artifact.size,
        "mode": f"{artifact.mode:04o}",
        "blake3": artifact.blake3,
        "symlink": artifact.symlink,
        "tainted_by": artifact.tainted_by,
    }


def _event(event: Event) -> dict[str, Json]:
    return {
        "id": event.id,
        "type": event.type,
        "payload": dict(event.payload),
        "source": event.source,
        "timestamp": to_text(event.timestamp),
        "dedupe_key": event.dedupe_key,
    }


def _change(change: BaggageChange) -> dict[str, Json]:
    return {
        "added": dict(change.added),
        "changed": {
            key: {"before": each.before, "after": each.after}
            for key, each in change.changed.items()
        },
    }


def _moment(moment: datetime | None) -> str | None:
    return to_text(moment) if moment else None
