"""The gateway: all parts wired, brought up and taken down in order."""

from __future__ import annotations

import random
import threading
from pathlib import Path

from ductile.dispatch.attempt import Attempts
from ductile.dispatch.dispatcher import SAFETY_POLL, Capacity, Dispatcher
from ductile.dispatch.inbox import LedgerInbox
from ductile.dispatch.interfaces import Intake
from ductile.dispatch.pruner import INTERVAL, Pruner
from ductile.dispatch.rescuer import Rescuer
from ductile.dispatch.service import Periodic
from ductile.dispatch.settle import Settler
from ductile.dispatch.worker import Worker
from ductile.errors import StorageError, WorkspaceError
from ductile.gateway.configuration import Configuration
from ductile.gateway.core import Core, make_core, make_janitor, open_workspaces
from ductile.gateway.reload import Reloader
from ductile.gateway.watcher import Watcher
from ductile.http.api.build import build_api
from ductile.http.api.parts import ApiParts
from ductile.http.app import HttpApp
from ductile.http.health import HealthDoor
from ductile.http.interfaces import Health
from ductile.http.server import HttpServer
from ductile.http.webhooks.app import WebhookDoor
from ductile.http.webhooks.build import build_endpoint
from ductile.http.webhooks.notes import Notes, room
from ductile.insights.insights import Insights
from ductile.model.clock import Clock, SystemClock
from ductile.model.ids import WorkerId, new_id
from ductile.model.job import Job
from ductile.model.service import Service
from ductile.plugin.process import ProcessRunner
from ductile.plugin.stop import Stop
from ductile.plugin.warm import LOOK_INTERVAL, WarmSpawner
from ductile.storage.interfaces import Store
from ductile.storage.sqlite.store import open_store
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import (
    DatabaseUpgrading,
    GatewayStarted,
    GatewayStopped,
    GatewayStopping,
    PartFailed,
)
from ductile.workspace.interfaces import WorkspaceKey


