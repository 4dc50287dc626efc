"""Conditions: what is passed by, and what goes on all the same."""

from __future__ import annotations

import pytest

from ductile.dispatch.interfaces import Trigger
from ductile.model.run import RunStatus
from ductile.telemetry.signals import RunSettled
from tests.integration.language.seen import (
    files_of,
    payload_of,
    request_of,
    results_of,
    run_of,
    times,
)
from tests.support.scripts import emits
from tests.support.site import Chain, Site

NO = "if: {path: payload.no, op: exists}"
YES = "if: {path: payload.yes, op: exists}"


def finished(site: Site, text: str) -> Chain:
    site.pipeline(text)
    with site.running() as running:
        return running.finish("go", {"yes": 1})


def skips(chain: Chain) -> list[str]:
    return [skip.step_id for skip in chain.records.skips]


@pytest.mark.parametrize(
    ("step", "skipped"),
    [
        (f"{{uses: two, {NO}}}", "two"),
        (f"{{call: q, {NO}}}", "q"),
        (f"{{id: s, split: [{{uses: two}}, {{uses: three}}], {NO}}}", "s"),
        (f"{{id: g, steps: [{{uses: two}}, {{uses: three}}], {NO}}}", "g"),
    ],
)
def test_a_step_whose_condition_does_not_hold_is_passed_by(
    site: Site, step: str, skipped: str
) -> None:
    chain = finished(
        site,
        f"""
        - {{name: p, on: go, steps: [{{uses: one}}, {step}, {{uses: ok}}]}}
        - {{name: q, on: other, steps: [{{uses: two}}]}}
        """,
    )
    assert times(chain) == {"one": 1, "ok": 1}
    assert skips(chain) == [skipped]
    assert run_of(chain).status is RunStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("step", "ran"),
    [
        (f"{{uses: two, {YES}}}", {"two"}),
        (f"{{call: q, {YES}}}", {"q/two"}),
        (f"{{split: [{{uses: two}}, {{uses: three}}], {YES}}}", {"two", "three"}),
        (f"{{steps: [{{uses: two}}, {{uses: three}}], {YES}}}", {"two", "three"}),
    ],
)
def test_a_step_whose_condition_holds_runs(site: Site, step: str, ran: set[str]) -> None:
    chain = finished(
        site,
        f"""
        - {{name: p, on: go, steps: [{{uses: one}}, {step}, {{uses: ok}}]}}
        - {{name: q, on: other, steps: [{{uses: two}}]}}
        """,
    )
    assert times(chain) == {"one": 1, "ok": 1} | dict.fromkeys(ran, 1)
    assert skips(chain) == []


def test_a_skip_is_recorded_with_its_reason_and_what_led_to_it(site: Site) -> None:
    chain = finished(
        site,
        """
        - name: p
          on: go
          steps: [{uses: one}, {uses: two, if: {path: payload.yes, op: gt, value: 3}}]
        """,
    )
    [skip] = chain.records.skips
    assert (skip.run_id, skip.step_id) == (run_of(chain).id, "two")
    assert skip.parent_job_id == chain.job("one").id
    assert "payload.yes" in skip.reason
    assert "1" in skip.reason


def test_event_baggage_and_files_go_past_a_step_that_is_skipped(site: Site) -> None:
    site.plugin("make", "cat >/dev/null\necho here >made\n" + emits(("found", {"n": 7})))
    site.pipeline(
        f"""
        - name: p
          on: go
          steps: [{{uses: one}}, {{uses: make}}, {{uses: two, {NO}}}, {{uses: keep}}]
        """
    )
    with site.running() as running:
        chain = running.finish("go")
        request = request_of(running, chain.job("keep"))
        assert files_of(running, chain.job("keep"))["made"] == "here\n"
    assert (request["event"]["type"], request["event"]["payload"]["n"]) == ("found", 7)
    assert chain.job("keep").parent_job_id == chain.job("make").id
    assert chain.baggage_of(chain.job("keep"))["one"] is True


def test_a_condition_is_decided_for_every_event(site: Site) -> None:
    site.plugin("list", emits(*(("part", {"n": n}) for n in (1, 2, 3))))
    chain = finished(
        site,
        """
        - name: p
          on: go
          steps:
            - uses: list
            - {uses: two, if: {path: payload.n, op: gte, value: 2}}
            - {uses: keep, join: all}
        """,
    )
    assert times(chain) == {"list": 1, "two": 2, "keep": 1}
    assert sorted(results_of(chain, "keep")) == ["list", "two", "two"]


