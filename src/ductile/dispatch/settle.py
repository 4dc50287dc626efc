"""Settle: everything that follows from an outcome, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, assert_never

import ductile.dispatch.dedupe as dedupe
from ductile.dispatch.assignment import Assignment, Claimed
from ductile.dispatch.conductor import Conductor, Moved, before, tell
from ductile.dispatch.interfaces import Follow
from ductile.dispatch.plan import Origin, Plan, log_lines
from ductile.dispatch.planner import Planner, TooDeep
from ductile.dispatch.policies import Policies
from ductile.errors import Refused, Violation
from ductile.model.clock import Clock
from ductile.model.job import Job, JobStatus
from ductile.model.outcome import (
    Attempt,
    Crashed,
    Failed,
    Interrupted,
    Outcome,
    Response,
    Succeeded,
    TimedOut,
)
from ductile.model.run import Failure, Phase, Run
from ductile.queue import retry
from ductile.storage.interfaces import Store, Transaction
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import (
    BaggageKeyQuestioned,
    EventRepeated,
    FileTainted,
    JobSettled,
)

#: Bytes of JSON that a plugin may remember from one run to the next.
MAX_STATE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Decision:
    """What becomes of the job; exactly one of plan, status and due is what it is about."""

    attempt: Attempt
    label: str
    """The outcome's name in `job_log`."""
    status: JobStatus
    plan: Plan | None = None
    due: datetime | None = None
    """When to try again; only for a job that goes back to the queue."""
    repeats: dedupe.Repeats = field(default_factory=dict)
    """Events of the plan that start nothing, because they repeat others."""


