"""What a run that has ended is told as."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from ductile.http.api.shapes import result_json
from ductile.insights.views import ChainView, JobView, RunView
from ductile.model.job import Job
from ductile.model.run import Phase, Run, RunStatus
from tests.support.builders import a_context, a_job, a_run, an_event
from tests.support.clock import START

EVENT = an_event()
RUN = a_run(EVENT, status=RunStatus.SUCCEEDED)


def done(step: str, run: Run = RUN, phase: Phase = Phase.MAIN, **baggage: Any) -> JobView:
    job: Job = a_job(EVENT, step_id=step, run_id=run.id)
    return JobView(job, 0, context=a_context(baggage=baggage), phase=phase)


def told(*jobs: JobView) -> dict[str, Any]:
    runs = (RunView(RUN),)
    start = {"at": "start"}
    chain = ChainView(EVENT.chain_id, EVENT, RUN.status, START, START, start, runs, jobs)
    return result_json(chain, RUN.id)


def test_the_context_is_the_one_that_was_written_last() -> None:
    late = done("late", at="late")
    early = replace(
        late, context=a_context(baggage={"at": "early"}, created_at=START - timedelta(seconds=1))
    )

    assert told(late, early)["context"] == {"at": "late"}


def test_the_context_is_not_that_of_cleaning_up() -> None:
    main = done("work", at="work")

    assert told(main, done("tidy", phase=Phase.FINALLY, at="tidy"))["context"] == {"at": "work"}


def test_without_any_success_the_context_is_the_one_it_started_with() -> None:
    failed = replace(done("work"), context=None)

    assert told(failed)["context"] == {"at": "start"}


def test_jobs_of_other_runs_of_the_chain_are_left_out() -> None:
    other = done("elsewhere", a_run(EVENT), at="elsewhere")

    assert [each["step"] for each in told(done("work"), other)["results"]] == ["work"]
