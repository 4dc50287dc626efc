"""When the directories of a chain are deleted."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from ductile.model.ids import JobId, new_id
from ductile.telemetry.signals import JobSettled, WorkspacesDeleted
from tests.integration.engine.parts import tables
from tests.support.clock import FakeClock
from tests.support.scripts import OK
from tests.support.site import Chain, Running, Site

DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)


def two_steps(site: Site) -> None:
    site.plugin("make", f"echo made >file\n{OK}")
    site.plugin("end", OK)
    site.pipeline("- {name: p, on: go, steps: [{uses: make}, {uses: end}]}")


def there(running: Running, chain: Chain) -> int:
    """How many workspaces of a chain there are."""
    return sum(running.workspace(job).exists() for job in chain.jobs)


def test_a_finished_chain_keeps_its_workspaces_for_24_hours_and_no_longer(site: Site) -> None:
    clock = FakeClock()
    two_steps(site)
    with site.running(clock=clock) as running:
        chain = running.finish("go")
        clock.advance(DAY - SECOND)
        running.gateway.janitor.run_once()
        assert there(running, chain) == 2
        clock.advance(SECOND)
        report = running.gateway.janitor.run_once()
        assert there(running, chain) == 0
        assert sorted(report.deleted) == sorted(job.id for job in chain.jobs)
        assert running.signals.wait_for(WorkspacesDeleted).directories == 2


def test_the_time_counts_from_the_newest_completion_of_the_chain(site: Site) -> None:
    clock = FakeClock()
    site.config["plugins"] = {"later": {"retry": {"backoff_base": "20h"}}}
    site.plugin("make", f"echo made >file\n{OK}")
    site.plugin("later", f"grep -qv '\"attempt\":1,' || exit 1\n{OK}")
    site.pipeline("- {name: p, on: go, steps: [{uses: make}, {uses: later}]}")
    with site.running(clock=clock) as running:
        event_id = running.send("go").event_id
        running.signals.wait_for(JobSettled, lambda each: each.outcome == "failed")
        clock.advance(timedelta(hours=30))
        chain = running.ended(event_id)
        clock.advance(DAY - SECOND)
        running.gateway.janitor.run_once()
        assert there(running, chain) == 2
        clock.advance(SECOND)
        running.gateway.janitor.run_once()
        assert there(running, chain) == 0


def test_an_open_chain_keeps_its_workspaces_however_old_they_are(site: Site) -> None:
    clock = FakeClock()
    site.config["plugins"] = {"bad": {"retry": {"backoff_base": "300d"}}}
    site.plugin("make", f"echo made >file\n{OK}")
    site.plugin("bad", "exit 1")
    site.pipeline("- {name: p, on: go, steps: [{uses: make}, {uses: bad}]}")
    with site.running(clock=clock) as running:
        event_id = running.send("go").event_id
        running.signals.wait_for(JobSettled, lambda each: each.outcome == "failed")
        clock.advance(200 * DAY)
        assert not running.gateway.janitor.run_once().deleted
        assert there(running, running.chain(event_id)) == 2


def test_directories_of_failed_attempts_are_deleted_with_their_chain(site: Site) -> None:
    clock = FakeClock()
    site.plugin("bad", "exit 78")
    site.config["plugins"] = {"twice": {"retry": {"backoff_base": "1ms"}}}
    site.plugin("twice", f"grep -qv '\"attempt\":1,' || exit 1\n{OK}")
    site.pipeline("- {name: p, on: go, steps: [{split: [{uses: bad}, {uses: twice}]}]}")
    with site.running(clock=clock) as running:
        event_id = running.send("go").event_id
        running.signals.wait_for(JobSettled, lambda each: each.next_try is not None)
        clock.advance(SECOND)
        chain = running.ended(event_id)
        root = running.workspace(chain.job("bad")).parent
        assert len(list(root.iterdir())) == 3
        clock.advance(DAY)
        running.gateway.janitor.run_once()
        assert list(root.iterdir()) == []


def test_directories_that_the_database_does_not_know_go_by_their_own_age(site: Site) -> None:
    clock = FakeClock()
    two_steps(site)
    with site.running(clock=clock) as running:
        root = running.workspace(running.finish("go").jobs[0]).parent
        old, young = (root / JobId(new_id()) for _ in range(2))
        for path, age in ((old, DAY + SECOND), (young, DAY - SECOND)):
            path.mkdir()
            moment = (clock.now() - age).timestamp()
            os.utime(path, (moment, moment))
        assert list(running.gateway.janitor.run_once().deleted) == [old.name]
        assert young.exists()


def test_what_is_no_workspace_is_left_alone(site: Site) -> None:
    clock = FakeClock()
    two_steps(site)
    with site.running(clock=clock) as running:
        root = running.workspace(running.finish("go").jobs[0]).parent
        foreign: Path = root / "lost+found"
        foreign.mkdir()
        os.utime(foreign, (0, 0))
        clock.advance(2 * DAY)
        running.gateway.janitor.run_once()
        assert [path.name for path in root.iterdir()] == ["lost+found"]


def test_the_ledger_stays_artifacts_included(site: Site) -> None:
    clock = FakeClock()
    two_steps(site)
    with site.running(clock=clock) as running:
        running.finish("go")
        before = tables(site)
        clock.advance(2 * DAY)
        assert running.gateway.janitor.run_once().deleted
        assert before["artifact"]
        assert tables(site) == before


def test_a_start_deletes_what_expired_while_it_was_down(site: Site) -> None:
    clock = FakeClock()
    two_steps(site)
    with site.running(clock=clock) as running:
        running.finish("go")
    clock.advance(2 * DAY)
    with site.running(clock=clock) as running:
        assert running.signals.wait_for(WorkspacesDeleted).directories == 2
