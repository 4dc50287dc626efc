"""Warnings about the events that start pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ductile.documents.problems import Problem
from ductile.documents.render import render, to_json
from tests.support.site import Site

SCRIPT = 'echo \'{"status": "ok"}\''
SIGNATURE = {"scheme": "hmac-sha256", "secret": "secret"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def plugin(site: Site, name: str, values: Any) -> None:
    """A plugin whose manifest has these `values` for its command."""
    site.plugin(name, SCRIPT, commands=[{"name": "handle", "type": "write", "values": values}])


def emitting(site: Site, name: str, *types: str) -> None:
    """A plugin whose manifest says what it emits."""
    plugin(site, name, {"emit": [{"event": each, "values": ["payload.url"]} for each in types]})


def pipelines(site: Site, *described: str) -> None:
    """Pipelines of one step each, as name, `on`, step, and further keys."""
    for line in described:
        name, on, step, *more = line.split(" ")
        keys = ", ".join((f"name:{name}", f"on:{on}", *more, f"steps:[{{{step}}}]"))
        site.pipeline(f"- {{{keys.replace(':', ': ')}}}", f"{name}.yaml")


def warnings(site: Site) -> list[Problem]:
    """All that is wrong, none of which refuses the files."""
    configuration = site.read()
    assert configuration.usable, configuration.problems
    return list(configuration.problems)


def shown(site: Site) -> list[str]:
    """The one warning that there is, as it is shown, without the folder of its file."""
    [warning] = warnings(site)
    return render([warning]).partition("pipelines/")[2].splitlines()[:4]


def messages(site: Site) -> list[str]:
    return [problem.message for problem in warnings(site)]


def test_a_type_that_nothing_produces_is_a_warning_with_the_type_that_was_meant(
    site: Site,
) -> None:
    emitting(site, "fetch", "page.fetched")
    emitting(site, "store")
    site.config["webhooks"] = {
        "endpoints": [{"name": "pages", "event": "page.wanted", "signature": SIGNATURE}]
    }
    pipelines(site, "get page.wanted uses:fetch", "keep page.fetchd uses:store")
    assert shown(site) == [
        'keep.yaml:2:22: warning: pipeline "keep" is started by "page.fetchd", '
        "which no webhook makes and no plugin emits",
        "    2 |   - {name: keep, on: page.fetchd, steps: [{uses: store}]}",
        "      |                      ^^^^^^^^^^^",
        '      = did you mean "page.fetched"? '
        "As it is, only the API and the command line can start it",
    ]


def test_a_type_that_a_sender_can_name_is_produced(site: Site) -> None:
    emitting(site, "store")
    site.config["webhooks"] = {
        "endpoints": [
            {
                "name": "hub",
                "event": "hub.{event}",
                "event_header": "X-Kind",
                "signature": SIGNATURE,
            }
        ]
    }
    pipelines(site, "keep hub.push uses:store", "lose hub uses:store", "miss hubs.push uses:store")
    assert [each.message.split('"')[1] for each in warnings(site)] == ["lose", "miss"]


def test_of_several_types_the_one_that_is_close_to_another_is_marked(site: Site) -> None:
    emitting(site, "fetch", "page.fetched")
    pipelines(site, "keep [page.gone,page.fetchd] uses:fetch")
    assert shown(site)[2].endswith(" " * 11 + "^" * len("page.fetchd"))


def test_the_json_of_a_warning_has_its_place(site: Site) -> None:
    emitting(site, "store")
    pipelines(site, "keep page.fetched uses:store")
    [warning] = to_json(warnings(site))
    assert (warning["line"], warning["column"], warning["severity"]) == (2, 22, "warning")
    assert warning["file"].endswith("pipelines/keep.yaml")


def test_without_a_close_type_the_hint_says_what_can_start_the_pipeline(site: Site) -> None:
    emitting(site, "store")
    pipelines(site, "keep page.fetched uses:store")
    assert [problem.hint for problem in warnings(site)] == [
        "only the API and the command line can start it"
    ]


@pytest.mark.parametrize(
    "values",
    [
        None,
        "emit",
        {"consume": ["payload.*"]},
        {"emit": "page.stored"},
        {"emit": ["page.stored"]},
        {"emit": [{"event": 5}]},
        {"emit": [{"event": "page.stored"}, {}]},
    ],
)
def test_nothing_is_called_unproduced_while_a_plugin_in_use_does_not_say_what_it_emits(
    site: Site, values: Any
) -> None:
    plugin(site, "store", values)
    pipelines(site, "keep page.fetched uses:store")
    assert messages(site) == []


def test_a_silent_plugin_behind_an_endpoint_may_emit_anything(site: Site) -> None:
    emitting(site, "store")
    site.plugin("receive", SCRIPT)
    site.config["webhooks"] = {
        "endpoints": [{"name": "pages", "plugin": "receive", "signature": SIGNATURE}]
    }
    pipelines(site, "keep page.fetched uses:store")
    assert messages(site) == []


def test_one_of_several_types_is_enough(site: Site) -> None:
    emitting(site, "store", "page.stored")
    emitting(site, "count")
    pipelines(site, "tell [page.stored,never.seen] uses:count")
    assert messages(site) == []


def test_the_type_of_an_endpoint_with_a_plugin_counts_as_produced(site: Site) -> None:
    emitting(site, "store")
    site.config["webhooks"] = {
        "endpoints": [{"name": "pages", "plugin": "store", "signature": SIGNATURE}]
    }
    pipelines(site, "keep webhook.pages uses:store")
    assert messages(site) == []


def test_a_pipeline_that_is_called_needs_no_event(site: Site) -> None:
    emitting(site, "store", "page.stored")
    pipelines(site, "outer page.stored call:inner", "inner inner.wanted uses:count")
    emitting(site, "count")
    assert messages(site) == []


def test_pipelines_that_start_each_other_are_one_warning_with_the_whole_circle(
    site: Site,
) -> None:
    emitting(site, "ask", "asked")
    emitting(site, "answer", "answered")
    pipelines(site, "a answered uses:ask", "b asked uses:answer")
    assert shown(site) == [
        "a.yaml:2:19: warning: events can lead in a circle of pipelines: a -> b -> a",
        "    2 |   - {name: a, on: answered, steps: [{uses: ask}]}",
        "      |                   ^^^^^^^^",
        "      = see that a condition ends it; otherwise service.depth_limit does, with a failure",
    ]


def test_a_pipeline_that_starts_itself_is_a_circle(site: Site) -> None:
    emitting(site, "ask", "asked")
    pipelines(site, "a asked uses:ask")
    assert messages(site) == ["events can lead in a circle of pipelines: a -> a"]


def test_what_leads_into_a_circle_is_not_named(site: Site) -> None:
    for name, types in {"in": ("b",), "b": ("c",), "c": ("b", "out"), "out": ()}.items():
        emitting(site, f"p-{name}", *types)
    site.plugin("silent", SCRIPT)
    names = ("in", "b", "c", "out")
    pipelines(site, *(f"{name} {name} uses:p-{name}" for name in names), "z z uses:silent")
    assert messages(site) == ["events can lead in a circle of pipelines: b -> c -> b"]


def test_circles_apart_from_each_other_are_told_apart(site: Site) -> None:
    for name, emitted in {"a": "b", "b": "a", "c": "d", "d": "c"}.items():
        emitting(site, f"p-{name}", emitted)
    pipelines(site, *(f"{name} {name} uses:p-{name}" for name in "abcd"))
    assert messages(site) == [
        "events can lead in a circle of pipelines: a -> b -> a",
        "events can lead in a circle of pipelines: c -> d -> c",
    ]


@pytest.mark.parametrize(("source", "expected"), [("ask", 1), ("elsewhere", 0)])
def test_a_circle_goes_only_through_pipelines_that_take_events_of_that_source(
    site: Site, source: str, expected: int
) -> None:
    emitting(site, "ask", "asked")
    pipelines(site, f"a asked uses:ask from:{source}")
    assert len(warnings(site)) == expected
