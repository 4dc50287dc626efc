"""`runtime: python`: jobs of a gateway that are forked from a warm parent."""

from __future__ import annotations

import os
import sys

import pytest

from ductile.model.job import JobStatus
from ductile.telemetry.signals import ConfigurationReloaded, WarmParentFailed
from tests.support.site import Running, Site

#: Says who started it.
WHO = f"""#!{sys.executable}
import json, os, sys
sys.stdin.read()
print(json.dumps({{"status": "ok", "state_updates": {{"parent": os.getppid()}}}}))
"""


@pytest.fixture
def who(site: Site) -> Site:
    site.plugin("who", WHO, runtime="python", preload=["json"])
    site.pipeline("- {name: ask, on: asked, steps: [{uses: who}]}")
    return site


def parent(running: Running) -> int:
    """The process that started the job."""
    chain = running.finish("asked")
    [job] = chain.jobs
    assert job.status is JobStatus.SUCCEEDED, job.last_error
    return int(chain.written_by(job)["parent"])


def test_jobs_of_a_gateway_have_one_warm_parent(who: Site) -> None:
    with who.running(doors=True) as running:
        parents = {parent(running) for _ in range(3)}
        [pid] = parents
        assert pid != os.getpid()
    assert running.signals.of(WarmParentFailed) == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_setting_switches_it_off_at_once(who: Site) -> None:
    with who.running(doors=True) as running:
        assert parent(running) != os.getpid()
        who.config["plugins"] = {"who": {"warm": False}}
        who.write()
        assert running.gateway.reload()
        running.signals.wait_for(ConfigurationReloaded)
        assert parent(running) == os.getpid()


def test_without_a_runtime_a_plugin_is_started(site: Site) -> None:
    site.plugin("who", WHO)
    site.pipeline("- {name: ask, on: asked, steps: [{uses: who}]}")
    with site.running(doors=True) as running:
        assert parent(running) == os.getpid()


def test_a_gateway_for_one_chain_starts_its_plugins(who: Site) -> None:
    with who.running() as running:
        assert parent(running) == os.getpid()


def test_a_module_that_cannot_be_imported_keeps_no_job_from_running(site: Site) -> None:
    site.plugin("who", WHO, runtime="python", preload=["no_such_module"])
    site.pipeline("- {name: ask, on: asked, steps: [{uses: who}]}")
    with site.running(doors=True) as running:
        assert parent(running) == os.getpid()
    [told] = running.signals.of(WarmParentFailed)
    assert "cannot import no_such_module" in told.reason
