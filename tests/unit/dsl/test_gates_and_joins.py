from __future__ import annotations

from datetime import timedelta

import pytest

from ductile.dsl.graph import Gate, Join
from ductile.expressions.conditions import Condition
from tests.unit.dsl.builders import a_pipeline, compiled, edges, steps_text

IF = "if: {path: payload.x, op: exists}"


def test_a_step_after_a_split_waits_for_all_branches() -> None:
    pipeline = a_pipeline("[{split: [{uses: fetch}, {uses: summary}]}, {uses: notify}]")
    assert pipeline.nodes["notify:join"] == Join(
        "notify:join", next=("notify",), sources=("fetch", "summary")
    )


def test_the_nodes_stand_in_the_order_of_the_file() -> None:
    pipeline = a_pipeline("[{split: [{uses: fetch}, {uses: summary}]}, {uses: notify}]")
    assert list(pipeline.nodes) == ["fetch", "summary", "notify:join", "notify"]


def test_a_step_after_a_call_that_ends_in_branches_waits_for_them() -> None:
    catalogue = compiled(
        steps_text("[{call: q}, {uses: echo}]"),
        steps_text("[{split: [{uses: echo}, {uses: fetch}]}]", "q"),
    )
    assert catalogue.pipelines["p"].joins["echo:join"].sources == ("q/echo", "q/fetch")


def test_a_join_in_a_called_pipeline_is_a_part_of_the_caller() -> None:
    catalogue = compiled(
        steps_text("[{call: q}, {uses: echo}]"),
        steps_text("[{split: [{uses: echo}, {uses: fetch}]}, {uses: notify}]", "q"),
    )
    assert catalogue.pipelines["p"].joins == {
        "q/notify:join": Join("q/notify:join", ("q/notify",), ("q/echo", "q/fetch"))
    }


def test_a_split_after_a_split_waits_once_for_all_its_branches() -> None:
    pipeline = a_pipeline(
        "[{split: [{uses: fetch}, {uses: summary}]}, {split: [{uses: notify}, {uses: archive}]}]"
    )
    assert pipeline.joins["notify:join"].next == ("notify", "archive")


def test_a_group_with_an_id_gives_it_to_its_join() -> None:
    pipeline = a_pipeline(
        "[{split: [{uses: fetch}, {uses: summary}]}, {id: end, steps: [{uses: notify}]}]"
    )
    assert list(pipeline.joins) == ["end:join"]


def test_any_step_may_gather_what_came_before_it() -> None:
    assert edges(a_pipeline("[{uses: fetch}, {uses: notify, join: all}]")) == {
        "fetch": ("notify:join",),
        "notify:join": ("notify",),
        "notify": (),
    }


@pytest.mark.parametrize(
    "steps",
    [
        "[{split: [{uses: fetch}, {uses: echo}]}, {uses: notify, join: all}]",
        "[{split: [{uses: fetch}, {uses: echo}]}, {steps: [{uses: notify, join: all}]}]",
    ],
)
def test_what_waits_already_does_not_wait_twice(steps: str) -> None:
    plain = a_pipeline("[{split: [{uses: fetch}, {uses: echo}]}, {uses: notify}]")
    assert a_pipeline(steps).hash == plain.hash


def test_a_step_that_uses_a_plugin_holds_its_own_condition() -> None:
    step = a_pipeline(f"[{{uses: fetch, {IF}}}, {{uses: echo}}]").steps["fetch"]
    assert (step.condition, step.next) == (
        Condition.parse({"path": "payload.x", "op": "exists"})[0],
        ("echo",),
    )


def test_the_condition_of_a_group_leads_into_it_or_past_it() -> None:
    pipeline = a_pipeline(
        f"[{{uses: fetch}}, {{id: g, {IF}, steps: [{{uses: echo}}]}}, {{uses: notify}}]"
    )
    gate = pipeline.nodes["g:if"]
    assert isinstance(gate, Gate)
    assert (gate.next, gate.otherwise) == (("echo",), ("notify",))
    assert pipeline.steps["fetch"].next == ("g:if",)


def test_past_a_gate_at_the_end_there_is_nothing() -> None:
    gate = a_pipeline(f"[{{{IF}, split: [{{uses: echo}}, {{uses: fetch}}]}}]").nodes["echo:if"]
    assert isinstance(gate, Gate)
    assert (gate.next, gate.otherwise) == (("echo", "fetch"), ())


def test_groups_within_each_other_have_gates_of_their_own() -> None:
    pipeline = a_pipeline(f"[{{{IF}, steps: [{{{IF}, steps: [{{uses: echo}}]}}]}}]")
    assert edges(pipeline) == {"echo:if": ("echo:if:if",), "echo:if:if": ("echo",), "echo": ()}


def test_a_branch_that_may_be_passed_by_counts_for_the_join_all_the_same() -> None:
    pipeline = a_pipeline(
        f"[{{split: [{{{IF}, steps: [{{uses: echo}}]}}, {{uses: fetch, {IF}}}]}}, {{uses: notify}}]"
    )
    assert pipeline.joins["notify:join"].sources == ("echo:if", "echo", "fetch")


