"""What gateway and command line both need to let something in: the intake and its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ductile.config.settings import Settings
from ductile.dispatch.assignment import PinnedVersions
from ductile.dispatch.conductor import Conductor
from ductile.dispatch.current import Current, InForce
from ductile.dispatch.ender import Ender
from ductile.dispatch.intake import LedgerIntake
from ductile.dispatch.interfaces import Intake
from ductile.dispatch.janitor import Janitor
from ductile.dispatch.limit import LimitedIntake
from ductile.dispatch.planner import Planner
from ductile.dispatch.policies import Policies
from ductile.dispatch.privacy import Privacy
from ductile.dsl.catalogue import Catalogue
from ductile.gateway.configuration import Configuration
from ductile.model.clock import Clock
from ductile.model.ids import JobId, RunId
from ductile.model.run import Run
from ductile.plugin.registry import Registry
from ductile.router.graph_router import GraphRouter
from ductile.storage.interfaces import Store
from ductile.storage.sqlite.lock import holder
from ductile.storage.sqlite.soundness import defects
from ductile.storage.sqlite.store import open_store
from ductile.telemetry.hub import Telemetry
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import WorkspaceManager


@dataclass(frozen=True)
class Core:
    """One configuration over one open database."""

    settings: Settings
    store: Store
    clock: Clock
    telemetry: Telemetry
    current: Current
    """What is in force; `settings` are those of the start."""
    policies: Policies
    privacy: Privacy
    planner: Planner
    conductor: Conductor
    pinned: PinnedVersions

    def ender(self, interrupt: Callable[[Iterable[JobId]], None]) -> Ender:
        """What ends runs before their time; `interrupt` stops jobs of this process."""
        return Ender(self.store, self.conductor, self.pinned, self.clock, self.telemetry, interrupt)

    def intake(self, queued: Callable[[], None]) -> Intake:
        """The front door; `queued` is called after each commit that put jobs on the list."""
        intake = LedgerIntake(
            self.store,
            self.conductor,
            self.policies,
            lambda: self.current().catalogue,
            self.clock,
            self.telemetry,
            queued,
        )
        return LimitedIntake(intake, self.store, self.settings.service.queue_limit, self.clock)


def make_core(
    configuration: Configuration, store: Store, clock: Clock, telemetry: Telemetry
) -> Core:
    """Wire a core. Raises ConfigurationError, with every problem, for files that are wrong."""
    settings, registry, catalogue = configuration.parts()
    current = Current(in_force(settings, registry, catalogue))
    policies = Policies(current, configuration.environment)
    privacy = Privacy(settings.secrets, settings.workspace.root)
    planner = Planner(
        lambda: current().router,
        policies,
        privacy,
        depth_limit=settings.service.depth_limit,
        max_baggage=settings.service.max_baggage,
    )
    return Core(
        settings=settings,
        store=store,
        clock=clock,
        telemetry=telemetry,
        current=current,
        policies=policies,
        privacy=privacy,
        planner=planner,
        conductor=Conductor(planner, lambda: current().router),
        pinned=PinnedVersions(),
    )


def in_force(settings: Settings, registry: Registry, catalogue: Catalogue) -> InForce:
    """One set to decide with."""
    router = GraphRouter(catalogue, config=lambda plugin: settings.plugin(plugin).config)
    return InForce(settings, registry, catalogue, router)


def open_ledger(settings: Settings, clock: Clock, *, writing: bool = False) -> Store:
    """The database beside a gateway that may be running, or not.

    For reading unless `writing`. Raises StorageError if there is none yet.
    """
    return open_store(settings.database, clock, read_only=not writing)


def intake_into(configuration: Configuration, store: Store, clock: Clock) -> Intake:
    """A front door beside the one of the gateway that serves this database.

    The gateway finds what came in by its safety poll, within a second.
    """
    return make_core(configuration, store, clock, Telemetry()).intake(lambda: None)


def cancel_run(configuration: Configuration, store: Store, clock: Clock, run_id: RunId) -> Run:
    """End a run as cancelled beside the gateway that serves this database, or without one.

    A gateway stops what is running within a second. Raises NotFound and UsageError.
    """
    core = make_core(configuration, store, clock, Telemetry())
    return core.ender(lambda job_ids: None).cancel(run_id)


def serving(settings: Settings) -> int | None:
    """The process id of the gateway that has the database open now; None if there is none."""
    return holder(settings.database)


def database_defects(settings: Settings) -> Sequence[str]:
    """What the database itself finds wrong in its file; a gateway may serve it meanwhile."""
    return defects(settings.database)


def open_workspaces(settings: Settings, clock: Clock) -> WorkspaceManager:
    """The workspaces that the settings name; nothing is made before it is needed."""
    return HardLinkWorkspaces(settings.workspace.root, clock)


def make_janitor(settings: Settings, store: Store, clock: Clock, telemetry: Telemetry) -> Janitor:
    """A janitor over that database and those workspaces."""
    workspaces = open_workspaces(settings, clock)
    return Janitor(store, workspaces, settings.workspace.ttl, clock, telemetry)
