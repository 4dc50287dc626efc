"""Whatever happens in whatever order, the store holds what a plain model of it holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from ductile.errors import DuplicateJob, Violation
from ductile.model.job import Job, JobStatus
from ductile.model.run import Progress, Run, RunStatus
from ductile.storage.interfaces import Store, Transaction
from tests.contract.store_by_model.machine import (
    Broken,
    Draw,
    World,
    durations,
    phases,
    plugins,
    workers,
)
from tests.contract.stores import STORES
from tests.support.builders import HASH

#: All that an attempt may come to, by its label in `job_log` and the status of its job then.
ENDS = [
    ("succeeded", JobStatus.SUCCEEDED),
    ("succeeded", JobStatus.SUCCEEDED),
    ("failed", JobStatus.QUEUED),
    ("timed_out", JobStatus.QUEUED),
    ("interrupted", JobStatus.QUEUED),
    ("failed", JobStatus.FAILED),
    ("crashed", JobStatus.FAILED),
    ("timed_out", JobStatus.TIMED_OUT),
    ("interrupted", JobStatus.CANCELLED),
]


#: What happens, and how often among a hundred things. Hypothesis itself would leave out half of
#: the rules in each example, and with them most of what a queue is about.
WEIGHTS = {
    "time_passes": 14,
    "an_event_arrives": 13,
    "jobs_are_claimed": 22,
    "an_attempt_ends": 30,
    "leases_are_renewed": 3,
    "what_lapsed_is_rescued": 8,
    "a_run_is_ended": 6,
    "a_run_moves": 4,
    "all_processes_start_again": 2,
}
ACTIONS = [name for name, weight in WEIGHTS.items() for _ in range(weight)]


class StoreMachine(World):
    """All that anybody does to the store."""

    @rule(data=st.data(), action=st.sampled_from(ACTIONS))
    def something_happens(self, data: st.DataObject, action: str) -> None:
        happen: Callable[[Draw], None] = getattr(self, action)
        happen(data.draw)

    def time_passes(self, draw: Draw) -> None:
        # Often to the very moment at which something comes to be due, or late.
        moments = self.model.moments_after(self.clock.now())
        by = st.sampled_from(moments).map(lambda moment: moment - self.clock.now())
        self.clock.advance(draw(by | durations) if moments else draw(durations))

    def all_processes_start_again(self, draw: Draw) -> None:
        self.close()
        self.open()

    def an_event_arrives(self, draw: Draw) -> None:
        names = draw(st.lists(plugins, min_size=1, max_size=3))
        event, context, run, jobs = self.arrival(names, draw(st.none() | durations))
        fate = draw(st.sampled_from(["kept", "kept", "kept", "kept", "twice", "broken"]))

        def work(tx: Transaction) -> None:
            tx.events.add(event)
            tx.contexts.add(context)
            tx.versions.add(HASH, "wisdom", "{}", event.timestamp)
            tx.runs.add(run)
            for job in jobs:
                tx.jobs.add(job)
            if fate == "twice":
                tx.jobs.add(self.new_job(event, context, run.id, "0", names[0]))
            if fate == "broken":
                raise Broken

        store = self.stores[draw(workers)]
        if fate == "kept":
            store.write(work)
            self.know(event, context, jobs)
            self.know_run(run)
            return
        with pytest.raises(DuplicateJob if fate == "twice" else Broken):
            store.write(work)

    def jobs_are_claimed(self, draw: Draw) -> None:
        now, worker, limit, lease = (
            self.clock.now(),
            draw(workers),
            draw(st.sampled_from([1, 1, 2, 4])),
            draw(durations),
        )
        limits = st.dictionaries(plugins, st.integers(0, 3), max_size=2)
        parallelism, breaks = draw(limits), draw(st.integers(0, 5)) == 5

        def work(tx: Transaction) -> list[Job]:
            found = tx.jobs.claim(
                worker, limit=limit, lease=lease, now=now, parallelism=parallelism
            )
            if breaks:
                raise Broken
            return list(found)

        if breaks:
            with pytest.raises(Broken):
                self.stores[worker].write(work)
            return
        claimed = self.stores[worker].write(work)
        expected = self.model.claim(worker, limit, lease, now, parallelism)
        assert [job.id for job in claimed] == expected
        assert all(self.model.jobs[job.id].agrees(job) for job in claimed)
        self.claims += [job.claim for job in claimed]

    def leases_are_renewed(self, draw: Draw) -> None:
        now, worker, lease = self.clock.now(), draw(workers), draw(durations)
        claims = [claim for claim in self.claims if draw(st.booleans())]
        renewed = self.stores[worker].write(lambda tx: tx.jobs.renew(claims, lease=lease, now=now))
        assert renewed == self.model.renew(claims, lease, now)

    def an_attempt_ends(self, draw: Draw) -> None:
        if not self.claims:
            return
        claim, (label, status) = self.pick(draw), draw(st.sampled_from(ENDS))
        error = f"attempt {claim.attempt} {label}"
        if status is JobStatus.SUCCEEDED:
            self.succeed(claim, draw(st.lists(plugins, max_size=2)))
        elif status.terminal:
            self.end_job(claim, status, label, error)
        elif label == "interrupted":
            self.give_back(claim, error)
        else:
            self.try_again(claim, label, error, draw(durations))

    def what_lapsed_is_rescued(self, draw: Draw) -> None:
        now, worker = self.clock.now(), draw(workers)
        lapsed = self.stores[worker].read(lambda tx: tx.jobs.running(expired_at=now))
        assert [job.id for job in lapsed] == self.model.running(by=now)
        for job in lapsed:
            if job.claimed_by == worker:
                continue
            error = "the worker died, or lost its lease"
            if self.model.jobs[job.id].exhausted:
                assert self.end_job(job.claim, JobStatus.FAILED, "crashed", error)
            else:
                assert self.try_again(job.claim, "crashed", error, timedelta())

    def a_run_is_ended(self, draw: Draw) -> None:
        run, store = self.a_run(draw), self.stores[draw(workers)]
        if run is None:
            return
        status = draw(st.sampled_from([RunStatus.CANCELLED, RunStatus.TIMED_OUT]))
        now, reason = self.clock.now(), f"it was {status}"

        def work(tx: Transaction) -> list[str]:
            tx.runs.end(run.id, status, reason=reason)
            cancelled = tx.jobs.cancel(run.id, now=now, reason=reason)
            if cancelled:
                self.move_on(tx, run.id, -len(cancelled), None)
            return list(cancelled)

        if run.status.terminal:
            with pytest.raises(Violation, match="it is over"):
                store.write(work)
            return
        cancelled = store.write(work)
        if run.ending is None:
            run.ending, run.reason = status, reason
        assert cancelled == self.model.cancel(run.id, now, reason)
        self.known_to_move_on(run.id, None)

    def a_run_moves(self, draw: Draw) -> None:
        run, store, phase = self.a_run(draw), self.stores[draw(workers)], draw(phases)
        if run is None:
            return
        if run.status.terminal:
            with pytest.raises(Violation, match="it is over"):
                store.write(lambda tx: tx.runs.move(run.id, phase))
            return
        store.write(lambda tx: tx.runs.move(run.id, phase))
        run.phase = phase

    # --- what holds at all times ----------------------------------------------------------------

    @invariant()
    def every_job_stands_as_it_should(self) -> None:
        stored = {job.id: job for job in self.read(lambda tx: tx.views.jobs(limit=1000))}
        assert stored.keys() == self.model.jobs.keys()
        wrong = [job for job in self.model.jobs.values() if not job.agrees(stored[job.id])]
        assert not wrong, [(job, stored[job.id]) for job in wrong]

    @invariant()
    def the_questions_of_dispatcher_rescuer_and_ender_are_answered(self) -> None:
        now, model = self.clock.now(), self.model

        def work(tx: Transaction) -> tuple[object, ...]:
            return (
                [job.id for job in tx.jobs.running(expired_at=None)],
                [job.id for job in tx.jobs.running(expired_at=now)],
                tx.jobs.next_due(),
                {run.id for run in tx.runs.overdue(now)},
                set(tx.runs.stopping()),
                dict(tx.views.counts()),
            )

        statuses = [job.status for job in model.jobs.values()]
        assert self.read(work) == (
            model.running(),
            model.running(by=now),
            model.next_due(),
            model.overdue(now),
            model.stopping(),
            {each: statuses.count(each) for each in (JobStatus.QUEUED, JobStatus.RUNNING)},
        )

    @invariant()
    def every_run_counts_its_open_jobs(self) -> None:
        def look(tx: Transaction) -> list[tuple[Run | None, Progress]]:
            return [(tx.runs.get(run), tx.joins.progress(run)) for run in self.model.runs]

        for model, (run, progress) in zip(self.model.runs.values(), self.read(look), strict=True):
            assert run is not None
            assert model.agrees(run)
            assert run.open_jobs == len(self.model.open_jobs(model.id))
            jobs = self.model.of_run(model.id)
            ended = {job.step for job in jobs if job.status.terminal}
            well = {job.step for job in jobs if job.status is JobStatus.SUCCEEDED}
            assert progress.open == {job.step for job in jobs} - ended
            assert progress.failed == ended - well

    @invariant()
    def every_chain_has_the_rows_of_what_was_committed_and_no_other(self) -> None:
        chains = list({run.chain for run in self.model.runs.values()})
        stored = self.read(lambda tx: [tx.views.chain(chain) for chain in chains])
        for records in stored:
            jobs = [job for job in self.model.jobs.values() if job.chain == records.chain_id]
            assert {each.id for each in records.events} == self.model.events_of(records.chain_id)
            assert {each.id for each in records.contexts} == self.model.contexts_of(
                records.chain_id
            )
            assert {(each.job_id, each.attempt, each.status) for each in records.attempts} == {
                (job.id, attempt, label) for job in jobs for attempt, label in job.log.items()
            }
            assert set(records.artifacts) == {
                job.id for job in jobs if job.status is JobStatus.SUCCEEDED
            }

    @invariant()
    def the_janitor_learns_which_chains_are_over(self) -> None:
        jobs = self.model.jobs
        ends = self.read(lambda tx: tx.views.chain_ends(list(jobs)))
        assert ends == {job.id: self.model.chain_end(job) for job in jobs.values()}


# Only a failure takes long: the example is made as small as it can be.
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", STORES)
def test_the_store_does_what_a_simple_model_of_it_does(name: str) -> None:
    class Machine(StoreMachine):
        def open_in(self, folder: Path) -> Store:
            return STORES[name](folder)

    assert settings.default is not None
    # Long stories: most of what can go wrong needs a past. Each costs as much as many of the
    # usual examples.
    examples = max(1, settings.default.max_examples * 2 // 5)
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=examples, stateful_step_count=100)
    )
