"""What changed in meaning between two versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ductile.dsl.graph import Pipeline, Step
from ductile.insights.pipeline_diff import Change, Difference, differences
from ductile.insights.pipeline_shapes import pipeline_json
from tests.unit.insights.pipelines import a_pipeline


def compared(before: Pipeline, after: Pipeline) -> tuple[Difference, ...]:
    return differences(pipeline_json(before), pipeline_json(after))


def test_equal_versions_differ_in_nothing() -> None:
    assert compared(a_pipeline(), a_pipeline()) == ()


def test_a_description_makes_no_difference() -> None:
    assert compared(a_pipeline(), replace(a_pipeline(), description="new")) == ()


def test_a_changed_step_is_told_key_by_key() -> None:
    before = a_pipeline()
    report = replace(before.steps["report"], timeout=timedelta(minutes=2), command="poll")

    found = compared(before, a_pipeline("wisdom", report))

    assert found == (
        Difference(Change.CHANGED, "step", "report", "command", "handle", "poll"),
        Difference(Change.ADDED, "step", "report", "timeout", None, "2m"),
    )


def test_a_changed_route_is_told_by_its_type() -> None:
    before = a_pipeline()
    routes = {**(before.steps["check"].on_events or {}), "quality.none": ("review",)}

    [found] = compared(
        before, a_pipeline("wisdom", replace(before.steps["check"], on_events=routes))
    )

    assert (found.key, found.before, found.after) == ("on_events.quality.none", [], ["review"])


def test_a_new_step_and_the_edge_to_it_are_told() -> None:
    before = a_pipeline()
    report = replace(before.steps["report"], next=("tell",))

    found = compared(before, a_pipeline("wisdom", report, Step("tell", "notifier", "handle")))

    assert [(each.change, each.id, each.key) for each in found] == [
        (Change.CHANGED, "report", "next"),
        (Change.ADDED, "tell", None),
    ]


def test_another_trigger_is_a_difference_of_the_whole() -> None:
    before = a_pipeline()

    [found] = compared(before, replace(before, on=("video.shared", "video.sent")))

    assert (found.kind, found.key) == ("pipeline", "on")
