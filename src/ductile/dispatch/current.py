"""What is in force: the pipelines and plugins of every decision, exchanged as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from ductile.config.settings import Settings
from ductile.dsl.catalogue import Catalogue
from ductile.plugin.registry import Registry
from ductile.router.interfaces import Router


@dataclass(frozen=True, slots=True)
class InForce:
    """One set of files that were read and checked together."""

    settings: Settings
    registry: Registry
    catalogue: Catalogue
    router: Router
    """Over that catalogue, with the plugins' configuration from those settings."""


class Current:
    """Holds the set that is in force; safe to call from several threads."""

    def __init__(self, first: InForce) -> None:
        self._set = first

    def __call__(self) -> InForce:
        """The set of this moment. A decision asks once, so that it never sees parts of two."""
        return self._set

    def exchange(self, successor: InForce) -> None:
        """Put another set in force, for every decision that begins from now on."""
        self._set = successor