def test_a_guarded_step_that_waits_decides_after_it_has_waited() -> None:
    pipeline = a_pipeline(f"[{{uses: fetch}}, {{id: g, join: all, {IF}, steps: [{{uses: echo}}]}}]")
    assert edges(pipeline)["g:join"] == ("g:if",)


def test_listed_events_lead_where_the_step_says() -> None:
    pipeline = a_pipeline(
        "[{uses: fetch, on_events: {high: [a, b], low: [b], none: []}},"
        " {uses: echo, id: a}, {uses: notify, id: b}]"
    )
    step = pipeline.steps["fetch"]
    assert step.next == ()
    assert [step.following(each) for each in ("high", "low", "none", "else")] == [
        ("a", "b"),
        ("b",),
        (),
        (),
    ]


def test_the_star_is_for_all_types_that_are_not_listed() -> None:
    pipeline = a_pipeline("[{uses: fetch, on_events: {'*': [notify], high: []}}, {uses: notify}]")
    step = pipeline.steps["fetch"]
    assert (step.following("high"), step.following("else")) == ((), ("notify",))


def test_a_route_that_changes_nothing_is_no_other_version() -> None:
    one = a_pipeline("[{uses: fetch, on_events: {'*': [notify]}}, {uses: notify}]")
    two = a_pipeline("[{uses: fetch, on_events: {'*': [notify], x: [notify]}}, {uses: notify}]")
    assert one.hash == two.hash


def test_a_route_leads_to_the_gate_of_a_group_and_to_the_join_before_a_step() -> None:
    pipeline = a_pipeline(
        "[{split: [{uses: fetch, on_events: {x: [g], y: [z]}}, {uses: echo}]},"
        f" {{id: g, {IF}, steps: [{{uses: notify}}]}}, {{uses: archive, id: z, join: all}}]"
    )
    assert pipeline.steps["fetch"].on_events == {"x": ("g:join",), "y": ("z:join",)}
    assert pipeline.joins["g:join"].sources == ("fetch", "echo")
    assert pipeline.joins["z:join"].sources == ("fetch", "g:if", "notify")


def test_a_step_that_routes_events_and_is_passed_by_leads_to_the_next() -> None:
    pipeline = a_pipeline(
        f"[{{uses: fetch, {IF}, on_events: {{x: [z]}}}}, {{uses: echo}}, {{uses: notify, id: z}}]"
    )
    step = pipeline.steps["fetch"]
    assert (step.next, step.following("x"), step.following("y")) == (("echo",), ("z",), ())


def test_the_routes_of_a_called_pipeline_stay_in_it() -> None:
    catalogue = compiled(
        steps_text("[{call: q}]"),
        steps_text("[{uses: fetch, on_events: {x: [echo]}}, {uses: echo}]", "q"),
    )
    assert catalogue.pipelines["p"].steps["q/fetch"].on_events == {"x": ("q/echo",)}


def test_a_pipeline_has_phases_of_its_own_beside_its_steps() -> None:
    catalogue = compiled(
        "pipelines: [{name: p, on: [b, a], from: cli, timeout: 30m, steps: [{uses: echo}],"
        " on_failure: [{uses: notify, with: {text: '{failure.error}'}}, {uses: echo}],"
        " finally: [{split: [{uses: archive}, {uses: fetch}]}, {uses: summary}]},"
        " {name: q, on: x, steps: [{call: p}]}]"
    )
    pipeline = catalogue.pipelines["p"]
    assert (pipeline.on, pipeline.source) == (("a", "b"), "cli")
    assert pipeline.timeout == timedelta(minutes=30)
    assert (pipeline.entries, pipeline.on_failure, pipeline.finally_) == (
        ("echo",),
        ("notify",),
        ("archive", "fetch"),
    )
    assert edges(pipeline)["notify"] == ("echo-2",)
    assert pipeline.upstream("summary") == {"archive", "fetch", "summary:join"}
    assert list(catalogue.pipelines["q"].nodes) == ["p/echo"]


def test_a_pipeline_of_several_types_is_found_by_each() -> None:
    catalogue = compiled("pipelines: [{name: p, on: [b, a], steps: [{uses: echo}]}]")
    assert catalogue.by_type("a") == catalogue.by_type("b") == (catalogue.pipelines["p"],)


def test_baggage_is_kept_by_place_whatever_its_order() -> None:
    one = a_pipeline("[{uses: echo, baggage: {b.x: payload.x, a: context.y}}]")
    two = a_pipeline("[{uses: echo, baggage: {a: context.y, b.x: payload.x}}]")
    assert one == two
    declared = one.steps["echo"].baggage
    assert declared is not None
    assert [(key, str(path)) for key, path in declared] == [
        ("a", "context.y"),
        ("b.x", "payload.x"),
    ]


def test_no_baggage_is_not_the_same_as_nothing_said_about_it() -> None:
    assert a_pipeline("[{uses: echo, baggage: {}}]").steps["echo"].baggage == ()
    assert a_pipeline("[{uses: echo}]").steps["echo"].baggage is None
