"""What gateway and command line both need to let something in: the intake and its parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ductile.config.settings import Settings
from ductile.dispatch.intake import LedgerIntake
from ductile.dispatch.interfaces import Intake
from ductile.dispatch.janitor import Janitor
from ductile.dispatch.plan import Planner
from ductile.dispatch.policies import Policies
from ductile.dispatch.privacy import Privacy
from ductile.gateway.configuration import Configuration
from ductile.model.clock import Clock
from ductile.router.graph_router import GraphRouter
from ductile.storage.interfaces import Store
from ductile.storage.sqlite.lock import holder
from ductile.storage.sqlite.store import open_store
from ductile.telemetry.hub import Telemetry
from ductile.workspace.hard_links import HardLinkWorkspaces
from ductile.workspace.interfaces import WorkspaceManager


@dataclass(frozen=True)
class Core:
    """One configuration over one open database."""

    configuration: Configuration
    settings: Settings
    store: Store
    clock: Clock
    telemetry: Telemetry
    policies: Policies
    privacy: Privacy
    planner: Planner

    def intake(self, queued: Callable[[], None]) -> Intake:
        """The front door; `queued` is called after each commit that put jobs on the list."""
        _, _, catalogue = self.configuration.parts()
        return LedgerIntake(
            self.store,
            self.planner,
            self.policies,
            catalogue,
            self.clock,
            self.telemetry,
            queued,
        )


def make_core(
    configuration: Configuration, store: Store, clock: Clock, telemetry: Telemetry
) -> Core:
    """Wire a core. Raises ConfigurationError, with every problem, for files that are wrong."""
    settings, registry, catalogue = configuration.parts()
    policies = Policies(settings, registry, configuration.environment)
    privacy = Privacy(settings.secrets, settings.workspace.root)
    planner = Planner(
        GraphRouter(catalogue),
        policies,
        privacy,
        depth_limit=settings.service.depth_limit,
        max_baggage=settings.service.max_baggage,
    )
    return Core(configuration, settings, store, clock, telemetry, policies, privacy, planner)


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


def serving(settings: Settings) -> int | None:
    """The process id of the gateway that has the database open now; None if there is none."""
    return holder(settings.database)


def open_workspaces(settings: Settings, clock: Clock) -> WorkspaceManager:
    """The workspaces that the settings name; nothing is made before it is needed."""
    return HardLinkWorkspaces(settings.workspace.root, clock)


def make_janitor(settings: Settings, store: Store, clock: Clock, telemetry: Telemetry) -> Janitor:
    """A janitor over that database and those workspaces."""
    workspaces = open_workspaces(settings, clock)
    return Janitor(store, workspaces, settings.workspace.ttl, clock, telemetry)