class Settler:
    """Completes jobs; there is no other place that does."""

    def __init__(
        self,
        store: Store,
        planner: Planner,
        conductor: Conductor,
        policies: Policies,
        clock: Clock,
        telemetry: Telemetry,
        jitter: Callable[[], float],
    ) -> None:
        """`jitter` gives numbers from 0 up to 1, at random."""
        self._store = store
        self._planner = planner
        self._conductor = conductor
        self._policies = policies
        self._clock = clock
        self._telemetry = telemetry
        self._jitter = jitter

    def apply(
        self, assignment: Assignment, attempt: Attempt, follow: Follow | None = None
    ) -> Claimed | None:
        """Write the outcome and all that follows from it, or nothing.

        A response that breaks a rule of the core fails the job instead, and nothing of the
        response is kept. Returns what `follow` claimed in the same transaction. Raises
        LeaseLost when the job is not this attempt's any more.
        """
        try:
            return self._write(assignment, self._decide(assignment, _tainted(attempt)), follow)
        except (Refused, Violation) as refusal:
            failed = replace(
                attempt, outcome=Failed(self._explain(assignment, refusal), retry=False)
            )
            return self._write(assignment, self._decide(assignment, failed), follow)

    def _explain(self, assignment: Assignment, refusal: Exception) -> str:
        run = assignment.run
        if not isinstance(refusal, TooDeep) or run is None:
            return str(refusal)
        names = [each.pipeline_name for each in self._store.read(lambda tx: tx.runs.path(run.id))]
        path = " -> ".join([*names, refusal.pipeline])
        return f"{refusal}, beyond service.depth_limit: {path}; break the circle of events"

    def _decide(self, assignment: Assignment, attempt: Attempt) -> _Decision:
        outcome = attempt.outcome
        match outcome:
            case Succeeded():
                plan = self._planner.successors(assignment, outcome.response, self._clock.now())
                if plan.questioned:
                    lines = (*attempt.logs, *log_lines(plan.questioned))
                    attempt = replace(attempt, logs=lines)
                return _Decision(attempt, "succeeded", JobStatus.SUCCEEDED, plan)
            case Failed():
                return self._again(
                    assignment, attempt, "failed", JobStatus.FAILED, retry_allowed=outcome.retry
                )
            case TimedOut():
                return self._again(assignment, attempt, "timed_out", JobStatus.TIMED_OUT)
            case Crashed():
                return self._again(assignment, attempt, "crashed", JobStatus.FAILED)
            case Interrupted():
                return _Decision(attempt, "interrupted", JobStatus.QUEUED)
            case _:
                assert_never(outcome)

    def _again(
        self,
        assignment: Assignment,
        attempt: Attempt,
        label: str,
        final: JobStatus,
        *,
        retry_allowed: bool = True,
    ) -> _Decision:
        job = assignment.job
        if not retry_allowed or retry.exhausted(job):
            return _Decision(attempt, label, final)
        policy = self._policies.retry(job.plugin, assignment.step)
        due = self._clock.now() + retry.delay(policy, job.tries, self._jitter())
        return _Decision(attempt, label, JobStatus.QUEUED, due=due)

    def _write(
        self, assignment: Assignment, decided: _Decision, follow: Follow | None
    ) -> Claimed | None:
        def work(tx: Transaction) -> Claimed | None:
            decision = _as_run_ends(tx, assignment, decided)
            now = decision.attempt.completed_at
            # What a run that is being ended emits starts nothing, and keeps nothing from starting.
            ending = decision is not decided
            if not ending:
                decision = _without_repeats(tx, assignment, decided, now)
            moved: list[Moved] = []
            # The job refers to the context that it wrote. All else waits until the claim has
            # proved good: rows of an attempt that settled since then would be in the way.
            if decision.plan is not None:
                moved += self._conductor.write(tx, decision.plan, now)
                if not ending:
                    ttl = self._policies.dedupe_ttl()
                    dedupe.keep(tx, decision.plan, decision.repeats, now, ttl)
            _move(tx, assignment.job, decision)
            _record(tx, assignment, decision)
            moved += self._advance(tx, assignment, decision)
            tx.after_commit(lambda: self._tell(assignment, decision, moved))
            if follow is None:
                return None
            queued = sum(each.queued for each in moved)
            queued += len(decision.plan.jobs) if decision.plan else 0
            return follow(tx, queued=queued, waiting=decision.status is JobStatus.QUEUED)

        return self._store.write(work)

    def _advance(
        self, tx: Transaction, assignment: Assignment, decision: _Decision
    ) -> Iterator[Moved]:
        """Move the job's own run on, unless the job goes back to the queue."""
        job, run, position = assignment.job, assignment.run, assignment.position
        if run is None or position is None or not decision.status.terminal:
            return
        children = decision.plan.children_in(run.id) if decision.plan else 0
        run = tx.runs.advance(run.id, by=children - 1, failure=_failure(job, run, decision))
        if run.open_jobs and not position.pipeline.joins:
            return
        last = _last(tx, assignment, run, decision)
        now = decision.attempt.completed_at
        yield self._conductor.conduct(tx, run, position.pipeline, last, now)

    def _tell(self, assignment: Assignment, decision: _Decision, moved: Sequence[Moved]) -> None:
        job, attempt = assignment.job, decision.attempt
        for question in decision.plan.questioned if decision.plan else ():
            self._telemetry.emit(
                BaggageKeyQuestioned(job.id, job.plugin, question.key, question.done)
            )
        for event in decision.plan.events if decision.plan else ():
            if event.id in decision.repeats:
                first = decision.repeats[event.id]
                self._telemetry.emit(EventRepeated(first, event.type, event.source, job.id))
        for taint in attempt.taints:
            self._telemetry.emit(FileTainted(job.id, job.plugin, taint.path, taint.detail))
        self._telemetry.emit(
            JobSettled(
                job=job.id,
                plugin=job.plugin,
                step=job.step_id,
                outcome=decision.label,
                attempt=f"{job.tries}/{job.max_attempts}",
                took=attempt.completed_at - attempt.started_at,
                chain=job.chain_id,
                next_try=decision.due,
                error=_error(attempt.outcome),
            )
        )
        tell(self._telemetry, moved)


def _tainted(attempt: Attempt) -> Attempt:
    """An attempt that changed inherited files in place has failed, whatever it answered."""
    if not attempt.taints:
        return attempt
    files = ", ".join(f'"{taint.path}" ({taint.detail})' for taint in attempt.taints)
    error = (
        f"inherited files were changed in place, and so the parent job's copies: {files}; "
        'write a new file and rename it over the old one, or set "workspace: copy" on the step'
    )
    return replace(attempt, outcome=Failed(error, retry=False))


