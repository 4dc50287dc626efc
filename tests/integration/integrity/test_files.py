"""What is said of the files of committed workspaces."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

from ductile.dispatch.interfaces import Trigger
from ductile.insights.integrity.findings import FileProblem
from ductile.model.job import JobStatus
from ductile.workspace.interfaces import DefectKind
from tests.integration.engine.gate import Gate
from tests.integration.integrity.looking import details, verdict, verifier
from tests.support.clock import FakeClock
from tests.support.scripts import OK
from tests.support.site import Chain, Running, Site


def append(path: Path) -> None:
    """Change a file in place, in spite of its seal."""
    path.chmod(0o644)
    with path.open("a") as file:
        file.write("by hand\n")


def only_problem(running: Running, site: Site, chain: Chain) -> FileProblem:
    found = verdict(running, site, chain)
    assert not found.ledger, details(found)
    [problem] = found.files
    return problem


def test_what_nobody_touched_is_intact(site: Site) -> None:
    with site.running() as running:
        chain = running.finish("go")
        found = verdict(running, site, chain)
    assert found.intact, details(found)
    assert (found.tally.workspaces, found.tally.files, found.tally.contexts) == (2, 3, 3)


def test_a_careless_step_is_named_with_the_file(site: Site) -> None:
    site.pipeline("- {name: p, on: go, steps: [{uses: make}, {uses: careless}]}")
    with site.running() as running:
        chain = running.finish("go")
        problem = only_problem(running, site, chain)
    culprit = chain.job("careless")
    assert culprit.status is JobStatus.FAILED
    assert (problem.kind, problem.path) == (DefectKind.CHANGED, "out.txt")
    assert problem.written_by == chain.job("make").id
    assert problem.first_possible is not None
    assert problem.first_possible.job_id == culprit.id
    assert problem.caught_in == culprit.id


def test_a_change_by_hand_after_the_end_is_outside_of_any_job(site: Site) -> None:
    with site.running() as running:
        chain = running.finish("go")
        path = running.workspace(chain.job("use")) / "out.txt"
        append(path)
        # The clock of the file system is coarser than that of the ledger.
        later = path.stat().st_mtime + 60
        os.utime(path, (later, later))
        problem = only_problem(running, site, chain)
    assert problem.detail == "size 5 became 13"
    assert problem.first_possible is not None
    assert problem.first_possible.job_id is None
    assert "no job that had the file was running" in problem.first_possible.reason
    assert problem.caught_in is None


def test_a_changed_file_is_told_once_with_everybody_who_shares_it(site: Site) -> None:
    with site.running() as running:
        chain = running.finish("go")
        append(running.workspace(chain.job("make")) / "out.txt")
        problem = only_problem(running, site, chain)
    assert set(problem.seen_in) == {job.id for job in chain.jobs}


def test_a_change_that_keeps_size_and_time_is_found(site: Site) -> None:
    with site.running() as running:
        chain = running.finish("go")
        path = running.workspace(chain.job("make")) / "out.txt"
        before = path.stat()
        path.chmod(0o644)
        path.write_text("MADE\n")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        problem = only_problem(running, site, chain)
    assert problem.detail == "other content of size 5"
    assert problem.first_possible is not None
    assert problem.first_possible.job_id == chain.job("use").id
    assert "put back" in problem.first_possible.reason


def test_a_copy_that_was_changed_is_not_blamed_on_those_who_had_the_original(site: Site) -> None:
    site.pipeline("- {name: p, on: go, steps: [{uses: make}, {uses: use, workspace: copy}]}")
    with site.running() as running:
        chain = running.finish("go")
        append(running.workspace(chain.job("use")) / "out.txt")
        problem = only_problem(running, site, chain)
    assert problem.seen_in == (chain.job("use").id,)
    assert problem.first_possible is not None
    assert problem.first_possible.job_id is None


def test_a_deleted_file_is_missing_where_it_was_deleted_only(site: Site) -> None:
    with site.running() as running:
        chain = running.finish("go")
        (running.workspace(chain.job("use")) / "out.txt").unlink()
        problem = only_problem(running, site, chain)
    assert (problem.kind, problem.path) == (DefectKind.MISSING, "out.txt")
    assert problem.seen_in == (chain.job("use").id,)


def test_a_file_that_the_ledger_does_not_know_is_told(site: Site) -> None:
    with site.running() as running:
        chain = running.finish("go")
        (running.workspace(chain.job("use")) / "extra").write_text("?")
        problem = only_problem(running, site, chain)
    assert (problem.kind, problem.path) == (DefectKind.UNKNOWN, "extra")


def test_a_pipe_in_the_place_of_a_file_does_not_hold_the_look(site: Site) -> None:
    with site.running() as running:
        chain = running.finish("go")
        path = running.workspace(chain.job("use")) / "used.txt"
        path.unlink()
        os.mkfifo(path)
        problem = only_problem(running, site, chain)
    assert (problem.kind, problem.detail) == (DefectKind.CHANGED, "is no file any more")


def test_a_workspace_that_was_deleted_too_early_is_missing(site: Site) -> None:
    with site.running() as running:
        chain = running.finish("go")
        shutil.rmtree(running.workspace(chain.job("use")))
        problem = only_problem(running, site, chain)
    assert (problem.kind, problem.path) == (DefectKind.MISSING, "")
    assert problem.seen_in == (chain.job("use").id,)


def test_workspaces_that_the_janitor_deleted_have_expired(site: Site) -> None:
    clock = FakeClock()
    with site.running(clock=clock) as running:
        chain = running.finish("go")
        clock.advance(timedelta(hours=24))
        assert len(running.gateway.janitor.run_once().deleted) == 2
        found = verdict(running, site, chain, clock)
    assert found.intact, details(found)
    assert (found.tally.expired, found.tally.workspaces) == (2, 0)


def test_a_chain_in_flight_is_intact_and_says_what_runs(site: Site, gate: Gate) -> None:
    site.plugin("wait", f"{gate.wait}\n{OK}")
    site.pipeline("- {name: p, on: go, steps: [{uses: make}, {uses: wait}]}")
    with site.running() as running:
        accepted = running.send("go")
        gate.arrival()
        found = verdict(running, site, running.chain(accepted.event_id))
        gate.let_through()
        running.ended(accepted.event_id)
    assert found.intact, details(found)
    assert (found.tally.workspaces, found.tally.running) == (1, 1)


def test_only_what_was_asked_for_is_looked_at(site: Site) -> None:
    with site.running() as running:
        chain = running.finish("go")
        (running.workspace(chain.job("use")) / "used.txt").unlink()
        checked = verifier(running, site)
        made = checked.verify(checked.part(chain.job("make").id))
        used = checked.verify(checked.part(chain.job("use").id))
        [run] = chain.records.runs
        whole = checked.verify(checked.part(run.id))
    assert made.intact
    assert not used.intact
    assert not whole.intact


def test_all_chains_are_looked_at_jobs_outside_of_runs_included(site: Site) -> None:
    with site.running() as running:
        chains = [running.finish("go") for _ in range(3)]
        accepted = running.gateway.intake.accept(Trigger("raw", {}, "test", plugin="make"))
        alone = running.ended(accepted.event_id)
        (running.workspace(alone.jobs[0]) / "out.txt").unlink()
        found = {each.chain_id: each for each in verifier(running, site).all()}
    assert all(found[chain.records.chain_id].intact for chain in chains)
    assert not found[alone.records.chain_id].intact
    assert len(found) == 4
