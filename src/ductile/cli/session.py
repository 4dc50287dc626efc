"""What most commands begin with: the configuration, and the ledger beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ductile.cli.commands import Asked
from ductile.cli.output import note
from ductile.config.loader import find_config_dir, load_settings
from ductile.config.settings import Settings
from ductile.documents.render import render
from ductile.errors import ConfigurationError, StorageError
from ductile.gateway.configuration import Configuration, read_configuration
from ductile.gateway.core import open_ledger
from ductile.insights.insights import Insights
from ductile.model.clock import Clock, SystemClock
from ductile.storage.interfaces import Store

#: Stands for the value of a variable that is not set; no path has it.
_UNSET: Final = "\0"


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open database that is only read."""

    settings: Settings
    store: Store
    insights: Insights
    clock: Clock


def configuration(asked: Asked) -> Configuration:
    """All files of the config directory, whatever is wrong with them."""
    return read_configuration(asked.directory, os.environ)


def usable_configuration(asked: Asked) -> Configuration:
    """All files, with warnings told. Raises ConfigurationError with every problem."""
    found = configuration(asked)
    found.parts()
    if found.problems:
        note(render(found.problems, files=found.files))
    return found


def existing_database(asked: Asked) -> Settings:
    """The settings, of which only where things are is sure to be right, if there is a database.

    Raises StorageError if there is none yet.
    """
    settings = _settings(find_config_dir(asked.directory, os.environ))
    if not settings.database.exists():
        raise StorageError(
            f'there is no database "{settings.database}" yet, for nothing has run; "ductile '
            'serve" or "ductile pipeline run" makes it'
        )
    return settings


@contextmanager
def ledger(asked: Asked) -> Iterator[Ledger]:
    """The database, for reading, whether or not a gateway serves it.

    What happened can be looked at whatever is wrong with pipelines and plugins, and without
    the secrets that only a gateway needs.
    """
    settings = existing_database(asked)
    clock = SystemClock()
    store = open_ledger(settings, clock)
    try:
        yield Ledger(settings, store, Insights(store, clock), clock)
    finally:
        store.close()


class _Forgiving(Mapping[str, str]):
    """This process's environment, with a mark for every variable that is not set."""

    def __getitem__(self, name: str) -> str:
        return os.environ.get(name, _UNSET)

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)


def _settings(directory: Path) -> Settings:
    settings, _, problems = load_settings(directory, os.environ)
    if settings is None:
        settings, _, _ = load_settings(directory, _Forgiving())
    if settings is None or _UNSET in f"{settings.database}{settings.workspace.root}":
        raise ConfigurationError(render(problems, files=1))
    return settings
