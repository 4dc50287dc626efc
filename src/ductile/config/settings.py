"""Settings: all of `config.yaml` with every default in place, documented field by field."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from ductile.config.endpoints import EndpointSettings, InboxSettings, WebhookSettings
from ductile.config.http import HttpSettings
from ductile.config.values import (
    DatabaseUrl,
    Lease,
    PathText,
    PluginName,
    VariableName,
)
from ductile.documents.scalars import ByteSize, Duration
from ductile.documents.validation import Schema
from ductile.model.json import Json
from ductile.model.policy import RetryPolicy

#: How long an attempt may take, by command.
DEFAULT_TIMEOUTS: Final[Mapping[str, timedelta]] = {
    "poll": timedelta(seconds=60),
    "handle": timedelta(seconds=120),
    "health": timedelta(seconds=10),
}
#: … and by every other command.
DEFAULT_TIMEOUT: Final = timedelta(seconds=60)

_RETRY: Final = RetryPolicy()

_Positive = Annotated[int, Field(ge=1)]


def default_workers() -> int:
    """Two for each processor that this process may use: most plugins wait for something."""
    return max(4, 2 * len(os.sched_getaffinity(0)))


class ServiceSettings(Schema):
    """The gateway as a whole."""

    noun: ClassVar[str] = "service"

    name: Annotated[str, Field(min_length=1)] = "ductile"
    """What this gateway is called, for people."""
    max_workers: Annotated[int, Field(ge=1, le=512)] = Field(default_factory=default_workers)
    """Jobs that run at once; two for each processor, but at least 4, if left out."""
    depth_limit: _Positive = 20
    """Runs that may start each other by events before the next one is refused."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important log lines that are written."""
    log_format: Literal["text", "json"] = "text"
    """`text` for people, `json` for programs."""
    shutdown_grace: Duration = timedelta(seconds=10)
    """What running plugins get to end by themselves when the gateway stops."""
    lease: Lease = timedelta(seconds=60)
    """How long a worker holds a job without a sign of life before it is given to another."""
    queue_limit: _Positive = 100_000
    """Jobs that may wait before nothing more is let in; what follows from others always is."""
    max_baggage: ByteSize = 1024 * 1024
    """JSON that one context may hold."""
    dedupe_ttl: Annotated[Duration, Field(gt=timedelta(0))] = timedelta(hours=24)
    """How long an event with a dedupe key keeps others with that key from starting anything."""
    watch: bool = True
    """Whether a change of a pipeline or a manifest is taken in by itself."""


class RetrySettings(Schema):
    """When a failed job is tried again."""

    noun: ClassVar[str] = "retry"

    max_attempts: Annotated[int, Field(ge=1, le=100)] = _RETRY.max_attempts
    """Tries in all, the first included."""
    backoff_base: Duration = _RETRY.backoff_base
    """The wait after the first failure; it doubles with each further one."""
    backoff_cap: Duration = _RETRY.backoff_cap
    """The longest wait; a first one that is longer by itself is kept."""


class PluginSettings(Schema):
    """One plugin; one that is not named in the file has the defaults."""

    noun: ClassVar[str] = "a plugin"

    enabled: bool = True
    """If false, nothing runs it, whoever asks."""
    config: Mapping[str, Json] = Field(default_factory=dict, repr=False)
    """What the plugin gets as `config`; its manifest names the keys."""
    env: tuple[VariableName, ...] = ()
    """Variables of the gateway's environment that are handed on to it."""
    timeouts: Mapping[str, Duration] = Field(default_factory=dict)
    """How long an attempt may take, by command; poll 60s, handle 2m, health 10s, others 60s."""
    retry_settings: RetrySettings = Field(default_factory=RetrySettings, alias="retry")
    parallelism: _Positive | None = None
    """Jobs of it that run at once; no limit of its own if left out, and always 1 for a plugin
    whose manifest says `concurrency_safe: false`."""
    max_stdout: ByteSize = 10 * 1024 * 1024
    """What it may write to stdout."""
    warm: bool = True
    """Whether it is forked from a warm parent, if its manifest says `runtime: python`."""

    @property
    def retry(self) -> RetryPolicy:
        """When a failed job of it is tried again."""
        own = self.retry_settings
        return RetryPolicy(own.max_attempts, own.backoff_base, own.backoff_cap)

    def timeout_for(self, command: str) -> timedelta:
        """How long an attempt at this command may take."""
        default = DEFAULT_TIMEOUTS.get(command, DEFAULT_TIMEOUT)
        return self.timeouts.get(command, default)


class StateFile(Schema):
    """Where the ledger is, as the file says it."""

    noun: ClassVar[str] = "state"

    url: DatabaseUrl = "sqlite:///ductile.db"
    """`sqlite:///` and a path relative to `data_dir`."""


class WorkspaceFile(Schema):
    """Where workspaces are, as the file says it."""

    noun: ClassVar[str] = "workspace"

    root: PathText = "ws"
    """The folder that holds them, relative to `data_dir`."""
    ttl: Duration = timedelta(hours=24)
    """How long the workspaces of a finished chain are kept."""
    janitor_interval: Duration = timedelta(minutes=10)
    """How often expired ones are looked for."""


class ConfigFile(Schema):
    """`config.yaml` as it is written."""

    noun: ClassVar[str] = "config.yaml"

    service: ServiceSettings = Field(default_factory=ServiceSettings)
    state: StateFile = Field(default_factory=StateFile)
    data_dir: PathText = "~/.local/share/ductile"
    """The folder of database and workspaces, relative to the config directory."""
    workspace: WorkspaceFile = Field(default_factory=WorkspaceFile)
    http: HttpSettings = Field(default_factory=HttpSettings)
    plugin_roots: Annotated[tuple[PathText, ...], Field(min_length=1)] = ("plugins",)
    """Folders that are searched for plugins, relative to the config directory."""
    plugins: Mapping[PluginName, PluginSettings] = Field(default_factory=dict)
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """Where workspaces are and how long they are kept."""

    root: Path
    ttl: timedelta
    janitor_interval: timedelta


_UNNAMED: Final = PluginSettings()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, with nothing left to be decided; all paths are absolute."""

    config_dir: Path
    data_dir: Path
    database: Path
    """The SQLite file."""
    service: ServiceSettings
    workspace: WorkspaceSettings
    http: HttpSettings
    plugin_roots: tuple[Path, ...]
    plugins: Mapping[str, PluginSettings]
    """Those that the file names; `plugin` answers for all."""
    webhooks: tuple[EndpointSettings, ...]
    inbox: InboxSettings = field(default_factory=InboxSettings)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """Values that no log and no table may hold."""

    def plugin(self, name: str) -> PluginSettings:
        """The settings of a plugin, the defaults if the file does not name it."""
        return self.plugins.get(name, _UNNAMED)
