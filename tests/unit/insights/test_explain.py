"""What an event would lead to, by the router that production uses."""

from __future__ import annotations

from ductile.dsl.catalogue import Catalogue
from ductile.dsl.definition import pipeline_of
from ductile.dsl.graph import Pipeline, Step
from ductile.expressions.conditions import Condition
from ductile.insights.explain import Explanation, Fate, Reached, explain
from ductile.model.json import Json
from ductile.model.run import Phase
from ductile.router.graph_router import GraphRouter
from tests.support.clock import START
from tests.unit.insights.pipelines import a_condition, a_pipeline

GOOD = {"url": "u", "length": 31, "channel": "C1"}


def explained(
    payload: Json,
    event_type: str = "video.shared",
    source: str = "receiver",
    pipeline: Pipeline | None = None,
) -> Explanation:
    pipeline = pipeline or a_pipeline()
    router = GraphRouter(Catalogue({pipeline.name: pipeline}))
    return explain(router, pipeline, event_type, payload, source, now=START)


def a_step(step_id: str, condition: Condition | None = None) -> Step:
    return Step(step_id, "notifier", "handle", condition=condition)


def reached(explanation: Explanation, node: str) -> Reached:
    [found] = [each for each in explanation.reached if each.node == node]
    return found


def test_every_step_that_may_follow_is_told_once() -> None:
    nodes = [each.node for each in explained(GOOD).reached]

    assert sorted(nodes) == sorted(
        [
            *("check", "publish", "publish/post", "review", "notify", "archive", "index"),
            *("report:join", "report", "alert", "cleanup"),
        ]
    )


def test_an_event_of_another_type_starts_nothing() -> None:
    found = explained(GOOD, event_type="video.seen")

    assert not found.starts
    assert found.reason == 'it starts on "video.shared", not on "video.seen"'


def test_an_event_of_another_source_starts_nothing() -> None:
    found = explained(GOOD, source="cli")

    assert not found.starts
    assert found.reason == 'it starts for events from "receiver", not "cli"'


def test_the_condition_of_a_pipeline_says_why_it_does_not_start() -> None:
    found = explained({})

    assert not found.starts
    assert "payload.url is missing" in found.reason


def test_a_condition_that_holds_is_told_with_its_reason() -> None:
    notify = reached(explained(GOOD), "notify")

    assert notify.fate is Fate.RUNS
    assert notify.reason == 'payload.channel is "C1", as expected (exists)'


def test_a_call_whose_condition_holds_is_told_with_its_reason() -> None:
    publish = reached(explained(GOOD), "publish")

    assert (publish.fate, publish.after, publish.on) == (Fate.ENTERED, "check", "quality.high")
    assert publish.reason == "payload.length is 31, as expected (gt 30)"


def test_what_follows_a_failure_and_the_end_is_told_by_phase() -> None:
    phases = {each.node: each.phase for each in explained(GOOD).reached}

    assert {name for name, phase in phases.items() if phase is not Phase.MAIN} == {
        "alert",
        "cleanup",
    }
    assert (phases["alert"], phases["cleanup"]) == (Phase.ON_FAILURE, Phase.FINALLY)


def test_a_condition_of_on_failure_sees_the_first_step_as_the_one_that_failed() -> None:
    failed = a_condition({"path": "failure.step", "op": "eq", "value": "check"})
    found = explained(GOOD, pipeline=a_pipeline("wisdom", a_step("alert", condition=failed)))

    assert reached(found, "alert").fate is Fate.RUNS
    assert reached(found, "alert").reason == 'failure.step is "check", as expected (eq "check")'


def test_a_condition_of_finally_sees_that_nothing_failed() -> None:
    failed = a_condition({"path": "failure.step", "op": "exists"})
    found = explained(GOOD, pipeline=a_pipeline("wisdom", a_step("cleanup", condition=failed)))

    cleanup = reached(found, "cleanup")
    assert (cleanup.fate, cleanup.reason) == (
        Fate.SKIPPED,
        "failure.step is missing, expected it to be there",
    )


def test_where_no_step_runs_none_can_fail() -> None:
    never = a_condition({"path": "payload.never", "op": "exists"})
    quiet = pipeline_of(
        name="quiet",
        on=("video.shared",),
        entries=("check",),
        nodes={each.id: each for each in (a_step("check", condition=never), a_step("alert"))},
        on_failure=("alert",),
    )

    assert [each.node for each in explained(GOOD, pipeline=quiet).reached] == ["check"]


def test_a_step_that_is_skipped_is_told_and_what_follows_it_all_the_same() -> None:
    found = explained({"url": "u", "length": 31})

    assert reached(found, "notify").fate is Fate.SKIPPED
    assert reached(found, "report").fate is Fate.RUNS


def test_a_call_whose_condition_does_not_hold_is_skipped() -> None:
    found = explained({"url": "u", "length": 3})

    assert reached(found, "publish").fate is Fate.SKIPPED
    assert "publish/post" not in [each.node for each in found.reached]


def test_a_join_tells_what_it_gathers_in_declared_order() -> None:
    assert reached(explained(GOOD), "report:join").sources == ("notify", "index")


def test_steps_behind_routed_events_are_told_with_the_type_that_leads_there() -> None:
    review = reached(explained(GOOD), "review")

    assert (review.after, review.on) == ("check", "quality.low")
