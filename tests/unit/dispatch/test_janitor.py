"""What the janitor tells of what it could not do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from ductile.dispatch.janitor import Janitor
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import WorkspaceNotDeleted, WorkspacesDeleted
from ductile.workspace.interfaces import CleanupReport
from tests.support.clock import FakeClock
from tests.support.signals import Signals


class Stubborn:
    """A workspace root with leftovers, one of which cannot be deleted."""

    def names(self) -> Mapping[str, None]:
        return {".tmp-a": None, ".tmp-b": None, ".tmp-c": None}

    def older_than(self, name: str, age: timedelta) -> bool:
        return True

    def cleanup(self, names: Sequence[str]) -> CleanupReport:
        gone = [name for name in names if name != ".tmp-b"]
        return CleanupReport(gone, {".tmp-b": "device busy"})


def test_one_directory_that_cannot_be_deleted_is_told_of_and_the_others_are_gone() -> None:
    signals, telemetry = Signals(), Telemetry()
    telemetry.subscribe(signals)
    store: Any = SimpleNamespace(read=lambda work: {})
    workspaces: Any = Stubborn()
    report = Janitor(store, workspaces, timedelta(hours=24), FakeClock(), telemetry).run_once()
    assert list(report.deleted) == [".tmp-a", ".tmp-c"]
    assert signals.heard == [
        WorkspacesDeleted(2),
        WorkspaceNotDeleted(".tmp-b", "device busy"),
    ]