def test_everything_up_to_a_join_may_be_skipped(site: Site) -> None:
    chain = finished(
        site,
        f"""
        - name: p
          on: go
          steps: [{{split: [{{uses: one, {NO}}}, {{uses: two, {NO}}}]}}, {{uses: keep}}]
        """,
    )
    assert times(chain) == {"keep": 1}
    assert payload_of(chain, chain.job("keep"))["yes"] == 1


def test_a_run_ends_well_when_its_last_step_is_skipped(site: Site) -> None:
    chain = finished(site, f"- {{name: p, on: go, steps: [{{uses: one}}, {{uses: two, {NO}}}]}}")
    assert (run_of(chain).status, times(chain)) == (RunStatus.SUCCEEDED, {"one": 1})


@pytest.mark.parametrize(
    "steps",
    [
        f"[{{uses: one, {NO}}}]",
        f"[{{uses: one, {NO}}}, {{uses: two, {NO}}}]",
        f"[{{split: [{{uses: one}}, {{uses: two}}], {NO}}}]",
        f"[{{split: [{{uses: one, {NO}}}, {{uses: two, {NO}}}]}}, {{uses: keep, {NO}}}]",
    ],
)
def test_a_run_whose_every_step_is_skipped_ends_well_at_once(site: Site, steps: str) -> None:
    site.pipeline(f"- {{name: p, on: go, steps: {steps}}}")
    with site.running() as running:
        chain = running.finish("go")
        [settled] = running.signals.of(RunSettled)
    assert chain.jobs == []
    assert (settled.status, run_of(chain).open_jobs) == (RunStatus.SUCCEEDED, 0)


def test_finally_follows_a_run_whose_every_step_is_skipped(site: Site) -> None:
    chain = finished(
        site, f"- {{name: p, on: go, steps: [{{uses: one, {NO}}}], finally: [{{uses: ok}}]}}"
    )
    assert times(chain) == {"ok": 1}
    assert run_of(chain).status is RunStatus.SUCCEEDED


# The head of a pipeline


@pytest.mark.parametrize(("condition", "runs"), [(YES, 1), (NO, 0)])
def test_the_condition_of_a_pipeline_decides_whether_a_run_starts(
    site: Site, condition: str, runs: int
) -> None:
    chain = finished(site, f"- {{name: p, on: go, {condition}, steps: [{{uses: one}}]}}")
    assert (len(chain.records.runs), len(chain.jobs)) == (runs, runs)


def test_the_condition_of_a_pipeline_counts_for_events_from_plugins(site: Site) -> None:
    site.plugin("find", emits(("found", {"n": 1}), ("found", {"n": 2})))
    chain = finished(
        site,
        """
        - {name: p, on: go, steps: [{uses: find}]}
        - {name: q, on: found, if: {path: payload.n, op: eq, value: 2}, steps: [{uses: ok}]}
        """,
    )
    assert [run.pipeline_name for run in chain.records.runs] == ["p", "q"]
    assert payload_of(chain, chain.job("ok")) == {"n": 2}


def test_any_type_of_a_list_starts_a_pipeline(site: Site) -> None:
    site.pipeline("- {name: p, on: [go, come], steps: [{uses: one}]}")
    with site.running() as running:
        counts = [len(running.finish(kind).jobs) for kind in ("go", "come", "stay")]
    assert counts == [1, 1, 0]


def test_only_events_of_its_source_start_a_pipeline_with_from(site: Site) -> None:
    site.plugin("find", emits(("found", {})))
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: find}]}
        - {name: q, on: found, from: find, steps: [{uses: ok}]}
        """
    )
    with site.running() as running:
        from_outside = running.finish("found")
        from_plugin = running.finish("go")
    assert from_outside.records.runs == []
    assert times(from_plugin) == {"find": 1, "ok": 1}


def test_conditions_of_steps_see_config_run_and_context(site: Site) -> None:
    site.config["plugins"] = {"two": {"config": {"level": 3}}}
    chain = finished(
        site,
        """
        - name: p
          on: go
          steps:
            - uses: one
            - uses: two
              if:
                all:
                  - {path: config.level, op: eq, value: 3}
                  - {path: run.pipeline, op: eq, value: p}
                  - {path: run.step, op: eq, value: two}
                  - {path: context.by, op: eq, value: one}
            - {uses: three, if: {path: config.level, op: exists}}
        """,
    )
    assert times(chain) == {"one": 1, "two": 1}


def test_a_pipeline_that_a_trigger_names_is_held_to_its_condition(site: Site) -> None:
    site.pipeline(f"- {{name: p, on: go, {NO}, steps: [{{uses: one}}]}}")
    with site.running() as running:
        accepted = running.gateway.intake.accept(Trigger("x", {}, "test", pipeline="p"))
    assert accepted.run_ids == ()
