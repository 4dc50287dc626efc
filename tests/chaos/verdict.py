"""What must hold after a trial, whatever was killed when."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import blake3

from ductile.dispatch.janitor import Janitor
from ductile.model.clock import SystemClock
from ductile.model.job import Job, JobStatus
from ductile.plugin.orphans import JOB_ID_VARIABLE
from ductile.storage.interfaces import Store
from ductile.storage.sqlite.store import open_store
from ductile.telemetry.hub import Telemetry
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import WorkspaceKey
from tests.chaos.load import JOBS, Load

#: What is written once and then never changed.
LASTING: Final = ("event", "event_context", "artifact", "job_log", "pipeline_version")
_TWICE: Final = """
SELECT run_id, step_id, parent_job_id, source_event_id, count(*) FROM job_queue
WHERE status = 'succeeded' GROUP BY 1, 2, 3, 4 HAVING count(*) > 1
"""
_UNEVEN: Final = """
SELECT id, status, (SELECT count(*) FROM job_log WHERE job_id = id AND status = 'succeeded')
FROM job_queue WHERE (status = 'succeeded') <>
    ((SELECT count(*) FROM job_log WHERE job_id = id AND status = 'succeeded') = 1)
"""
_CHAINS: Final = """
SELECT id, type, (SELECT count(*) FROM job_queue WHERE chain_id = event.id),
    (SELECT count(*) FROM job_queue WHERE chain_id = event.id AND status = 'succeeded'),
    (SELECT count(*) FROM pipeline_run WHERE chain_id = event.id AND status <> 'succeeded')
FROM event WHERE chain_id = id
"""

Rows = Mapping[str, list[tuple[Any, ...]]]


def lasting(load: Load) -> Rows:
    """All rows that must not change any more."""
    return {table: load.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in LASTING}


def broken(load: Load, before: list[Rows]) -> list[str]:
    """Everything that does not hold once all is done and the gateway has ended.

    `before` are the lasting rows as they were after each kill.
    """
    found = [*_database(load), *_chains(load), *_changed(load, before), *_processes(load)]
    clock = SystemClock()
    with closing(open_store(load.database, clock, read_only=True)) as store:
        found += _files(load, store)
    return found


def clean(load: Load) -> list[str]:
    """Let the janitor delete what has expired, which is everything; returns what it left."""
    clock = SystemClock()
    workspaces = HardLinkWorkspaces(load.workspaces, clock)
    with closing(open_store(load.database, clock, read_only=True)) as store:
        report = Janitor(store, workspaces, timedelta(0), clock, Telemetry()).run_once()
    return [*report.failures.values(), *left(load)]


def left(load: Load) -> list[str]:
    """What is in the root, after the janitor."""
    return [f"directory {name} is left after the janitor" for name in os.listdir(load.workspaces)]


def _database(load: Load) -> Iterator[str]:
    if (found := load.rows("PRAGMA integrity_check")) != [("ok",)]:
        yield f"PRAGMA integrity_check: {found}"
    if found := load.rows("PRAGMA foreign_key_check"):
        yield f"PRAGMA foreign_key_check: {found}"


def _chains(load: Load) -> Iterator[str]:
    known = set()
    for event_id, kind, jobs, succeeded, unfinished in load.rows(_CHAINS):
        known.add(event_id)
        expected = JOBS[kind.removesuffix(".begun")]
        if not jobs == succeeded == expected:
            yield (
                f"chain {event_id} ({kind}) has {jobs} jobs of which {succeeded} succeeded, "
                f"expected {expected}"
            )
        if unfinished:
            yield f"chain {event_id} ({kind}) has {unfinished} runs that did not succeed"
    for event_id in load.accepted.keys() - known:
        yield f"event {event_id} was accepted, and is lost"
    for row in load.rows(_TWICE):
        yield f"settled as a success twice (run, step, parent job, event, times): {row}"
    for row in load.rows(_UNEVEN):
        yield f"job and log disagree on its success (job, status, successes): {row}"


def _changed(load: Load, before: list[Rows]) -> Iterator[str]:
    now = {table: set(rows) for table, rows in lasting(load).items()}
    for number, snapshot in enumerate(before, start=1):
        for table, rows in snapshot.items():
            for row in rows:
                if row not in now[table]:
                    yield f"a row of {table} from kill {number} is changed or gone: {row!r:.200}"


def _processes(load: Load) -> Iterator[str]:
    marks = {
        f"{JOB_ID_VARIABLE}={job_id}".encode()
        for (job_id,) in load.rows("SELECT id FROM job_queue")
    }
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            where = Path(os.readlink(entry / "cwd"))
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
        if where.is_relative_to(load.root) or not marks.isdisjoint(environment):
            yield f"process {entry.name} works in {where} although all is done"


def _files(load: Load, store: Store) -> Iterator[str]:
    workspaces = HardLinkWorkspaces(load.workspaces, SystemClock())
    hashes: dict[tuple[int, int], str] = {}
    jobs = store.read(lambda tx: tx.views.jobs(limit=1_000_000, status=JobStatus.SUCCEEDED))
    for job in jobs:
        yield from _workspace(job, store, workspaces, hashes)


def _workspace(
    job: Job, store: Store, workspaces: HardLinkWorkspaces, hashes: dict[tuple[int, int], str]
) -> Iterator[str]:
    key = WorkspaceKey(job.id, job.attempt)
    held = {
        path: artifact
        for path, (_, artifact) in store.read(lambda tx: tx.artifacts.held(job.id)).items()
    }
    for taint in workspaces.verify(key, held):
        yield f"workspace of job {job.id}: {taint}"
    for path, artifact in held.items():
        file = workspaces.path(key) / path
        if artifact.symlink or not file.exists():  # what is missing was told above
            continue
        place = file.stat()
        inode = (place.st_ino, place.st_mtime_ns)
        if inode not in hashes:
            hashes[inode] = blake3.blake3(file.read_bytes()).hexdigest()
        if hashes[inode] != artifact.blake3:
            yield f"{path} of job {job.id} is not what the ledger says"
