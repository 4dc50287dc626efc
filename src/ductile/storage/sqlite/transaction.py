"""The transaction: all parts of the database behind one session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ductile.storage.sqlite.artifacts import ArtifactRows
from ductile.storage.sqlite.contexts import Contexts
from ductile.storage.sqlite.dedupe import DedupeRows
from ductile.storage.sqlite.deliveries import DeliveryRows
from ductile.storage.sqlite.events import EventRows
from ductile.storage.sqlite.jobs import Jobs
from ductile.storage.sqlite.joins import JoinRows
from ductile.storage.sqlite.plugin_states import PluginStateRows
from ductile.storage.sqlite.queries import load
from ductile.storage.sqlite.runs import RunRows, VersionRows
from ductile.storage.sqlite.session import Session
from ductile.storage.sqlite.views import ViewRows

SQL: Final = load("schema")


class SqliteTransaction:
    """What one caller reads and writes, all or nothing."""

    __slots__ = ("_session", "actions")

    def __init__(self, session: Session) -> None:
        self._session = session
        self.actions: list[Callable[[], None]] = []

    @property
    def jobs(self) -> Jobs:
        return Jobs(self._session)

    @property
    def contexts(self) -> Contexts:
        return Contexts(self._session)

    @property
    def events(self) -> EventRows:
        return EventRows(self._session)

    @property
    def runs(self) -> RunRows:
        return RunRows(self._session)

    @property
    def joins(self) -> JoinRows:
        return JoinRows(self._session)

    @property
    def versions(self) -> VersionRows:
        return VersionRows(self._session)

    @property
    def artifacts(self) -> ArtifactRows:
        return ArtifactRows(self._session)

    @property
    def plugin_states(self) -> PluginStateRows:
        return PluginStateRows(self._session)

    @property
    def dedupe(self) -> DedupeRows:
        return DedupeRows(self._session)

    @property
    def deliveries(self) -> DeliveryRows:
        return DeliveryRows(self._session)

    @property
    def views(self) -> ViewRows:
        return ViewRows(self._session)

    def after_commit(self, action: Callable[[], None]) -> None:
        self.actions.append(action)

    def probe(self) -> None:
        """Write something that means nothing."""
        self._session.rows(SQL["probe"])

    def version(self) -> int:
        """The version of the schema."""
        ((version,),) = self._session.rows(SQL["version"])
        return int(version)
