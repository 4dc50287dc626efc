"""What readers get to see of jobs, runs and chains."""

from __future__ import annotations

from pathlib import Path

import pytest

from ductile.dsl.definition import pipeline_of
from ductile.dsl.graph import Step
from ductile.errors import NotFound
from ductile.insights.chain import baggage_change
from ductile.insights.shapes import chain_json
from ductile.insights.views import Changed
from ductile.model.artifact import Artifact, Change
from ductile.model.ids import ChainId, new_id
from ductile.model.job import JobStatus
from ductile.model.json import decode, encode
from ductile.model.run import Failure, Phase, RunStatus
from ductile.storage.sqlite.store import open_store
from tests.support.builders import HASH
from tests.support.clock import FakeClock
from tests.unit.insights.story import STEP_TIME, Story, job_of, run_of

FILE = Artifact("summary.txt", Change.ADDED, 12, 0o444, "ab" * 32)


def test_a_chain_is_in_tree_order_whatever_the_order_of_time(story: Story) -> None:
    run = story.run()
    fetch = story.succeed(story.job("fetch", run))
    left, right = story.job("left", run, fetch), story.job("right", run, fetch)
    done = story.succeed(left)
    story.job("left-end", run, done)

    chain = story.chain(right)

    order = [(view.job.step_id, view.depth) for view in chain.jobs]
    assert order == [("fetch", 0), ("left", 1), ("left-end", 2), ("right", 1)]
    assert job_of(chain, fetch.job).children == (left.id, right.id)


def test_a_chain_knows_what_each_success_added_to_the_baggage(story: Story) -> None:
    run = story.run()
    fetch = story.succeed(story.job("fetch", run), title="A", url="other")

    view = job_of(story.chain(fetch.job), fetch.job)

    assert view.baggage.added == {"title": "A"}
    assert view.baggage.changed == {"url": Changed("u", "other")}
    assert view.context == fetch.context


def test_a_job_that_did_not_succeed_added_nothing(story: Story) -> None:
    job = story.job("fetch", story.run())
    story.fail(job, "no luck")

    view = job_of(story.chain(job), job)

    assert view.context is None
    assert not view.baggage.added


def test_jobs_of_one_step_and_one_parent_are_told_apart(story: Story) -> None:
    run = story.run()
    fetch = story.succeed(story.job("fetch", run))
    first = story.job("each", run, fetch)
    story.fail(first, "later", again=True)
    second = story.succeed(story.job("each", run, story.another_event(fetch)), number=2)
    again = story.succeed(first, number=1)

    chain = story.chain(first)

    assert job_of(chain, second.job).baggage.added == {"number": 2}
    assert job_of(chain, again.job).baggage.added == {"number": 1}


def test_a_run_knows_what_the_event_that_started_it_added(story: Story) -> None:
    receiver = story.succeed(story.job(None), seen=True)
    run = story.run("wisdom", receiver, video="v")
    entry = story.job("fetch", run, receiver)

    chain = story.chain(entry)

    assert run_of(chain, run).baggage.added == {"video": "v"}
    assert run_of(chain, run).jobs == (entry.id,)
    assert job_of(chain, receiver.job).baggage.added == {"seen": True}


def test_every_attempt_is_there_with_its_evidence(story: Story) -> None:
    job = story.job("fetch", story.run())
    story.fail(job, "no luck", again=True)
    story.succeed(job)

    first, second = job_of(story.chain(job), job).attempts

    assert (first.status, first.error, first.exit_code) == ("failed", "no luck", 1)
    assert first.stderr == "line one\nline two\n"
    assert first.completed_at - first.started_at == STEP_TIME
    assert (second.status, second.attempt) == ("succeeded", 2)


def test_a_chain_is_running_while_a_job_is_open(story: Story) -> None:
    run = story.run()
    fetch = story.succeed(story.job("fetch", run))
    story.job("next", run, fetch)

    chain = story.chain(fetch.job)

    assert chain.status is RunStatus.RUNNING
    assert chain.completed_at is None


def test_a_chain_has_failed_if_one_job_ended_badly(story: Story, clock: FakeClock) -> None:
    run = story.run()
    fetch = story.succeed(story.job("fetch", run))
    story.fail(story.job("next", run, fetch), "no luck")
    ended = clock.now()

    chain = story.chain(fetch.job)

    assert chain.status is RunStatus.FAILED
    assert chain.completed_at == ended


def test_a_chain_of_successes_has_succeeded(story: Story) -> None:
    job = story.job("fetch", story.run())
    story.succeed(job)

    assert story.chain(job).status is RunStatus.SUCCEEDED


def test_a_chain_is_found_by_any_of_its_jobs_and_runs(story: Story) -> None:
    run = story.run()
    fetch = story.succeed(story.job("fetch", run))
    last = story.job("next", run, fetch)

    by_job, by_run = story.chain(last), story.insights.chain_of_run(run.id)

    assert by_job.id == by_run.id == story.event.chain_id
    assert (by_job.asked, by_run.asked) == (last.id, run.id)


def test_a_chain_is_found_by_the_event_that_started_it(story: Story) -> None:
    job = story.job("fetch", story.run())

    chain = story.insights.chain(story.event.chain_id)

    assert [view.job.id for view in chain.jobs] == [job.id]
    assert chain.asked is None


def test_an_event_that_nothing_followed_from_is_a_chain_too(story: Story) -> None:
    chain = story.insights.chain(story.event.chain_id)

    assert (chain.status, chain.jobs, chain.completed_at) == (RunStatus.SUCCEEDED, (), None)


def test_an_event_that_there_is_none_of_is_not_found(story: Story) -> None:
    with pytest.raises(NotFound, match="no event from outside has the id"):
        story.insights.chain(ChainId(new_id()))