def _move(tx: Transaction, job: Job, decision: _Decision) -> None:
    """Raises LeaseLost if the claim does not hold any more, which undoes what was recorded."""
    error = _error(decision.attempt.outcome) or ""
    if decision.status.terminal:
        tx.jobs.finish(
            job.claim,
            decision.status,
            now=decision.attempt.completed_at,
            error=error or None,
            wrote=decision.plan.result_context_id if decision.plan else None,
        )
    elif decision.due is not None:
        tx.jobs.retry(job.claim, due=decision.due, error=error)
    else:
        tx.jobs.give_back(job.claim, error=error)
    tx.jobs.log(job.claim, decision.attempt, status=decision.label)


def _record(tx: Transaction, assignment: Assignment, decision: _Decision) -> None:
    job, attempt = assignment.job, decision.attempt
    for taint in attempt.taints:
        found = tx.artifacts.origin(job.id, taint.path)
        if found is not None:
            tx.artifacts.taint(found[0], taint.path, by=job.id)
    if decision.plan is None or not isinstance(attempt.outcome, Succeeded):
        return
    response: Response = attempt.outcome.response
    if response.state_updates:
        tx.plugin_states.merge(
            job.plugin, response.state_updates, max_bytes=MAX_STATE, now=attempt.completed_at
        )
    tx.artifacts.add(job.id, attempt.outcome.artifacts)


def _as_run_ends(tx: Transaction, assignment: Assignment, decision: _Decision) -> _Decision:
    """What becomes of a job whose run is being ended: nothing follows, and it is not tried again.

    A success is kept. What `finally` does is let be.
    """
    run = tx.runs.ending(assignment.run.id) if assignment.run else None
    if run is None or run.phase is Phase.FINALLY:
        return decision
    plan = decision.plan
    if plan is None:
        attempt = decision.attempt
        if isinstance(attempt.outcome, Interrupted):
            attempt = replace(attempt, outcome=Interrupted(f"the run was ended: {run.reason}"))
        return replace(decision, attempt=attempt, status=JobStatus.CANCELLED, due=None)
    return replace(
        decision,
        plan=Plan(
            events=plan.events,
            contexts=plan.contexts[:1],
            result_context_id=plan.result_context_id,
            questioned=plan.questioned,
        ),
    )


def _without_repeats(
    tx: Transaction, assignment: Assignment, decision: _Decision, now: datetime
) -> _Decision:
    """Let nothing follow from events whose dedupe key still counts; the job's log names them."""
    plan = decision.plan
    repeats = dedupe.repeats(tx, plan, now) if plan else {}
    if plan is None or not repeats:
        return decision
    attempt = decision.attempt
    return replace(
        decision,
        attempt=replace(attempt, logs=(*attempt.logs, *dedupe.log_lines(plan, repeats))),
        plan=dedupe.without(plan, repeats, assignment.run.id if assignment.run else None),
        repeats=repeats,
    )


def _failure(job: Job, run: Run, decision: _Decision) -> Failure | None:
    error = _error(decision.attempt.outcome)
    if error is None or decision.status is JobStatus.CANCELLED:
        return None
    return Failure(
        pipeline=run.pipeline_name,
        step=job.step_id or "",
        job_id=job.id,
        plugin=job.plugin,
        error=error,
        attempts=job.tries,
    )


def _last(tx: Transaction, assignment: Assignment, run: Run, decision: _Decision) -> Origin:
    """What the next phase would begin from: the job's own result, or what it began from."""
    plan = decision.plan
    if plan is None:
        return before(tx, assignment.job, run)
    event = plan.events[-1] if plan.events else assignment.event
    return Origin(event, plan.contexts[0], run, (assignment.job.id,))


def _error(outcome: Outcome) -> str | None:
    return None if isinstance(outcome, Succeeded) else outcome.error
