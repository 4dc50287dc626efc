"""Pipelines, differences and explanations as people read them."""

from __future__ import annotations

from ductile.cli.render.differences import difference_lines
from ductile.cli.render.explanation import explanation_text
from ductile.cli.render.graph import graph_tree
from ductile.cli.render.text import plain
from ductile.insights.explain import Explanation, Fate, Reached
from ductile.insights.graph_view import graph_view
from ductile.insights.pipeline_diff import Change, Difference
from ductile.model.run import Phase
from tests.unit.insights.pipelines import a_pipeline


def test_a_graph_is_a_tree_with_what_gathers_below_the_ways_to_it() -> None:
    text = graph_tree(graph_view(a_pipeline()), plain, width=100)

    assert text.splitlines() == [
        "├─ on video.shared  from receiver  if payload.url exists",
        "│  ├─ check  gate.handle  quality.none: ends",
        "│  │  ├─ quality.high:  if payload.length gt 30",
        "│  │  │  │  then      otherwise: notify",
        "│  │  │  │            otherwise: archive",
        "│  │  │  └─ holds:  publish/post  poster.handle",
        "│  │  │        then      notify",
        "│  │  │                  archive",
        "│  │  ├─ quality.low:  review  review.handle",
        "│  │  │     then      notify",
        "│  │  │               archive",
        "│  │  ├─ notify  notifier.handle  if payload.channel exists",
        "│  │  │     then      report:join",
        "│  │  └─ archive  archive.handle",
        "│  │     └─ index  index.handle",
        "│  │           then      report:join",
        "│  ├─ report:join  waits for all",
        "│  └─ report  report.handle",
        "├─ on_failure",
        "│  └─ alert  notifier.handle",
        "└─ finally",
        "   └─ cleanup  cleanup.handle",
    ]


def test_differences_stand_below_the_node_that_they_are_of() -> None:
    found = (
        Difference(Change.CHANGED, "step", "report", "timeout", "1m", "2m"),
        Difference(Change.ADDED, "step", "report", "with.url", None, "{payload.url}"),
        Difference(Change.REMOVED, "step", "tell", before={"plugin": "notifier", "if": None}),
    )

    assert difference_lines(found, plain, width=80).splitlines() == [
        "~ step report",
        '  ~ timeout: "1m" -> "2m"',
        '  + with.url: "{payload.url}"',
        "- step tell",
        '    plugin: "notifier"',
    ]


def test_an_explanation_keeps_what_is_certain_apart_from_what_may_follow() -> None:
    reached = (
        Reached("fetch", Fate.RUNS, None, "a.b", runs="captions.handle", reason="x is 1"),
        Reached("tell", Fate.SKIPPED, "fetch", "ductile.step.succeeded", reason="y is missing"),
        Reached("alert", Fate.RUNS, None, "a.b", runs="bell.handle", phase=Phase.ON_FAILURE),
        Reached("tidy", Fate.RUNS, None, "a.b", runs="broom.handle", phase=Phase.FINALLY),
    )
    explanation = Explanation("wisdom", "a.b", True, 'it starts on "a.b"', ("other",), reached)

    assert explanation_text(explanation, plain, width=80).splitlines() == [
        'wisdom would start: it starts on "a.b"',
        "the event also starts other",
        "",
        "at the start:",
        "└─ fetch  runs  captions.handle",
        "      because   x is 1",
        "",
        "then, if every step succeeds and hands on the payload that it got:",
        "└─ tell  skipped",
        "      after     fetch",
        "      because   y is missing",
        "",
        "on_failure, if the first step had failed:",
        "└─ alert  runs  bell.handle",
        "",
        "finally, if no step had failed:",
        "└─ tidy  runs  broom.handle",
        "",
        "nothing was run",
    ]