def test_a_chain_deeper_than_python_recurses_is_shown(story: Story) -> None:
    run = story.run()
    written = story.succeed(story.job("0", run))
    for number in range(1, 300):
        written = story.succeed(story.job(str(number), run, written))

    shape = decode(encode(chain_json(story.chain(written.job))))

    assert shape["jobs"][-1]["depth"] == 299


def test_the_shape_of_a_chain_is_json_with_nothing_shortened(story: Story) -> None:
    run = story.run()
    text = "long " * 1000
    fetch = story.succeed(story.job("fetch", run), artifacts=(FILE,), text=text)
    story.end_run(run)

    shape = decode(encode(chain_json(story.chain(fetch.job))))

    assert shape["status"] == "succeeded"
    assert shape["event"]["payload"] == {"url": "u"}
    assert shape["runs"][0]["pipeline_name"] == "wisdom"
    [job] = shape["jobs"]
    assert job["baggage"] == {"added": {"text": text}, "changed": {}}
    assert job["artifacts"] == [
        {
            "path": "summary.txt",
            "change": "added",
            "size": 12,
            "mode": "0444",
            "blake3": "ab" * 32,
            "symlink": False,
            "tainted_by": None,
        }
    ]
    assert job["attempts"][0]["completed_at"] == "2026-02-14T12:00:02.000000Z"


def test_an_id_that_no_job_has_is_not_found(story: Story) -> None:
    unknown = new_id()

    with pytest.raises(NotFound, match=f'no job has the id "{unknown}"'):
        story.insights.chain_of(unknown)


def test_the_id_of_a_run_is_not_taken_for_that_of_a_job(story: Story) -> None:
    run = story.run()

    with pytest.raises(NotFound, match='is a run, not a job; use "ductile run show'):
        story.insights.job(run.id)


def test_the_id_of_a_job_is_not_taken_for_that_of_a_run(story: Story) -> None:
    job = story.job("fetch", story.run())

    with pytest.raises(NotFound, match='is a job, not a run; use "ductile job inspect'):
        story.insights.run(job.id)


def test_jobs_are_listed_newest_first(story: Story) -> None:
    run = story.run()
    older, newer = story.job("a", run), story.job("b", run)

    assert [job.id for job in story.insights.job_list(limit=9)] == [newer.id, older.id]
    assert [job.id for job in story.insights.job_list(limit=9, before=newer.id)] == [older.id]


def test_runs_are_listed_by_status(story: Story) -> None:
    done, going = story.run(), story.run()
    story.end_run(done)

    listed = story.insights.run_list(limit=9, status=RunStatus.RUNNING)

    assert [run.id for run in listed] == [going.id]


def test_open_jobs_are_counted(story: Story) -> None:
    story.job("a", story.run())

    assert story.insights.counts().get(JobStatus.QUEUED) == 1


def test_a_value_that_is_merely_written_otherwise_has_not_changed() -> None:
    change = baggage_change({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}})

    assert not change.changed


def test_what_was_passed_by_is_told_with_its_reason(story: Story) -> None:
    run = story.run()
    fetch = story.succeed(story.job("fetch", run))
    story.skip(run, "publish", "payload.length is 3, expected more than 30", after=fetch)

    chain = story.chain(fetch.job)

    [skip] = run_of(chain, run).skips
    assert (skip.step_id, skip.parent_job_id) == ("publish", fetch.job.id)
    assert chain_json(chain)["runs"][0]["skips"][0]["reason"] == skip.reason


def test_a_job_behind_a_join_tells_what_had_arrived_there(story: Story) -> None:
    run = story.run()
    first = story.succeed(story.job("notify", run))
    second = story.succeed(story.job("archive", run))
    story.arrive("report:join", first)
    story.arrive("report:join", second, position=1)
    report = story.job("report", run, after=second, join="report:join")

    view = job_of(story.chain(report), report)

    assert [each.source for each in view.joined] == ["notify", "archive"]


def test_a_run_tells_of_its_first_failure(story: Story) -> None:
    run = story.run()
    fetch = story.job("fetch", run)
    story.fail(fetch, "no luck")
    story.end_run(run, Failure("wisdom", "fetch", fetch.id, "fetch", "no luck", 1))

    shape = chain_json(story.chain(fetch))["runs"][0]

    assert shape["status"] == "failed"
    assert shape["failure"]["step"] == "fetch"


def test_jobs_of_another_part_than_the_main_one_are_marked(tmp_path: Path) -> None:
    steps = {each: Step(each, "echo", "handle") for each in ("fetch", "tell")}
    pipeline = pipeline_of(
        name="wisdom", on=("a.b",), entries=("fetch",), nodes=steps, on_failure=("tell",)
    )

    class ThisStory(Story):
        definition = pipeline.definition

    clock = FakeClock()
    store = open_store(tmp_path / "parts.db", clock)
    story = ThisStory(store, clock)
    run = story.run()
    fetch = story.job("fetch", run)
    story.fail(fetch, "no luck")
    story.move(run, Phase.ON_FAILURE)
    tell = story.job("tell", run)

    chain = story.chain(tell)

    assert [job_of(chain, each).phase for each in (fetch, tell)] == [Phase.MAIN, Phase.ON_FAILURE]
    store.close()


def test_runs_in_flight_are_counted_by_version(story: Story) -> None:
    done, _, _ = story.run(), story.run(), story.run("other")
    story.end_run(done)

    assert story.insights.runs_in_flight() == {"wisdom": {HASH: 1}, "other": {HASH: 1}}


def test_every_version_that_ran_is_known_once(story: Story) -> None:
    story.run()
    story.run()

    assert story.insights.versions("wisdom") == (HASH,)
    assert story.insights.versions("unknown") == ()
