"""A chain written into a real database, one event of its life after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ductile.insights.insights import Insights
from ductile.insights.views import ChainView, JobView, RunView
from ductile.model.artifact import Artifact
from ductile.model.context import Context
from ductile.model.event import Event
from ductile.model.ids import EventId, RunId, new_id
from ductile.model.job import Job, JobStatus
from ductile.model.outcome import Attempt, Failed, Outcome, Response, Succeeded
from ductile.model.run import Failure, Phase, Run, RunStatus
from ductile.storage.interfaces import ArrivalRecord, SkipRecord, Store, Transaction
from tests.support.builders import HASH, LEASE, WORKER, a_context, a_job, a_run, an_event
from tests.support.clock import START, FakeClock

STEP_TIME = timedelta(seconds=2)


@dataclass(frozen=True)
class Written:
    """A settled job: the row that its success wrote and the event that it emitted."""

    job: Job
    context: Context
    event: Event


def job_of(chain: ChainView, job: Job) -> JobView:
    """What the chain shows of a job."""
    [view] = [each for each in chain.jobs if each.job.id == job.id]
    return view


def run_of(chain: ChainView, run: Run) -> RunView:
    """What the chain shows of a run."""
    [view] = [each for each in chain.runs if each.run.id == run.id]
    return view


class Story:
    """Tells what happens in one chain; every step takes two seconds."""

    definition = "{}"
    """Of the only version that runs."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self._store = store
        self._clock = clock
        self.insights = Insights(store, clock)
        self.event = an_event(type="video.posted", payload={"url": "u"})
        self.root = a_context(baggage={"url": "u", "origin_source": "webhook"})
        store.write(self._begin)

    def _begin(self, tx: Transaction) -> None:
        tx.versions.add(HASH, "wisdom", self.definition, START)
        tx.events.add(self.event)
        tx.contexts.add(self.root)

    def run(self, name: str = "wisdom", after: Written | None = None, **baggage: Any) -> Run:
        """A run that the first event started, or the event of a settled job."""
        event = after.event if after else self.event
        run = a_run(
            event,
            chain_id=self.event.chain_id,
            pipeline_name=name,
            parent_job_id=after.job.id if after else None,
            created_at=self._clock.now(),
        )
        self._store.write(lambda tx: tx.runs.add(run))
        if after:
            seed = self._grown(after.context, run.id, None, baggage)
            self._store.write(lambda tx: tx.contexts.add(seed))
        return run

    def job(
        self,
        step: str | None,
        run: Run | None = None,
        after: Written | None = None,
        join: str | None = None,
    ) -> Job:
        """A queued job that reads what came before it."""
        context = self._reads(run, after)
        job = a_job(
            after.event if after else self.event,
            context,
            chain_id=self.event.chain_id,
            plugin=step or "receiver",
            step_id=step,
            run_id=run.id if run else None,
            parent_job_id=after.job.id if after else None,
            join_id=join,
            created_at=self._clock.now(),
        )
        self._store.write(lambda tx: tx.jobs.add(job))
        return job

    def succeed(self, job: Job, *, artifacts: tuple[Artifact, ...] = (), **updates: Any) -> Written:
        """An attempt that succeeds and adds `updates` to the baggage."""
        running = self._claim(job)
        context = self._grown(self._context(job), job.run_id, job.step_id, updates)
        event = an_event(
            type=f"{job.plugin}.done", chain_id=job.chain_id, job_id=job.id, source=job.plugin
        )
        attempt = self._attempt(Succeeded(Response(result="done"), artifacts), exit_code=0)

        def work(tx: Transaction) -> None:
            tx.contexts.add(context)
            tx.events.add(event)
            tx.artifacts.add(job.id, artifacts)
            tx.jobs.finish(
                running.claim, JobStatus.SUCCEEDED, now=attempt.completed_at, wrote=context.id
            )
            tx.jobs.log(running.claim, attempt, status="succeeded")

        self._store.write(work)
        return Written(job, context, event)

    def another_event(self, written: Written) -> Written:
        """The same settled job, with a second event that it emitted."""
        event = replace(written.event, id=EventId(new_id()))
        self._store.write(lambda tx: tx.events.add(event))
        return replace(written, event=event)

    def fail(self, job: Job, error: str, *, again: bool = False) -> None:
        """An attempt that fails, for good unless `again`."""
        running = self._claim(job)
        attempt = self._attempt(Failed(error), stderr="line one\nline two\n")

        def work(tx: Transaction) -> None:
            if again:
                due = self._clock.now() + 2 * STEP_TIME
                tx.jobs.retry(running.claim, due=due, error=error)
            else:
                tx.jobs.finish(
                    running.claim, JobStatus.FAILED, now=attempt.completed_at, error=error
                )
            tx.jobs.log(running.claim, attempt, status="failed")

        self._store.write(work)

    def end_run(self, run: Run, failure: Failure | None = None) -> None:
        """The last open job of a run is terminal."""
        now = self._clock.now()
        status = RunStatus.FAILED if failure else RunStatus.SUCCEEDED

        def work(tx: Transaction) -> None:
            tx.runs.advance(run.id, by=-run.open_jobs, failure=failure)
            tx.runs.finish(run.id, status, now=now, reason="it went wrong" if failure else None)

        self._store.write(work)

    def move(self, run: Run, phase: Phase) -> None:
        """The run goes on with another part of its pipeline."""
        self._store.write(lambda tx: tx.runs.move(run.id, phase))

    def skip(self, run: Run, step: str, reason: str, after: Written | None = None) -> None:
        """A step of the run is passed by."""
        skip = SkipRecord(
            run.id,
            step,
            after.job.id if after else None,
            after.event.id if after else self.event.id,
            reason,
            self._clock.now(),
        )
        self._store.write(lambda tx: tx.joins.skip(skip))

    def arrive(self, join: str, after: Written, position: int = 0) -> None:
        """A settled job has come to a join."""
        assert after.job.run_id is not None
        assert after.job.step_id is not None
        arrival = ArrivalRecord(
            after.job.run_id,
            join,
            after.job.step_id,
            position,
            after.event.id,
            after.context.id,
            after.job.id,
            self._clock.now(),
        )
        self._store.write(lambda tx: tx.joins.arrive(arrival))

    def chain(self, job: Job) -> ChainView:
        """The view of the chain as it stands."""
        return self.insights.chain_of(job.id)

    def _claim(self, job: Job) -> Job:
        due = self.insights.job(job.id).next_retry_at
        self._clock.advance(max(due - self._clock.now(), timedelta()) if due else timedelta())
        now = self._clock.now()
        [running] = self._store.write(
            lambda tx: tx.jobs.claim(WORKER, limit=1, lease=LEASE, now=now, parallelism={})
        )
        assert running.id == job.id, "an older job was ready"
        return running

    def _attempt(self, outcome: Outcome, **fields: Any) -> Attempt:
        started = self._clock.now()
        self._clock.advance(STEP_TIME)
        fields = {"exit_code": 1, **fields}
        return Attempt(outcome, started, self._clock.now(), **fields)

    def _reads(self, run: Run | None, after: Written | None) -> Context:
        if after is None:
            return self.root
        if run is None or run.id == after.job.run_id:
            return after.context
        [seed] = [each for each in self._contexts() if each.run_id == run.id and not each.step_id]
        return seed

    def _contexts(self) -> list[Context]:
        chain = self._store.read(lambda tx: tx.views.chain(self.event.chain_id))
        return list(chain.contexts)

    def _context(self, job: Job) -> Context:
        found = self._store.read(lambda tx: tx.contexts.get(job.event_context_id))
        assert found is not None
        return found

    def _grown(
        self, parent: Context, run_id: RunId | None, step: str | None, updates: dict[str, Any]
    ) -> Context:
        return a_context(parent, baggage={**parent.baggage, **updates}, run_id=run_id, step_id=step)
