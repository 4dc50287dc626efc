"""What jobs know of what happened before them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ductile.dispatch.interfaces import Trigger
from ductile.model.clock import to_text
from ductile.model.context import Context
from ductile.model.job import Job
from tests.integration.engine.parts import tables
from tests.integration.engine.test_refused_answers import nothing_kept
from tests.support.clock import START, FakeClock
from tests.support.scripts import KEEP_REQUEST, OK, answer, emits, fails, updates
from tests.support.site import Running, Site


def request_of(running: Running, job: Job) -> dict[str, Any]:
    """What the plugin of a job that kept its request was given."""
    found: dict[str, Any] = json.loads((running.workspace(job) / "request.json").read_text())
    return found


def anchor(context: Context) -> dict[str, Any]:
    return {key: value for key, value in context.baggage.items() if key.startswith("origin_")}


# How it grows


def three_steps(site: Site) -> None:
    site.plugin("one", updates(a=1, shared="one"))
    site.plugin("two", updates(b={"x": 1}, shared="two"))
    site.plugin("three", updates(b={"y": 2}))
    site.pipeline("- {name: p, on: go, steps: [{uses: one}, {uses: two}, {uses: three}]}")


def test_the_root_holds_the_payload_and_the_anchor_of_the_event(site: Site) -> None:
    three_steps(site)
    with site.running(clock=FakeClock()) as running:
        chain = running.finish("go", {"url": "u", "origin_source": "forged", "origin_user": "me"})
    root = chain.records.contexts[0]
    assert (root.hop, root.parent_id, root.run_id) == (0, None, None)
    assert root.baggage == {
        "url": "u",
        "origin_event_id": chain.records.events[0].id,
        "origin_event_type": "go",
        "origin_source": "test",
        "origin_received_at": to_text(START),
        "origin_user": "me",
    }


@pytest.mark.parametrize("payload", [[1, 2], "text", 7, None, True])
def test_a_payload_that_is_no_object_becomes_a_value(site: Site, payload: Any) -> None:
    three_steps(site)
    with site.running() as running:
        accepted = running.gateway.intake.accept(Trigger("go", payload, "test"))
        chain = running.ended(accepted.event_id)
    assert chain.baggage_of(chain.job("three"))["value"] == payload


def test_baggage_accumulates_from_step_to_step_by_top_level_key(site: Site) -> None:
    three_steps(site)
    with site.running() as running:
        chain = running.finish("go", {"url": "u"})
    last = dict(chain.written_by(chain.job("three")))
    assert {key: last[key] for key in ("url", "a", "b", "shared")} == {
        "url": "u",
        "a": 1,
        "b": {"y": 2},
        "shared": "two",
    }


def test_each_success_writes_one_row_that_names_step_hop_and_version(site: Site) -> None:
    three_steps(site)
    with site.running() as running:
        chain = running.finish("go")
    rows = tables(site, "view")["event_context"]
    [run] = chain.records.runs
    assert sorted((hop, step, *pinned) for _, _, *pinned, step, hop, _, _ in rows)[1:] == [
        (hop, step, run.id, "p", run.pipeline_hash)
        for hop, step in enumerate(("one", "two", "three"), start=1)
    ]


def test_a_job_reads_the_row_that_its_parent_wrote(site: Site) -> None:
    three_steps(site)
    with site.running() as running:
        chain = running.finish("go")
    rows = chain.records.contexts
    assert [job.event_context_id for job in chain.jobs] == [row.id for row in rows[:3]]
    assert [row.parent_id for row in rows[1:]] == [row.id for row in rows[:3]]


def test_a_job_says_which_row_its_success_wrote(site: Site) -> None:
    three_steps(site)
    with site.running() as running:
        chain = running.finish("go")
    rows = chain.records.contexts
    assert [job.result_context_id for job in chain.jobs] == [row.id for row in rows[1:]]


def test_a_failure_writes_no_row(site: Site) -> None:
    site.plugin("bad", fails(state_updates={"kept": True}, retry=False))
    site.pipeline("- {name: p, on: go, steps: [{uses: bad}]}")
    with site.running() as running:
        assert nothing_kept(running, running.finish("go"))


def test_a_failed_try_before_the_success_writes_no_row(site: Site) -> None:
    site.config["plugins"] = {"later": {"retry": {"backoff_base": "1ms"}}}
    site.plugin(
        "later", f"grep -q '\"attempt\":1' && {{ {fails().strip()}; exit 1; }}\n{updates(a=1)}"
    )
    site.pipeline("- {name: p, on: go, steps: [{uses: later}]}")
    with site.running() as running:
        chain = running.finish("go")
    assert chain.job("later").attempt == 2
    assert len(chain.records.contexts) == 2


def test_siblings_share_the_row_of_their_parent_and_never_see_each_other(site: Site) -> None:
    site.plugin("first", updates(a=1))
    for name in ("left", "right"):
        site.plugin(name, updates(**{name: True}))
    site.plugin("end", OK)
    site.pipeline(
        """
        - name: p
          on: go
          steps:
            - uses: first
            - split:
                - steps: [{uses: left}, {id: after_left, uses: end}]
                - steps: [{uses: right}, {id: after_right, uses: end}]
        """
    )
    with site.running() as running:
        chain = running.finish("go")
    assert chain.job("left").event_context_id == chain.job("right").event_context_id
    after_left = chain.baggage_of(chain.job("after_left"))
    assert after_left["left"] is True
    assert "right" not in after_left


def test_a_key_of_the_first_event_is_in_the_payload_four_steps_later(site: Site) -> None:
    site.plugin("silent", OK)
    site.plugin("noisy", emits(("noise.made", {"noise": 1})))
    site.plugin("last", KEEP_REQUEST + answer())
    site.pipeline(
        """
        - name: p
          on: go
          steps: [{id: a, uses: silent}, {id: b, uses: noisy}, {id: c, uses: silent},
                  {id: d, uses: noisy}, {uses: last}]
        """
    )
    with site.running() as running:
        chain = running.finish("go", {"channel_id": "C1", "noise": "from the start"})
        payload = request_of(running, chain.job("last"))["event"]["payload"]
    assert payload["channel_id"] == "C1"
    assert payload["noise"] == 1, "the event's own payload wins over the baggage"


# Runs that are started by events of jobs


def two_pipelines(site: Site, payload: dict[str, Any]) -> None:
    site.plugin(
        "caller",
        answer(
            events=[{"type": "found", "payload": payload}], state_updates={"added": "by the caller"}
        ),
    )
    site.plugin("callee", KEEP_REQUEST + updates(own=1))
    site.pipeline(
        """
        - {name: first, on: go, steps: [{uses: caller}]}
        - {name: second, on: found, steps: [{uses: callee}]}
        """
    )


def test_a_run_that_an_event_starts_begins_with_the_events_payload_over_the_baggage(
    site: Site,
) -> None:
    two_pipelines(site, {"number": 7, "url": "new"})
    with site.running() as running:
        chain = running.finish("go", {"url": "old", "channel_id": "C1"})
    root, grown, seed, end = chain.records.contexts
    second = next(run for run in chain.records.runs if run.pipeline_name == "second")
    assert (seed.parent_id, seed.hop, seed.step_id) == (grown.id, 2, None)
    assert (seed.run_id, seed.pipeline_hash) == (second.id, second.pipeline_hash)
    assert {key: seed.baggage[key] for key in ("number", "url", "channel_id", "added")} == {
        "number": 7,
        "url": "new",
        "channel_id": "C1",
        "added": "by the caller",
    }
    assert chain.job("callee").event_context_id == seed.id
    assert end.parent_id == seed.id
    assert root.hop == 0


def test_the_anchor_stays_that_of_the_first_event(site: Site) -> None:
    two_pipelines(site, {})
    with site.running() as running:
        chain = running.finish("go", {"origin_user": "me"})
    anchors = [anchor(row) for row in chain.records.contexts]
    assert len(anchors) == 4
    assert all(each == anchors[0] for each in anchors)


def test_a_run_deeper_than_the_limit_is_refused_with_the_path_of_pipelines(site: Site) -> None:
    site.config["service"] = {"depth_limit": 3}
    site.plugin("ping", emits(("pong", {})))
    site.plugin("pong", emits(("ping", {})))
    site.pipeline(
        """
        - {name: pinger, on: ping, steps: [{uses: ping}]}
        - {name: ponger, on: pong, steps: [{uses: pong}]}
        """
    )
    with site.running() as running:
        chain = running.finish("ping")
    assert [run.depth for run in chain.records.runs] == [1, 2, 3]
    assert [job.status for job in chain.jobs] == ["succeeded", "succeeded", "failed"]
    last = chain.jobs[-1]
    assert last.attempt == 1
    assert "pinger -> ponger -> pinger -> ponger" in str(last.last_error)
    assert "service.depth_limit" in str(last.last_error)
