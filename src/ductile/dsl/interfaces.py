"""What the compiler must know of the plugins."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class PluginCatalogue(Protocol):
    """The plugins that steps may use. Answers stay the same for as long as one compilation."""

    def names(self) -> Collection[str]:
        """Plugins that may be used."""

    def commands(self, plugin: str) -> Collection[str] | None:
        """What the plugin can be asked to do; None for one that is not in `names`."""

    def disabled(self, plugin: str) -> bool:
        """Whether there is such a plugin, but the settings forbid to run it."""
