"""The tree of a chain, as people read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from ductile.cli.render.chain import chain_tree, progress_line
from ductile.cli.render.text import plain
from ductile.insights.views import BaggageChange, ChainView, Changed, JobView, RunView
from ductile.model.artifact import Artifact, Change
from ductile.model.event import Event
from ductile.model.ids import ChainId, ContextId, EventId, JobId, RunId
from ductile.model.job import JobStatus
from ductile.model.outcome import NOTICE, LogLine
from ductile.model.run import Failure, Phase, RunStatus
from ductile.storage.interfaces import ArrivalRecord, AttemptRecord, SkipRecord
from tests.support.builders import a_job, a_run, an_event
from tests.support.clock import START

CHAIN = ChainId("chain-1")
EVENT = an_event(id=EventId(CHAIN), payload={"url": "u"})
RUN = a_run(EVENT, id=RunId("run-1"), status=RunStatus.SUCCEEDED, open_jobs=0)
SECOND = timedelta(seconds=1)


def attempt(
    job_id: str, number: int = 1, status: str = "succeeded", **fields: Any
) -> AttemptRecord:
    record = AttemptRecord(
        job_id=JobId(job_id),
        attempt=number,
        status=status,
        started_at=START,
        completed_at=START + SECOND,
        exit_code=0,
        error=None,
        result=None,
        logs=(),
        stderr="",
    )
    return replace(record, **fields)


def step(name: str, *children: str, parent: str | None = None, **fields: Any) -> JobView:
    """A succeeded job whose id is the name of its step; `fields` are those of the view."""
    job = a_job(
        EVENT,
        id=JobId(name),
        step_id=name,
        run_id=RUN.id,
        parent_job_id=parent and JobId(parent),
        status=JobStatus.SUCCEEDED,
        attempt=1,
        **fields.pop("job", {}),
    )
    view = JobView(job, 0, tuple(JobId(each) for each in children), (attempt(name),))
    return replace(view, **fields)


def chain(*jobs: JobView, **fields: Any) -> ChainView:
    ids = tuple(view.job.id for view in jobs)
    view = ChainView(
        id=CHAIN,
        event=EVENT,
        status=RunStatus.SUCCEEDED,
        as_of=START + 9 * SECOND,
        completed_at=START + 2 * SECOND,
        baggage={"url": "u"},
        runs=(RunView(replace(RUN, completed_at=START + 2 * SECOND), ids),),
        jobs=jobs,
    )
    return replace(view, **fields)


def tree(view: ChainView, width: int = 100) -> str:
    return chain_tree(view, plain, width=width)


def lines_with(text: str, view: ChainView) -> list[str]:
    return [line.strip(" │├└─") for line in tree(view).splitlines() if text in line]


def test_steps_that_follow_one_another_stand_below_each_other() -> None:
    view = chain(
        step("fetch", "tell", artifacts=(Artifact("a.txt", Change.ADDED, 2048, 0o444, "ab" * 32),)),
        step("tell", parent="fetch", baggage=BaggageChange({"told": True}, {"n": Changed(1, 2)})),
    )

    assert tree(view) == (
        "chain  chain-1  succeeded  2.0 s\n"
        "└─ event  video.posted  from webhook  2026-02-14 12:00:00 UTC\n"
        '   │  payload   url: "u"\n'
        "   └─ run  wisdom  succeeded  2.0 s  version 00000000\n"
        "      │  id        run-1\n"
        "      ├─ fetch  succeeded  1.0 s  echo.handle\n"
        "      │     id        fetch\n"
        "      │     files     + a.txt  2.0 KiB  abababab\n"
        "      └─ tell  succeeded  1.0 s  echo.handle\n"
        "            id        tell\n"
        "            baggage   + told: true\n"
        "                      ~ n: 1 -> 2"
    )


def test_what_a_fork_leads_to_is_indented_below_it() -> None:
    view = chain(
        step("fork", "left", "right"),
        step("left", "left-end", parent="fork"),
        step("left-end", parent="left"),
        step("right", parent="fork"),
    )

    shape = [line for line in tree(view).splitlines() if "echo.handle" in line]

    assert [
        line.index(word) for line, word in zip(shape, ["fork", "l", "l", "r"], strict=True)
    ] == [
        9,
        12,
        15,
        12,
    ]


def test_a_run_that_a_job_started_hangs_below_that_job() -> None:
    receiver = a_job(EVENT, id=JobId("first"), status=JobStatus.SUCCEEDED, plugin="receiver")
    run = replace(RUN, parent_job_id=receiver.id)
    view = chain(
        JobView(receiver, 0, (JobId("fetch"),)),
        step("fetch", parent="first"),
        runs=(RunView(run, (JobId("fetch"),), BaggageChange({"video": "v"})),),
    )

    lines = tree(view).splitlines()

    heads = [line.strip(" │└├─").split("  ")[0] for line in lines if "─" in line]
    assert heads == ["event", "receiver.handle", "run", "fetch"]
    assert any('baggage   + video: "v"' in line for line in lines)


def test_the_job_that_was_asked_for_is_marked() -> None:
    view = chain(step("fetch", "tell"), step("tell", parent="fetch"), asked=JobId("tell"))

    assert lines_with("<- asked for", view) == ["tell  succeeded  1.0 s  echo.handle  <- asked for"]


def test_a_failed_job_tells_the_error_of_every_attempt_and_the_end_of_stderr() -> None:
    attempts = (
        attempt("fetch", 1, "failed", error="HTTP 503", exit_code=1),
        attempt(
            "fetch", 2, "timed_out", error="not done", exit_code=-15, stderr="a\nb\nc\nd\ne\nf"
        ),
    )
    failed = step("fetch", attempts=attempts)
    job = replace(failed.job, status=JobStatus.TIMED_OUT, attempt=2, max_attempts=2)
    text = tree(chain(replace(failed, job=job)))

    assert "fetch  timed_out (attempt 2/2)  1.0 s" in text
    assert "attempts  1 failed after 1.0 s, exit code 1: HTTP 503" in text
    assert "2 timed_out after 1.0 s, exit code -15: not done" in text
    assert [line.strip() for line in text.splitlines()[-5:]] == [
        "stderr    b",
        *["c", "d", "e", "f"],
    ]


def test_a_job_that_waits_says_until_when() -> None:
    waiting = step("fetch", attempts=())
    due = START + timedelta(minutes=1)
    job = replace(waiting.job, status=JobStatus.QUEUED, next_retry_at=due)

    assert lines_with("waits", chain(replace(waiting, job=job))) == [
        "waits     for its next attempt, at 2026-02-14 12:01:00 UTC"
    ]


def test_warnings_in_the_log_of_a_job_are_shown_and_the_rest_is_not() -> None:
    logs = (LogLine("info", "quiet"), LogLine("warn", "a key of the system"))
    text = tree(chain(step("fetch", attempts=(attempt("fetch", logs=logs),))))

    assert "warn      a key of the system" in text
    assert "quiet" not in text


def test_what_the_core_notices_is_shown_up_to_a_dozen() -> None:
    logs = tuple(LogLine(NOTICE, f"event {number} started nothing") for number in range(14))
    view = chain(step("fetch", attempts=(attempt("fetch", logs=logs),)))

    assert lines_with("started nothing", view)[0] == "notice    event 0 started nothing"
    assert len(lines_with("started nothing", view)) == 12
    assert "… and 2 more" in tree(view)


def test_a_tainted_file_says_who_noticed() -> None:
    file = Artifact("a", Change.ADDED, 1, 0o444, "ab" * 32, tainted_by=JobId("job-9"))

    assert lines_with("changed in place", chain(step("fetch", artifacts=(file,)))) == [
        "files     + a  1 B  abababab  changed in place, noticed by job job-9"
    ]


def test_long_values_are_shortened() -> None:
    view = chain(step("fetch", baggage=BaggageChange({"text": "long " * 100})))

    [line] = lines_with("+ text", view)

    assert line.endswith("… (502 characters)")


def test_many_details_of_one_kind_are_counted() -> None:
    change = BaggageChange({f"key{number}": number for number in range(20)})

    assert lines_with("more", chain(step("fetch", baggage=change))) == ["… and 8 more"]


def test_no_line_is_wider_than_asked_for() -> None:
    job = {"last_error": None, "plugin": "a-plugin"}
    wordy = attempt("fetch", error="words " * 60, status="failed")
    view = chain(step("fetch", attempts=(wordy, attempt("fetch", 2)), job=job))

    assert max(len(line) for line in tree(view, 70).splitlines()) <= 70


def test_nothing_that_a_plugin_wrote_moves_the_cursor() -> None:
    evil = "\x1b[2J\u202e\r\n"
    view = chain(
        step(
            "fetch",
            baggage=BaggageChange({evil: evil}),
            artifacts=(Artifact(evil, Change.ADDED, 1, 0o444, "ab" * 32),),
            emitted=(replace(EVENT, type=evil),),
            attempts=(attempt("fetch", result=evil, logs=(LogLine(evil, evil),)),),
        ),
        event=_named(evil),
    )

    assert all(character.isprintable() for character in tree(view).replace("\n", ""))


def test_a_chain_as_deep_as_many_runs_is_drawn() -> None:
    jobs, runs = [], []
    for number in range(400):
        name, run_id = f"s{number}", RunId(f"r{number}")
        parent = f"s{number - 1}" if number else None
        children = (f"s{number + 1}",) if number < 399 else ()
        view = step(name, *children, parent=parent)
        jobs.append(replace(view, job=replace(view.job, run_id=run_id)))
        runs.append(RunView(replace(RUN, id=run_id), (JobId(name),)))

    assert "s399  succeeded" in tree(chain(*jobs, runs=tuple(runs)))


def test_progress_is_one_line_with_the_error_if_there_is_one() -> None:
    failed = step("fetch", attempts=(attempt("fetch", status="failed", error="no\nluck"),))
    job = replace(failed.job, status=JobStatus.FAILED, last_error="no\nluck")

    assert progress_line(replace(failed, job=job)) == "fetch  failed  1.0 s: no luck"


def test_a_job_that_waits_for_its_turn_makes_no_progress() -> None:
    waiting = step("fetch", attempts=())

    assert (
        progress_line(replace(waiting, job=replace(waiting.job, status=JobStatus.QUEUED))) is None
    )


def test_a_job_that_is_to_be_tried_again_says_when_and_why() -> None:
    waiting = step("fetch", attempts=(attempt("fetch", status="failed"),))
    job = replace(
        waiting.job, status=JobStatus.QUEUED, next_retry_at=START + SECOND, last_error="no luck"
    )

    line = progress_line(replace(waiting, job=job))

    assert line == "fetch  next attempt at 2026-02-14 12:00:01 UTC: no luck"


def _named(text: str) -> Event:
    return replace(EVENT, type=text, source=text, payload={text: text})


def test_a_skipped_step_stands_where_it_would_have_run_with_the_reason() -> None:
    skip = SkipRecord(RUN.id, "tell", JobId("fetch"), EVENT.id, "x is 1, expected 2", START)
    view = chain(step("fetch"), runs=(RunView(RUN, (JobId("fetch"),), skips=(skip,)),))

    assert tree(view).splitlines()[-2:] == [
        "      └─ tell  skipped",
        "            because   x is 1, expected 2",
    ]


def test_a_run_in_which_everything_was_skipped_is_shown() -> None:
    skip = SkipRecord(RUN.id, "fetch", None, EVENT.id, "x is missing", START)

    assert lines_with("skipped", chain(runs=(RunView(RUN, skips=(skip,)),))) == ["fetch  skipped"]


def arrival(source: str) -> ArrivalRecord:
    return ArrivalRecord(
        RUN.id, "report:join", source, 0, EVENT.id, ContextId("c"), JobId(source), START
    )


def test_a_job_behind_a_join_says_what_it_gathered() -> None:
    joined = (arrival("a"), arrival("b"), arrival("b"))

    assert lines_with("joins", chain(step("report", joined=joined))) == ["joins     a, b (2 times)"]


def test_a_join_that_still_waits_is_told_of_its_run() -> None:
    run = replace(RUN, status=RunStatus.RUNNING)
    view = chain(step("a"), runs=(RunView(run, (JobId("a"),), arrivals=(arrival("a"),)),))

    assert lines_with("waits", view) == ["waits     at report:join, where a came"]


def test_a_failed_run_names_step_job_and_error_of_its_failure() -> None:
    failure = Failure("wisdom", "fetch", JobId("job-1"), "captions", "no luck", 3)
    run = replace(RUN, status=RunStatus.FAILED, failure=failure)

    assert lines_with("failure", chain(step("fetch"), runs=(RunView(run, (JobId("fetch"),)),))) == [
        "failure   fetch, job job-1 after 3 attempts: no luck"
    ]


def test_a_job_of_another_part_than_the_main_one_says_so() -> None:
    assert lines_with("on_failure", chain(step("alert", phase=Phase.ON_FAILURE))) == [
        "alert  succeeded  1.0 s  echo.handle  on_failure"
    ]