class Gateway:
    """A `Service` made of services."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        clock: Clock | None = None,
        telemetry: Telemetry | None = None,
        doors: bool = True,
    ) -> None:
        """Open the database, exclusively, and wire everything; nothing runs yet.

        Without `doors` nothing listens on the network, and nobody watches the files. Raises
        ConfigurationError or StorageError; otherwise `stop` must follow sooner or later.
        """
        self._settings, registry, catalogue = configuration.parts()
        self._counts = (len(catalogue.pipelines), len(registry.names()))
        self.telemetry = telemetry or Telemetry()
        clock = clock or SystemClock()
        _make(self._settings.database.parent)
        self.store: Store = open_store(
            self._settings.database,
            clock,
            exclusive=True,
            upgrading=lambda old, new: self.telemetry.emit(DatabaseUpgrading(old, new)),
        )
        core = make_core(configuration, self.store, clock, self.telemetry)
        self._workspaces = open_workspaces(self._settings, clock)
        # Without doors it is here for a chain or two: a parent would cost more than it saves.
        self._spawner = WarmSpawner(clock, self.telemetry) if doors else None
        self._dispatcher, self._rescuer = self._engine(core)
        self.ender = core.ender(self._dispatcher.interrupt)
        self._reloader = Reloader(
            configuration, core.current, core.privacy, self.telemetry, self._dispatcher.limit
        )
        self.janitor = make_janitor(self._settings, self.store, clock, self.telemetry)
        self.pruner = Pruner(self.store, self._settings.inbox, clock)
        self.intake: Intake = core.intake(self._dispatcher.wake)
        self.insights = Insights(self.store, clock)
        self._http = self._doors(core) if doors else None
        watch = doors and self._settings.service.watch
        self._watcher = Watcher(self._reloader, self.telemetry) if watch else None
        self._services = self._in_order()
        self._turning = threading.RLock()
        self._started = self._stopped = False

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on. Raises ConfigurationError without doors."""
        if self._http is None:
            raise RuntimeError("this gateway was made without doors; it listens nowhere")
        return self._http.address

    def workspace_path(self, job: Job) -> Path:
        """Where the workspace of the job's latest attempt is, or was."""
        return self._workspaces.path(WorkspaceKey(job.id, job.attempt))

    def start(self) -> None:
        """Bring everything up. What a dead gateway left running is taken back first.

        Raises what kept a part from starting, with everything taken down again.
        """
        # A stop on another thread waits: of what it passed over, nothing may start after it.
        with self._turning:
            try:
                # Before anything is claimed: a left-over plugin must not meet its successor.
                self._rescuer.run_once(everybody=True)
                self._see_workspaces()
                for service in self._services:
                    service.start()
                if self._watcher is not None:
                    self._watcher.begun()
            except BaseException:
                self.stop()
                raise
            self._started = True
        listen = "{}:{}".format(*self.address) if self._http else "nowhere"
        self.telemetry.emit(GatewayStarted(listen, *self._counts))

    def stop(self) -> None:
        """Take everything down, cleanly; harmless when called again.

        Whoever calls it at the same time waits until everything has ended.
        """
        with self._turning:
            if self._stopped:
                return
            self._stopped = True
            if self._started:
                self.telemetry.emit(GatewayStopping(self._dispatcher.running))
            for service in reversed(self._services):
                service.stop()
            if self._spawner is not None:
                self._spawner.close()
            self.store.close()
            if self._started:
                self.telemetry.emit(GatewayStopped())

    def reload(self) -> bool:
        """Put in force what the files say now, all of it or nothing; a signal tells which.

        Returns whether they are in force. Runs in flight keep their version. What only a start
        takes in is named by the signal.
        """
        return self._reloader.reload()

    def _see_workspaces(self) -> None:
        # From now on a root that is gone is missed. What is wrong with it now is for the jobs
        # and for healthz to say: the rest of the gateway can do without.
        problem = self._workspace_root()
        if problem is not None:
            self.telemetry.emit(PartFailed("workspaces", problem))

    def _engine(self, core: Core) -> tuple[Dispatcher, Rescuer]:
        settler = Settler(
            self.store,
            core.planner,
            core.conductor,
            core.policies,
            core.clock,
            self.telemetry,
            random.random,
        )
        attempts = Attempts(
            self.store,
            self._workspaces,
            ProcessRunner(core.clock, self._spawner),
            core.policies,
            core.privacy,
            core.clock,
        )
        worker = Worker(self.store, attempts, settler, core.pinned, core.clock, self.telemetry)
        service = self._settings.service
        capacity = Capacity(
            service.max_workers, core.policies.parallelism(), service.lease, service.shutdown_grace
        )
        dispatcher = Dispatcher(
            WorkerId(new_id()), self.store, worker, capacity, Stop, core.clock, self.telemetry
        )
        rescuer = Rescuer(
            dispatcher.holds,
            self.store,
            self._workspaces,
            settler,
            core.pinned,
            core.clock,
            self.telemetry,
        )
        return dispatcher, rescuer

    def _doors(self, core: Core) -> HttpServer:
        endpoints = [build_endpoint(each, core.clock) for each in self._settings.webhooks]
        of_each = room(len(endpoints), self._settings.inbox.limit)
        inbox = LedgerInbox(self.store, core.privacy)
        notes = Notes(inbox, self.telemetry, of_each=of_each)
        webhooks = WebhookDoor(endpoints, self.intake, self.telemetry, notes, core.clock)
        health = HealthDoor(self._health, core.clock, self.telemetry)
        http = self._settings.http
        parts = ApiParts(self.intake, self.insights, self.telemetry, core.current)
        api = build_api(parts, [token.get_secret_value() for token in http.tokens])
        return HttpServer(
            HttpApp(webhooks, health, self.telemetry, api),
            http.host,
            http.port,
            on_failure=lambda error: self.telemetry.emit(PartFailed("http", repr(error))),
        )

    def _in_order(self) -> list[Service]:
        """From the first to start to the last; stopped the other way round.

        The dispatcher comes last and goes first: nothing is begun before the doors are open,
        for a port in use would cut it off again, nor while they close. What they let in without
        it is on disk. Leases are renewed until it has ended its last job, for one that lapsed
        before would be run twice.
        """
        lease = self._settings.service.lease
        interval = self._settings.workspace.janitor_interval
        services: list[Service] = [
            Periodic("ender", SAFETY_POLL, self.ender.run_once, self.telemetry),
            Periodic("leases", lease / 3, self._dispatcher.renew, self.telemetry),
            Periodic("rescuer", lease, self._rescuer.run_once, self.telemetry),
            Periodic("janitor", interval, self.janitor.run_once, self.telemetry),
            Periodic("pruner", INTERVAL, self.pruner.run_once, self.telemetry),
        ]
        if self._spawner is not None:
            services.append(Periodic("warm", LOOK_INTERVAL, self._spawner.run_once, self.telemetry))
        if self._watcher is not None:
            # The slowest to begin: it does so while the doors open.
            services.insert(0, self._watcher)
        if self._http is not None:
            services.append(self._http)
        return [*services, self._dispatcher]

    def _health(self) -> Health:
        return Health(
            {
                "database": self._database(),
                "workspaces": self._workspace_root(),
                "dispatcher": self._dispatching(),
            }
        )

    def _database(self) -> str | None:
        try:
            self.store.check()
        except StorageError:
            return "cannot be written"
        return None

    def _workspace_root(self) -> str | None:
        try:
            self._workspaces.probe()
        except WorkspaceError as error:
            # Which names no path: it could end up in the ledger as well.
            return str(error)
        return None

    def _dispatching(self) -> str | None:
        return None if self._dispatcher.alive else "not running"


def _make(data_dir: Path) -> None:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        taken = isinstance(error, FileExistsError)
        reason = "something else goes by that name" if taken else error.strerror
        raise StorageError(
            f'cannot make the data directory "{data_dir}": {reason}; make it yourself, '
            "or set data_dir to a directory that this user may write"
        ) from error
