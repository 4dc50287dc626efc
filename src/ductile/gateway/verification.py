"""Wiring for who holds database and workspaces against each other, which no gateway does."""

from __future__ import annotations

from ductile.config.settings import Settings
from ductile.insights.integrity.verifier import Verifier
from ductile.model.clock import Clock
from ductile.storage.interfaces import Store
from ductile.workspace.audit import HardLinkAudit


def make_verifier(settings: Settings, store: Store, clock: Clock) -> Verifier:
    """A verifier of that database and of the workspaces that the settings name."""
    audit = HardLinkAudit(settings.workspace.root)
    return Verifier(store, audit, settings.workspace.ttl, clock)
