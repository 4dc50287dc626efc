"""`on_failure` and `finally`: what follows the end of a run's main part."""

from __future__ import annotations

from typing import Any

import pytest

from ductile.model.event import RUN_ENDING, RUN_FAILED
from ductile.model.job import JobStatus
from ductile.model.run import Phase, RunStatus
from ductile.telemetry.signals import RunSettled
from tests.integration.engine.gate import Gate
from tests.integration.language.seen import files_of, request_of, run_of, times
from tests.support.scripts import OK, fails
from tests.support.site import Chain, Site


def finished(site: Site, text: str) -> Chain:
    site.pipeline(text)
    with site.running() as running:
        return running.finish("go", {"id": 1})


def order(chain: Chain) -> list[str]:
    return [str(job.step_id) for job in chain.jobs]


def test_after_a_failure_come_on_failure_and_then_finally(site: Site) -> None:
    chain = finished(
        site,
        """
        - name: p
          on: go
          steps: [{uses: bad}, {id: never, uses: ok}]
          on_failure: [{uses: one}, {uses: two}]
          finally: [{uses: three}, {id: last, uses: ok}]
        """,
    )
    assert order(chain) == ["bad", "one", "two", "three", "last"]
    assert (run_of(chain).status, run_of(chain).phase) == (RunStatus.FAILED, Phase.FINALLY)
    assert run_of(chain).reason == 'step "bad" failed: no luck'


def test_after_a_success_comes_only_finally(site: Site) -> None:
    chain = finished(
        site,
        """
        - {name: p, on: go, steps: [{uses: one}], on_failure: [{uses: two}], finally: [{uses: ok}]}
        """,
    )
    assert order(chain) == ["one", "ok"]
    assert (run_of(chain).status, run_of(chain).reason) == (RunStatus.SUCCEEDED, None)


@pytest.mark.parametrize(("plugin", "ran"), [("bad", ["bad", "tidy"]), ("one", ["one"])])
def test_a_step_of_finally_can_be_for_failures_alone(
    site: Site, plugin: str, ran: list[str]
) -> None:
    chain = finished(
        site,
        f"""
        - name: p
          on: go
          steps: [{{uses: {plugin}}}]
          finally: [{{id: tidy, uses: ok, if: {{path: failure, op: exists}}}}]
        """,
    )
    assert order(chain) == ran


def test_finally_comes_after_an_on_failure_that_failed(site: Site) -> None:
    site.plugin("worse", fails("even worse", retry=False))
    chain = finished(
        site,
        """
        - name: p
          on: go
          steps: [{uses: bad}]
          on_failure: [{uses: worse}, {id: never, uses: ok}]
          finally: [{uses: ok}]
        """,
    )
    assert order(chain) == ["bad", "worse", "ok"]
    assert run_of(chain).reason == 'step "bad" failed: no luck', "the first failure is the reason"


def test_a_failure_in_finally_fails_the_run_and_starts_nothing(site: Site) -> None:
    chain = finished(
        site,
        """
        - name: p
          on: go
          steps: [{uses: one}]
          on_failure: [{uses: two}]
          finally: [{uses: bad}, {id: never, uses: ok}]
        """,
    )
    assert order(chain) == ["one", "bad"]
    assert run_of(chain).status is RunStatus.FAILED
    assert run_of(chain).reason == 'step "bad" failed: no luck'


