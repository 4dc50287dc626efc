"""A gateway that stops between the ends of branches, and goes on in another process's place."""

from __future__ import annotations

from ductile.model.job import JobStatus
from ductile.model.run import RunStatus
from tests.integration.engine.gate import Gate
from tests.integration.language.seen import results_of, run_of, times
from tests.support.scripts import OK
from tests.support.site import Site

PIPELINE = """
    - name: p
      on: go
      steps:
        - split: [{uses: one}, {uses: slow}]
        - {id: after, uses: ok}
      finally: [{uses: two}]
    """


def test_a_join_goes_on_once_when_its_branches_end_in_different_lives(
    site: Site, gate: Gate
) -> None:
    site.config["service"] = {"shutdown_grace": "1ms"}
    site.plugin("slow", gate.wait + OK)
    site.pipeline(PIPELINE)
    with site.running() as running:
        accepted = running.send("go")
        gate.arrival()
        running.signals.wait_until(
            lambda: running.chain(accepted.event_id).job("one").status is JobStatus.SUCCEEDED
        )
    gate.let_through()
    with site.running() as running:
        chain = running.ended(accepted.event_id)
    assert times(chain) == {"one": 1, "slow": 1, "after": 1, "two": 1}
    assert results_of(chain, "after") == ["one", "slow"]
    assert run_of(chain).status is RunStatus.SUCCEEDED


def test_a_run_goes_by_the_version_it_began_with_past_its_joins(site: Site, gate: Gate) -> None:
    site.config["service"] = {"shutdown_grace": "1ms"}
    site.plugin("slow", gate.wait + OK)
    site.pipeline(PIPELINE)
    with site.running() as running:
        accepted = running.send("go")
        gate.arrival()
        running.signals.wait_until(
            lambda: running.chain(accepted.event_id).job("one").status is JobStatus.SUCCEEDED
        )
    site.pipeline("- {name: p, on: go, steps: [{uses: three}]}")
    gate.let_through()
    with site.running() as running:
        chain = running.ended(accepted.event_id)
    assert times(chain) == {"one": 1, "slow": 1, "after": 1, "two": 1}
