"""Values with everything filled in but what a test is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from ductile.model.artifact import Artifact, Change
from ductile.model.context import Context
from ductile.model.delivery import Delivery, DeliveryVerdict
from ductile.model.event import Event
from ductile.model.ids import (
    ChainId,
    ContextId,
    DeliveryId,
    EventId,
    JobId,
    PipelineHash,
    RunId,
    WorkerId,
    new_id,
)
from ductile.model.job import Job
from ductile.model.outcome import Attempt, Failed, Outcome
from ductile.model.run import Failure, Run
from ductile.storage.interfaces import ArrivalRecord, Store, Transaction
from tests.support.clock import START

WORKER: Final = WorkerId("worker-1")
LEASE: Final = timedelta(seconds=60)
HASH: Final = PipelineHash("blake3:" + 64 * "0")


def an_event(**fields: Any) -> Event:
    """An event from outside, which starts a chain of its own."""
    event_id = fields.pop("id", None) or EventId(new_id())
    event = Event(
        id=event_id,
        type="video.posted",
        payload={"url": "https://example.org/watch"},
        source="webhook",
        timestamp=START,
        chain_id=ChainId(event_id),
    )
    return replace(event, **fields)


def a_context(parent: Context | None = None, **fields: Any) -> Context:
    """A root context, or one that grew from `parent`."""
    context = Context(
        id=ContextId(new_id()),
        parent_id=parent.id if parent else None,
        hop=parent.hop + 1 if parent else 0,
        baggage={"channel_id": "C1"},
        created_at=START,
    )
    return replace(context, **fields)


def a_job(event: Event | None = None, context: Context | None = None, **fields: Any) -> Job:
    """A queued job, created when the event happened."""
    event = event or an_event()
    job = Job(
        id=JobId(new_id()),
        chain_id=event.chain_id,
        plugin="echo",
        command="handle",
        event_context_id=context.id if context else ContextId(new_id()),
        source_event_id=event.id,
        submitted_by=event.source,
        created_at=event.timestamp,
        max_attempts=4,
    )
    return replace(job, **fields)


def a_run(event: Event, **fields: Any) -> Run:
    """A run that an external event started, with one open job."""
    run = Run(
        id=RunId(new_id()),
        chain_id=event.chain_id,
        pipeline_name="wisdom",
        pipeline_hash=HASH,
        event_id=event.id,
        depth=1,
        created_at=event.timestamp,
        open_jobs=1,
    )
    return replace(run, **fields)


def a_failure(**fields: Any) -> Failure:
    """What made a run fail."""
    failure = Failure(
        pipeline="wisdom",
        step="fetch",
        job_id=JobId(new_id()),
        plugin="captions",
        error="no luck",
        attempts=4,
    )
    return replace(failure, **fields)


def a_file(path: str, change: Change = Change.ADDED, **fields: Any) -> Artifact:
    """A change of five bytes at `path`, or its removal."""
    content = {} if change is Change.REMOVED else {"size": 5, "mode": 0o444, "blake3": "ab" * 32}
    return Artifact(path, change, **{**content, **fields})


def an_attempt(outcome: Outcome | None = None, **fields: Any) -> Attempt:
    """An attempt that failed after a second, unless told otherwise."""
    attempt = Attempt(
        outcome=outcome or Failed("no luck"),
        started_at=START,
        completed_at=START + timedelta(seconds=1),
        exit_code=1,
    )
    return replace(attempt, **fields)


def stored_job(store: Store, **fields: Any) -> Job:
    """A job in the database, alone in a chain of its own."""
    return store.write(lambda tx: store_job(tx, **fields))


def store_job(tx: Transaction, *, created_at: datetime = START, **fields: Any) -> Job:
    """Like `stored_job`, within a transaction."""
    event, context = an_event(timestamp=created_at), a_context()
    job = a_job(event, context, **fields)
    tx.events.add(event)
    tx.contexts.add(context)
    tx.jobs.add(job)
    return job


def stored_child(store: Store, parent: Job, **fields: Any) -> Job:
    """A job that follows from an event which `parent` emitted."""

    def work(tx: Transaction) -> Job:
        event = an_event(chain_id=parent.chain_id, job_id=parent.id)
        before = tx.contexts.get(parent.event_context_id)
        context = a_context(before)
        job = a_job(event, context, parent_job_id=parent.id, **fields)
        tx.events.add(event)
        tx.contexts.add(context)
        tx.jobs.add(job)
        return job

    return store.write(work)


def stored_run(store: Store, event: Event | None = None, **fields: Any) -> Run:
    """A run in the database, of an event that is stored if it is given."""
    event_of_run = event or an_event()
    run = a_run(event_of_run, **fields)

    def work(tx: Transaction) -> Run:
        if event is None:
            tx.events.add(event_of_run)
        tx.versions.add(run.pipeline_hash, run.pipeline_name, "{}", run.created_at)
        tx.runs.add(run)
        return run

    return store.write(work)


def stored_arrival(store: Store, job: Job, *, join_id: str, **fields: Any) -> ArrivalRecord:
    """A job of a run that arrived at a join with the event and the context that it read."""
    assert job.run_id is not None
    arrival = ArrivalRecord(
        run_id=job.run_id,
        join_id=join_id,
        source=job.step_id or "fetch",
        position=0,
        event_id=job.source_event_id,
        context_id=job.event_context_id,
        job_id=job.id,
        created_at=job.created_at,
    )
    arrival = replace(arrival, **fields)
    store.write(lambda tx: tx.joins.arrive(arrival))
    return arrival


def a_delivery(**fields: Any) -> Delivery:
    """A delivery that was refused."""
    delivery = Delivery(
        id=DeliveryId(new_id()),
        received_at=START,
        endpoint="hook",
        scheme="github",
        verdict=DeliveryVerdict.REFUSED,
        status=401,
        reason="the signature is wrong",
        size=2,
    )
    return replace(delivery, **fields)


def recorded(store: Store, job: Job, *artifacts: Artifact) -> None:
    """Note what a job changed in its workspace."""
    store.write(lambda tx: tx.artifacts.add(job.id, artifacts))


def claimed(
    store: Store, *, limit: int = 1, now: datetime = START, worker: WorkerId = WORKER, **limits: int
) -> list[Job]:
    """Jobs claimed by a worker; `limits` are the parallelism of plugins."""
    return list(
        store.write(
            lambda tx: tx.jobs.claim(worker, limit=limit, lease=LEASE, now=now, parallelism=limits)
        )
    )
