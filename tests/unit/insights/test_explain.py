"""What an event would lead to, by the router that production uses."""

from __future__ import annotations

from ductile.dsl.catalogue import Catalogue
from ductile.insights.explain import Explanation, Fate, Reached, explain
from ductile.model.json import Json
from ductile.router.graph_router import GraphRouter
from tests.support.clock import START
from tests.unit.insights.pipelines import a_pipeline

GOOD = {"url": "u", "length": 31, "channel": "C1"}


def explained(
    payload: Json, event_type: str = "video.shared", source: str = "receiver"
) -> Explanation:
    pipeline = a_pipeline()
    router = GraphRouter(Catalogue({pipeline.name: pipeline}))
    return explain(router, pipeline, event_type, payload, source, now=START)


def reached(explanation: Explanation, node: str) -> Reached:
    [found] = [each for each in explanation.reached if each.node == node]
    return found


def test_every_step_that_may_follow_is_told_once() -> None:
    nodes = [each.node for each in explained(GOOD).reached]

    assert sorted(nodes) == sorted(
        ["check", "publish/post", "review", "notify", "archive", "index", "report:join", "report"]
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
    assert notify.reason.startswith("payload.channel is")


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
