"""Joins: what follows several branches, once."""

from __future__ import annotations

import pytest

from ductile.model.job import JobStatus
from ductile.model.run import RunStatus
from ductile.telemetry.signals import BranchesDisagree, RunSettled
from tests.integration.engine.gate import Gate
from tests.integration.language.seen import (
    request_of,
    results_of,
    run_of,
    times,
)
from tests.support.scripts import OK, emits, updates
from tests.support.site import Site


def finished(site: Site, text: str) -> dict[str, int]:
    site.pipeline(text)
    with site.running() as running:
        chain = running.finish("go")
    assert run_of(chain).status is RunStatus.SUCCEEDED
    return times(chain)


def thrice() -> str:
    return emits(*(("part", {"n": n}) for n in (1, 2, 3)))


# How often what follows runs


def test_a_step_after_a_split_runs_once(site: Site) -> None:
    assert finished(
        site, "- {name: p, on: go, steps: [{split: [{uses: one}, {uses: two}]}, {uses: ok}]}"
    ) == {"one": 1, "two": 1, "ok": 1}


def test_it_waits_for_the_jobs_of_all_events_of_a_branch(site: Site) -> None:
    site.plugin("list", thrice())
    assert finished(
        site,
        """
        - name: p
          on: go
          steps:
            - split: [{steps: [{uses: list}, {id: each, uses: ok}]}, {uses: two}]
            - uses: keep
        """,
    ) == {"list": 1, "each": 3, "two": 1, "keep": 1}


def test_the_events_of_the_last_step_of_a_branch_are_gathered_too(site: Site) -> None:
    site.plugin("list", thrice())
    site.pipeline(
        "- {name: p, on: go, steps: [{split: [{uses: list}, {uses: two}]}, {uses: keep}]}"
    )
    with site.running() as running:
        chain = running.finish("go")
        results = request_of(running, chain.job("keep"))["event"]["payload"]["results"]
    listed = [each["event"]["payload"]["n"] for each in results if each["step"] == "list"]
    assert sorted(listed) == [1, 2, 3]


def test_join_all_gathers_the_events_of_an_earlier_step(site: Site) -> None:
    site.plugin("list", thrice())
    assert finished(
        site,
        """
        - name: p
          on: go
          steps: [{uses: list}, {id: each, uses: ok}, {id: sheet, uses: keep, join: all}]
        """,
    ) == {"list": 1, "each": 3, "sheet": 1}


def test_a_split_after_a_split_runs_each_of_its_branches_once(site: Site) -> None:
    assert finished(
        site,
        """
        - name: p
          on: go
          steps:
            - split: [{uses: one}, {uses: two}]
            - split: [{id: a, uses: ok}, {id: b, uses: ok}]
            - uses: keep
        """,
    ) == {"one": 1, "two": 1, "a": 1, "b": 1, "keep": 1}


def test_a_join_within_a_branch_waits_for_its_branch_alone(site: Site) -> None:
    assert finished(
        site,
        """
        - name: p
          on: go
          steps:
            - split:
                - steps:
                    - split: [{uses: one}, {uses: two}]
                    - {id: inner, uses: ok}
                - uses: three
            - uses: keep
        """,
    ) == {"one": 1, "two": 1, "inner": 1, "three": 1, "keep": 1}


def test_a_join_within_a_branch_goes_on_while_another_branch_runs(site: Site, gate: Gate) -> None:
    site.plugin("slow", gate.wait + OK)
    site.plugin("inner", gate.announce + OK)
    site.pipeline(
        """
        - name: p
          on: go
          steps:
            - split:
                - uses: slow
                - steps: [{split: [{uses: one}, {uses: two}]}, {uses: inner}]
            - uses: keep
        """
    )
    with site.running() as running:
        accepted = running.send("go")
        arrived = {gate.arrival(), gate.arrival()}
        gate.let_through()
        chain = running.ended(accepted.event_id)
    assert chain.job("inner").id in arrived
    assert times(chain)["keep"] == 1


@pytest.mark.parametrize(
    "inner",
    [
        "[{split: [{uses: one}, {uses: two}]}]",
        "[{uses: three}, {split: [{uses: one}, {uses: two}]}]",
    ],
)
def test_what_follows_a_call_that_ends_in_branches_runs_once(site: Site, inner: str) -> None:
    found = finished(
        site,
        f"""
        - {{name: p, on: go, steps: [{{id: c, call: q}}, {{uses: ok}}]}}
        - {{name: q, on: other, steps: {inner}}}
        """,
    )
    assert (found["c/one"], found["c/two"], found["ok"]) == (1, 1, 1)


def test_a_call_that_begins_with_branches_may_follow_branches(site: Site) -> None:
    found = finished(
        site,
        """
        - {name: p, on: go, steps: [{split: [{uses: one}, {uses: two}]}, {id: c, call: q}]}
        - {name: q, on: other, steps: [{split: [{uses: ok}, {uses: keep}]}]}
        """,
    )
    assert found == {"one": 1, "two": 1, "c/ok": 1, "c/keep": 1}


# What it gets


