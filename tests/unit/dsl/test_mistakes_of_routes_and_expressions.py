from __future__ import annotations

import pytest

from tests.unit.dsl.builders import problems_of, steps_text

FORWARD = "lead to a step behind this one, in the same list of steps or around it"


@pytest.mark.parametrize(
    ("steps", "message", "hint"),
    [
        (
            "[{uses: fetch, on_events: {x: [notfy]}}, {uses: notify}]",
            'no step "notfy" in this pipeline',
            'did you mean "notify"?',
        ),
        ("[{uses: fetch, on_events: {x: [y]}}]", 'no step "y" in this pipeline', FORWARD),
        (
            "[{uses: echo}, {uses: fetch, on_events: {x: [echo]}}]",
            'step "echo", in line 2, cannot be reached from here',
            FORWARD,
        ),
        (
            "[{uses: fetch, on_events: {x: [echo]}}, {split: [{uses: echo}, {uses: notify}]}]",
            'step "echo", in line 2, cannot be reached from here',
            FORWARD,
        ),
        (
            "[{uses: fetch, on_events: {x: [fetch]}}]",
            'step "fetch" leads to itself',
            FORWARD,
        ),
        (
            "[{uses: fetch, on_events: {x: [echo, echo]}}, {uses: echo}]",
            '"echo" stands twice in this list',
            "remove one",
        ),
        (
            "[{uses: fetch, on_events: {x: []}}, {uses: echo}]",
            'nothing leads to this step: "fetch" goes on by its on_events only',
            "name this step in its on_events, or remove it",
        ),
        (
            "[{steps: [{uses: fetch, on_events: {}}]}, {uses: echo}, {uses: notify}]",
            'nothing leads to this step: "fetch" goes on by its on_events only',
            "name this step in its on_events, or remove it",
        ),
        (
            "[{uses: fetch, on_events: {ductile.joined: []}}]",
            'event types that begin with "ductile." belong to the core',
            "choose another type; what follows a step is the next step of its pipeline",
        ),
        (
            "[{call: p, on_events: {}}]",
            '"on_events" belongs to a step that uses a plugin',
            'move it to the steps that have "uses"',
        ),
        (
            "[{steps: [{uses: fetch, join: all}]}]",
            'the first step of a pipeline has nothing to wait for with "join"',
            'remove "join"',
        ),
        ("[{uses: a, join: any}]", 'expected "all", found "any"', None),
        ("[{uses: echo, with: [a]}]", "expected a mapping, found a list", None),
        (
            "[{uses: echo, with: {a: '{failure.error}'}}]",
            'expected a path that begins with "config" or "context" or "payload" or "run", '
            'found "failure"',
            'only the steps of "on_failure" and "finally" can look at it',
        ),
        (
            "[{uses: echo, baggage: {origin_x: payload.x}}]",
            'keys that begin with "origin_" belong to the origin of the chain',
            "choose another key",
        ),
        (
            "[{uses: echo, baggage: {ductile_x: payload.x}}]",
            'keys that begin with "ductile" belong to the core',
            "choose another key",
        ),
        (
            "[{uses: echo, baggage: {a..b: payload.x}}]",
            '"a..b" is not a key of the baggage',
            'use letters, digits, "_" and "-", with dots between the parts',
        ),
        (
            "[{uses: echo, baggage: {a.b: payload.x, a: payload}}]",
            '"a.b" is a part of "a", which is set here too',
            "name the whole or its parts, not both",
        ),
        (
            "[{uses: echo, baggage: {a: config.x}}]",
            'expected a path that begins with "context" or "payload", found "config"',
            "write a root and keys behind dots: payload.url",
        ),
    ],
)
def test_a_mistake_is_told_with_a_remedy(steps: str, message: str, hint: str | None) -> None:
    problem = next(p for p in problems_of(steps_text(steps)) if p.message == message)
    assert problem.hint == hint


def test_one_step_that_is_not_reached_is_told_once() -> None:
    steps = "[{uses: fetch, on_events: {x: []}}, {uses: echo}, {uses: notify}]"
    assert len(problems_of(steps_text(steps))) == 1


def test_a_call_that_nothing_goes_on_from_is_told_with_the_step_in_it() -> None:
    (problem,) = problems_of(
        steps_text("[{call: q}, {uses: echo}]"),
        steps_text("[{uses: fetch, on_events: {}}]", "q"),
    )
    assert problem.message.startswith('nothing leads to this step: "q/fetch"')


@pytest.mark.parametrize(
    ("step", "marked"),
    [
        ("{uses: echo, if: {path: payload.x, op: gtt, value: 1}}", "gtt"),
        ("{uses: echo, if: {all: [{path: payload.x, op: exists, value: 1}]}}", "value"),
        ("{uses: echo, if: {path: paylod.x, op: exists}}", "paylod.x"),
        ("{uses: echo, with: {a: [1, '{payload.x']}}", "'{payload.x'"),
        ("{uses: echo, baggage: {a: nowhere.x}}", "nowhere.x"),
        ("{uses: echo, if: }", "if"),
        ("{steps: [{uses: echo}], if: 5}", "5"),
    ],
)
def test_a_mistake_in_an_expression_is_marked_where_it_stands(step: str, marked: str) -> None:
    (problem,) = problems_of(steps_text(f"[{step}]"))
    place = problem.place
    assert place is not None
    assert place.text[place.column - 1 : place.column - 1 + place.length] == marked


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("on: []", "expected something, found an empty list"),
        ("on: [a, a]", '"a" stands twice'),
        ("on: [a, 5]", "expected text, found the number 5"),
        ("on: [a, b..c]", '"b..c" is not an event type'),
        ("on: a, from: a b", '"a b" is not a name'),
        ("on: a, timeout: soon", '"soon" is not a duration'),
        ("on: a, on_failure: []", "expected something, found an empty list"),
        (
            "on: a, if: {path: config.x, op: exists}",
            'expected a path that begins with "context" or "payload", found "config"',
        ),
        (
            "on: a, finally: [{uses: echo, id: echo}, {uses: echo, id: echo}]",
            'step id "echo" stands twice in one pipeline',
        ),
        (
            "on: a, finally: [{uses: echo, join: all}]",
            'the first step of a pipeline has nothing to wait for with "join"',
        ),
    ],
)
def test_a_mistake_in_a_pipeline_is_told(keys: str, message: str) -> None:
    (problem,) = problems_of(f"pipelines: [{{name: p, {keys}, steps: [{{uses: echo}}]}}]")
    assert problem.message == message