def test_a_run_is_settled_once_when_all_phases_are_over(site: Site) -> None:
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: bad}], on_failure: [{uses: one}], finally: [{uses: ok}]}
        """
    )
    with site.running() as running:
        running.finish("go")
        statuses = [each.status for each in running.signals.of(RunSettled)]
    assert statuses == [RunStatus.FAILED]


@pytest.mark.parametrize("phase", ["on_failure", "finally"])
def test_every_step_behind_a_failure_sees_it(site: Site, phase: str) -> None:
    site.pipeline(
        f"""
        - name: p
          on: go
          steps: [{{uses: bad}}]
          {phase}:
            - {{id: first, uses: keep}}
            - {{uses: one}}
            - split: [{{uses: two}}, {{uses: three}}]
            - id: last
              uses: keep
              if: {{path: failure.step, op: eq, value: bad}}
              with: {{text: "{{failure.step}}: {{failure.error}}"}}
        """
    )
    with site.running() as running:
        chain = running.finish("go")
        requests = [request_of(running, chain.job(step)) for step in ("first", "last")]
    payloads: list[dict[str, Any]] = [request["event"]["payload"] for request in requests]
    assert payloads[0]["failure"]["error"] == "no luck"
    assert payloads[1]["text"] == "bad: no luck"


def test_there_is_no_failure_to_see_where_none_was(site: Site) -> None:
    site.pipeline(
        """
        - name: p
          on: go
          steps: [{uses: one}]
          finally:
            - {uses: keep, with: {error: "{failure.error?}", text: "<{failure.error|none}>"}}
            - {uses: two, if: {path: failure.step, op: exists}}
        """
    )
    with site.running() as running:
        chain = running.finish("go")
        payload = request_of(running, chain.job("keep"))["event"]["payload"]
    assert (payload["text"], "error" in payload) == ("<none>", False)
    assert times(chain) == {"one": 1, "keep": 1}


@pytest.mark.parametrize(
    ("steps", "kind", "status"),
    [("{uses: bad}", RUN_FAILED, None), ("{uses: one}", RUN_ENDING, "succeeded")],
)
def test_a_phase_begins_with_an_event_of_its_own(
    site: Site, steps: str, kind: str, status: str | None
) -> None:
    site.pipeline(
        f"""
        - name: p
          on: go
          steps: [{{id: before, uses: ok}}, {steps}]
          on_failure: [{{id: failed, uses: keep}}]
          finally: [{{id: ending, uses: keep}}]
        """
    )
    with site.running() as running:
        chain = running.finish("go")
        job = chain.job("failed" if kind == RUN_FAILED else "ending")
        event = request_of(running, job)["event"]
    assert (event["type"], event["payload"].get("status")) == (kind, status)


def test_on_failure_has_the_files_and_baggage_that_the_failed_step_began_with(site: Site) -> None:
    site.plugin("make", 'cat >/dev/null\necho here >made\necho \'{"status": "ok"}\'\n')
    site.plugin("spoil", "cat >/dev/null\necho x >spoilt\n" + fails("no", retry=False))
    site.pipeline(
        """
        - name: p
          on: go
          steps: [{uses: one}, {uses: make}, {uses: spoil}]
          on_failure: [{uses: keep}]
        """
    )
    with site.running() as running:
        chain = running.finish("go")
        found = set(files_of(running, chain.job("keep")))
    assert found == {"made", "request.json"}
    assert chain.baggage_of(chain.job("keep"))["one"] is True


def test_on_failure_behind_a_failed_step_after_a_join_has_the_files_of_all_branches(
    site: Site,
) -> None:
    for name in ("left", "right"):
        site.plugin(name, f'cat >/dev/null\necho x >{name}.txt\necho \'{{"status": "ok"}}\'\n')
    site.pipeline(
        """
        - name: p
          on: go
          steps: [{split: [{uses: left}, {uses: right}]}, {uses: bad}]
          on_failure: [{uses: keep}]
        """
    )
    with site.running() as running:
        chain = running.finish("go")
        found = set(files_of(running, chain.job("keep")))
    assert found == {"left.txt", "right.txt", "request.json"}


@pytest.mark.parametrize("phase", ["on_failure", "finally"])
def test_a_join_in_a_later_phase_goes_on_once(site: Site, phase: str) -> None:
    chain = finished(
        site,
        f"""
        - name: p
          on: go
          steps: [{{split: [{{uses: bad}}, {{id: a, uses: ok}}]}}, {{id: never, uses: ok}}]
          {phase}: [{{split: [{{uses: one}}, {{uses: two}}]}}, {{id: after, uses: ok}}]
        """,
    )
    assert times(chain) == {"bad": 1, "a": 1, "one": 1, "two": 1, "after": 1}


def test_on_failure_waits_for_the_branches_that_still_run(site: Site, gate: Gate) -> None:
    site.plugin("slow", gate.wait + OK)
    site.pipeline(
        """
        - name: p
          on: go
          steps: [{split: [{uses: bad}, {uses: slow}]}]
          on_failure: [{uses: keep}]
        """
    )
    with site.running() as running:
        accepted = running.send("go")
        gate.arrival()
        running.signals.wait_until(
            lambda: running.chain(accepted.event_id).job("bad").status is JobStatus.FAILED
        )
        before = times(running.chain(accepted.event_id))
        gate.let_through()
        chain = running.ended(accepted.event_id)
    assert before == {"bad": 1, "slow": 1}
    assert times(chain) == {"bad": 1, "slow": 1, "keep": 1}


def test_two_failures_give_one_on_failure_for_the_first(site: Site, gate: Gate) -> None:
    site.plugin("later", gate.wait + fails("too late", retry=False))
    site.pipeline(
        """
        - name: p
          on: go
          steps: [{split: [{uses: later}, {uses: bad}]}]
          on_failure: [{uses: keep, with: {step: "{failure.step}"}}]
        """
    )
    with site.running() as running:
        accepted = running.send("go")
        gate.arrival()
        running.signals.wait_until(
            lambda: running.chain(accepted.event_id).job("bad").status is JobStatus.FAILED
        )
        gate.let_through()
        chain = running.ended(accepted.event_id)
        payload = request_of(running, chain.job("keep"))["event"]["payload"]
    assert (times(chain)["keep"], payload["step"]) == (1, "bad")


def test_a_called_pipeline_brings_no_phases_of_its_own(site: Site) -> None:
    chain = finished(
        site,
        """
        - {name: p, on: go, steps: [{call: q}]}
        - name: q
          on: other
          steps: [{uses: bad}]
          on_failure: [{uses: ok}]
          finally: [{uses: two}]
        """,
    )
    assert times(chain) == {"q/bad": 1}


def test_on_failure_whose_steps_are_all_skipped_leads_to_finally(site: Site) -> None:
    chain = finished(
        site,
        """
        - name: p
          on: go
          steps: [{uses: bad}]
          on_failure: [{uses: one, if: {path: payload.no, op: exists}}]
          finally: [{uses: two}]
        """,
    )
    assert order(chain) == ["bad", "two"]
    assert run_of(chain).status is RunStatus.FAILED
