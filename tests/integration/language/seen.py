"""What tests of the language look at when a run is over."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from ductile.model.clock import SystemClock
from ductile.model.event import JOINED
from ductile.model.job import Job
from ductile.model.run import Run
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import WorkspaceKey
from tests.support.site import Chain, Running, Site


def times(chain: Chain) -> dict[str, int]:
    """How often each step ran."""
    return dict(Counter(str(job.step_id) for job in chain.jobs))


def run_of(chain: Chain) -> Run:
    """The only run."""
    [run] = chain.records.runs
    return run


def payload_of(chain: Chain, job: Job) -> dict[str, Any]:
    """The payload of the event that led to a job."""
    [event] = [event for event in chain.records.events if event.id == job.source_event_id]
    return dict(event.payload)


def results_of(chain: Chain, step: str) -> list[str]:
    """The steps whose results the join before a step handed on to it."""
    job = chain.job(step)
    [event] = [event for event in chain.records.events if event.id == job.source_event_id]
    assert event.type == JOINED
    results: Any = event.payload["results"]
    return [str(result["step"]) for result in results]


def request_of(running: Running, job: Job) -> dict[str, Any]:
    """The request that the plugin `keep` got."""
    request: dict[str, Any] = json.loads((running.workspace(job) / "request.json").read_bytes())
    return request


def files_of(running: Running, job: Job) -> dict[str, str]:
    """All files of a job's workspace, with their text."""
    root = running.workspace(job)
    found = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_text() for path in found}


def differences(site: Site, running: Running, job: Job) -> list[object]:
    """Where a job's workspace is not what the ledger says."""
    held = running.gateway.store.read(lambda tx: tx.artifacts.held(job.id))
    workspaces = HardLinkWorkspaces(site.root / "data" / "ws", SystemClock())
    artifacts = {path: artifact for path, (_, artifact) in held.items()}
    return list(workspaces.verify(WorkspaceKey(job.id, job.attempt), artifacts))
