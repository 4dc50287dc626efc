"""The parts of one process that works on a database, for tests that need several of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar

import apsw

from ductile.dispatch.assignment import Assignment, PinnedVersions, load
from ductile.dispatch.attempt import Attempts
from ductile.dispatch.conductor import Conductor
from ductile.dispatch.dispatcher import Capacity, Dispatcher
from ductile.dispatch.interfaces import Intake, Trigger
from ductile.dispatch.planner import Planner
from ductile.dispatch.rescuer import Rescuer
from ductile.dispatch.settle import Settler
from ductile.dispatch.worker import Worker
from ductile.dsl.graph import Pipeline
from ductile.errors import StorageError
from ductile.gateway.core import Core, make_core
from ductile.model.artifact import Artifact, Change
from ductile.model.clock import Clock
from ductile.model.ids import PipelineHash, WorkerId
from ductile.model.job import Job
from ductile.model.outcome import Attempt, EmittedEvent, Response, Succeeded
from ductile.plugin.interfaces import StopToken
from ductile.plugin.process import ProcessRunner
from ductile.plugin.stop import Stop
from ductile.router.interfaces import Router
from ductile.storage.interfaces import Store, Transaction
from ductile.storage.sqlite import open_store
from ductile.telemetry.hub import Telemetry
from ductile.workspace.hard_links import HardLinkWorkspaces
from tests.support.builders import an_attempt, claimed
from tests.support.scripts import OK
from tests.support.signals import PATIENCE, Signals
from tests.support.site import Site

T = TypeVar("T")
LEASE: Final = timedelta(seconds=60)
#: A worker of whom nothing is left but its claims.
DEAD: Final = WorkerId("dead")
Members = Callable[..., "Member"]


class FailingStore:
    """A store whose disk fails for so many writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.failures = 0

    def write(self, work: Callable[[Transaction], T]) -> T:
        if self.failures:
            self.failures -= 1
            raise StorageError("the disk is full")
        return self._store.write(work)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class UnreadableVersions(PinnedVersions):
    """Versions that cannot be read so many times."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self._failures = failures

    def get(self, tx: Transaction, pipeline_hash: PipelineHash) -> Pipeline:
        if self._failures:
            self._failures -= 1
            raise StorageError("the disk cannot be read")
        return super().get(tx, pipeline_hash)


@dataclass
class Member:
    """What one process of several would have; its dispatcher is stepped by hand."""

    store: FailingStore
    core: Core
    signals: Signals
    workspaces: HardLinkWorkspaces
    settler: Settler
    attempts: Attempts
    worker: Worker
    dispatcher: Dispatcher
    rescuer: Rescuer
    intake: Intake

    def job(self, job: Job) -> Job:
        """The job as it stands."""
        found = self.store.write(lambda tx: tx.jobs.get(job.id))
        assert found is not None
        return found

    def close(self) -> None:
        self.dispatcher.stop()
        self.store.close()


class SlowAttempts(Attempts):
    """Attempts without a plugin: each succeeds when the test says so."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.may_end = threading.Event()

    def run(self, assignment: Assignment, stop: StopToken) -> Attempt:
        self.begun.set()
        assert self.may_end.wait(PATIENCE)
        response = Response("late", state_updates={"late": True})
        return an_attempt(Succeeded(response, (an_artifact(),)))


def an_artifact(path: str = "file") -> Artifact:
    """A small file that a job added."""
    return Artifact(path, Change.ADDED, 4, 0o444, 64 * "0", 1)


def member(
    site: Site,
    name: str,
    clock: Clock,
    *,
    router: Router | None = None,
    attempts: Attempts | None = None,
    pinned: PinnedVersions | None = None,
) -> Member:
    """A process on the site's database; close it at the end."""
    configuration = site.read()
    settings, _, _ = configuration.parts()
    settings.data_dir.mkdir(exist_ok=True)
    store = FailingStore(open_store(settings.database, clock))
    signals, telemetry = Signals(), Telemetry()
    telemetry.subscribe(signals)
    core = make_core(configuration, store, clock, telemetry)
    planner, conductor = core.planner, core.conductor
    if router is not None:
        planner = Planner(
            lambda: router, core.policies, core.privacy, depth_limit=20, max_baggage=10_000
        )
        conductor = Conductor(planner, lambda: router)
    workspaces = HardLinkWorkspaces(settings.workspace.root, clock)
    pinned = pinned or core.pinned
    settler = Settler(core.store, planner, conductor, core.policies, clock, telemetry, lambda: 0.0)
    attempts = attempts or Attempts(
        core.store, workspaces, ProcessRunner(clock), core.policies, core.privacy, clock
    )
    worker = Worker(core.store, attempts, settler, pinned, clock, telemetry)
    capacity = Capacity(4, core.policies.parallelism(), LEASE, timedelta(seconds=30))
    dispatcher = Dispatcher(WorkerId(name), core.store, worker, capacity, Stop, clock, telemetry)
    rescuer = Rescuer(dispatcher.holds, core.store, workspaces, settler, pinned, clock, telemetry)
    intake = core.intake(lambda: None)
    return Member(
        store,
        core,
        signals,
        workspaces,
        settler,
        attempts,
        worker,
        dispatcher,
        rescuer,
        intake,
    )


def let_in(one: Member, event_type: str = "go") -> Job:
    """The only job that an event starts."""
    [job_id] = one.intake.accept(Trigger(event_type, {"n": 1}, "test")).job_ids
    found = one.core.store.read(lambda tx: tx.jobs.get(job_id))
    assert found is not None
    return found


def assignment(one: Member, worker: WorkerId = DEAD) -> Assignment:
    """The oldest job that is ready, claimed by a worker that does nothing with it."""
    [job] = claimed(one.core.store, now=one.core.clock.now(), worker=worker)
    return load(one.core.store, PinnedVersions(), job)


def success() -> Succeeded:
    """An answer with everything in it."""
    return Succeeded(
        Response("done", (EmittedEvent("found", {"n": 2}),), {"cursor": 7}),
        (an_artifact(),),
    )


def two_pipelines(site: Site) -> None:
    """One whose event starts the other; the plugin `work` is for the test to make."""
    # Tests move the clock by leases, and no plugin is to run out of time by that.
    work = {"retry": {"backoff_base": "1ms"}, "timeouts": {"handle": "1h"}}
    site.config["plugins"] = {"work": work}
    site.plugin("end", OK)
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: work}, {uses: end}]}
        - {name: q, on: found, steps: [{uses: end}]}
        """
    )


def tables(site: Site, kind: str = "table") -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, or views."""
    path = str(site.root / "data" / "ductile.db")
    with closing(apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = ? AND name NOT LIKE 'sqlite_%'", (kind,)
        ).fetchall()
        return {
            str(name): connection.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2').fetchall()
            for (name,) in names
        }