def test_the_results_are_those_of_the_branches_in_the_order_of_the_file(
    site: Site, gate: Gate
) -> None:
    site.plugin("slow", gate.wait + OK)
    site.plugin("second", OK + gate.announce)
    site.pipeline(
        """
        - name: p
          on: go
          steps: [{split: [{uses: slow}, {uses: second}]}, {uses: keep}]
        """
    )
    with site.running() as running:
        accepted = running.send("go")
        gate.arrival(), gate.arrival()
        gate.let_through()
        chain = running.ended(accepted.event_id)
        results = request_of(running, chain.job("keep"))["event"]["payload"]["results"]
    assert [(each["step"], each["job_id"]) for each in results] == [
        (step, chain.job(step).id) for step in ("slow", "second")
    ]
    assert {each["event"]["type"] for each in results} == {"ductile.step.succeeded"}


def test_its_baggage_has_what_every_branch_gave_and_the_later_counts(site: Site) -> None:
    site.pipeline(
        """
        - name: p
          on: go
          steps: [{split: [{uses: one}, {uses: two}, {uses: three}]}, {uses: ok}]
        """
    )
    with site.running() as running:
        chain = running.finish("go", {"by": "nobody"})
    read = chain.baggage_of(chain.job("ok"))
    assert [read[key] for key in ("one", "two", "three", "by")] == [True, True, True, "three"]


def test_a_key_that_a_branch_only_inherited_does_not_undo_the_change_of_another(
    site: Site,
) -> None:
    site.pipeline(
        """
        - name: p
          on: go
          steps: [{uses: three}, {split: [{uses: one}, {uses: ok}]}, {id: after, uses: ok}]
        """
    )
    with site.running() as running:
        chain = running.finish("go")
        heard = running.signals.of(BranchesDisagree)
    assert chain.baggage_of(chain.job("after"))["by"] == "one"
    assert heard == []


def test_branches_that_disagree_are_told_of_with_key_and_jobs(site: Site) -> None:
    site.pipeline("- {name: p, on: go, steps: [{split: [{uses: one}, {uses: two}]}, {uses: ok}]}")
    with site.running() as running:
        chain = running.finish("go")
        [heard] = running.signals.of(BranchesDisagree)
    jobs = (chain.job("one").id, chain.job("two").id)
    assert (heard.run, heard.join, heard.key) == (run_of(chain).id, "ok:join", "by")
    assert (heard.earlier_job, heard.later_job) == jobs


def test_every_branch_is_recorded_as_a_parent(site: Site) -> None:
    site.pipeline("- {name: p, on: go, steps: [{split: [{uses: one}, {uses: two}]}, {uses: ok}]}")
    with site.running() as running:
        chain = running.finish("go")
    assert chain.job("ok").join_id == "ok:join"
    assert [arrival.job_id for arrival in chain.records.arrivals if arrival.position == 0] == [
        chain.job("one").id
    ]
    assert {arrival.job_id for arrival in chain.records.arrivals} == {
        chain.job("one").id,
        chain.job("two").id,
    }


def test_a_branch_without_steps_that_run_hands_on_what_was_before_the_split(site: Site) -> None:
    site.pipeline(
        """
        - name: p
          on: go
          steps:
            - uses: one
            - split:
                - {uses: two, if: {path: payload.no, op: exists}}
                - {uses: three, if: {path: payload.no, op: exists}}
            - uses: keep
        """
    )
    with site.running() as running:
        chain = running.finish("go")
    assert times(chain) == {"one": 1, "keep": 1}
    assert results_of(chain, "keep") == ["one"]


# Failures and the race


def test_a_failed_branch_keeps_the_join_from_running_and_fails_the_run(site: Site) -> None:
    site.pipeline("- {name: p, on: go, steps: [{split: [{uses: bad}, {uses: two}]}, {uses: ok}]}")
    with site.running() as running:
        chain = running.finish("go")
    assert times(chain) == {"bad": 1, "two": 1}
    assert run_of(chain).status is RunStatus.FAILED
    assert run_of(chain).reason == 'step "bad" failed: no luck'


def test_a_run_fails_only_when_its_other_branches_have_ended(site: Site, gate: Gate) -> None:
    site.plugin("slow", gate.wait + OK)
    site.pipeline(
        """
        - name: p
          on: go
          steps: [{split: [{uses: bad}, {steps: [{uses: slow}, {uses: two}]}]}, {uses: ok}]
        """
    )
    with site.running() as running:
        accepted = running.send("go")
        gate.arrival()
        running.signals.wait_until(
            lambda: running.chain(accepted.event_id).job("bad").status is JobStatus.FAILED
        )
        assert run_of(running.chain(accepted.event_id)).status is RunStatus.RUNNING
        gate.let_through()
        chain = running.ended(accepted.event_id)
        settled = running.signals.of(RunSettled)
    assert times(chain) == {"bad": 1, "slow": 1, "two": 1}
    assert [each.status for each in settled] == [RunStatus.FAILED]


def test_branches_that_end_at_the_same_moment_are_joined_once(site: Site, gate: Gate) -> None:
    site.plugin("wait", gate.wait + updates(done=True))
    site.pipeline(
        """
        - name: p
          on: go
          steps:
            - split: [{id: a, uses: wait}, {id: b, uses: wait}, {id: c, uses: wait}]
            - {id: after, uses: ok}
        """
    )
    with site.running() as running:
        for _ in range(25):
            accepted = running.send("go")
            for _ in range(3):
                gate.arrival()
            gate.let_through(3)
            chain = running.ended(accepted.event_id)
            assert times(chain) == {"a": 1, "b": 1, "c": 1, "after": 1}
            assert sorted(results_of(chain, "after")) == ["a", "b", "c"]
