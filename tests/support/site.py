"""A site: a configuration directory made by a test, and the gateway on it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ductile.dispatch.interfaces import Accepted, Trigger
from ductile.gateway.configuration import Configuration, read_configuration
from ductile.gateway.gateway import Gateway
from ductile.model.clock import Clock
from ductile.model.ids import ChainId, EventId
from ductile.model.job import Job
from ductile.storage.interfaces import ChainRecords
from ductile.telemetry.hub import Telemetry
from tests.support.signals import Signals

SH = "#!/bin/sh\n"


@dataclass
class Site:
    """Files of a gateway, written one by one."""

    root: Path
    config: dict[str, Any] = field(default_factory=dict)
    """What config.yaml says besides where things are."""
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin"})

    def plugin(self, name: str, script: str, **manifest: Any) -> Path:
        """A plugin that is a POSIX shell script, or whatever its first line says."""
        folder = self.root / "config" / "plugins" / name
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        lines = textwrap.dedent(script).lstrip("\n")
        program = folder / "run"
        program.write_text(lines if lines.startswith("#!") else SH + lines)
        program.chmod(0o755)
        described = {
            "manifest_spec": "ductile.plugin",
            "manifest_version": 1,
            "name": name,
            "version": "1.0.0",
            "protocol": 2,
            "entrypoint": "run",
            "description": f"{name}, for a test",
            "commands": [{"name": "handle", "type": "write"}],
            **manifest,
        }
        (folder / "manifest.yaml").write_text(json.dumps(described))
        return program

    def pipeline(self, text: str, file: str = "test.yaml") -> None:
        """A file under pipelines/, in YAML, without its first line."""
        path = self.root / "config" / "pipelines" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("pipelines:\n" + textwrap.indent(textwrap.dedent(text).strip("\n"), "  "))

    def write(self) -> Path:
        """Write config.yaml; returns the configuration directory."""
        directory = self.root / "config"
        (directory / "plugins").mkdir(parents=True, exist_ok=True)
        service = {"max_workers": 4, **self.config.get("service", {})}
        settings = {
            "data_dir": str(self.root / "data"),
            "http": {"listen": "127.0.0.1:0"},
            **self.config,
            "service": service,
        }
        (directory / "config.yaml").write_text(json.dumps(settings, indent=1))
        return directory

    def read(self) -> Configuration:
        """The configuration as it stands."""
        return read_configuration(self.write(), self.environment)

    @contextmanager
    def running(
        self, *, doors: bool = False, clock: Clock | None = None, start: bool = True
    ) -> Iterator[Running]:
        """A gateway in this process, stopped at the end."""
        signals = Signals()
        telemetry = Telemetry()
        telemetry.subscribe(signals)
        gateway = Gateway(self.read(), clock=clock, telemetry=telemetry, doors=doors)
        try:
            if start:
                gateway.start()
            yield Running(gateway, signals)
        finally:
            gateway.stop()


@dataclass(frozen=True)
class Running:
    """A gateway and what it says of itself."""

    gateway: Gateway
    signals: Signals

    def send(self, event_type: str, payload: Mapping[str, Any] | None = None) -> Accepted:
        """Let an event in."""
        return self.gateway.intake.accept(Trigger(event_type, dict(payload or {}), "test"))

    def finish(self, event_type: str, payload: Mapping[str, Any] | None = None) -> Chain:
        """Let an event in and wait until all that followed from it has ended."""
        return self.ended(self.send(event_type, payload).event_id)

    def ended(self, event_id: EventId) -> Chain:
        """The chain of an event, when all its jobs are terminal and all that was told of them."""
        self.signals.wait_until(lambda: self.chain(event_id).terminal)
        # What a commit tells comes after what readers see of it, and before the next commit.
        self.gateway.store.write(lambda tx: None)
        return self.chain(event_id)

    def chain(self, event_id: EventId) -> Chain:
        """The chain of an event as it stands."""
        chain_id = ChainId(event_id)
        return Chain(self.gateway.store.read(lambda tx: tx.views.chain(chain_id)))

    def workspace(self, job: Job) -> Path:
        """The directory of the job's latest attempt."""
        return self.gateway.workspace_path(job)


@dataclass(frozen=True)
class Chain:
    """The records of one chain, with the questions that tests ask."""

    records: ChainRecords

    @property
    def terminal(self) -> bool:
        """Whether nothing more will happen."""
        return all(job.status.terminal for job in self.records.jobs)

    @property
    def jobs(self) -> list[Job]:
        """In the order in which they were queued."""
        return list(self.records.jobs)

    def job(self, name: str) -> Job:
        """The only job of that step or plugin."""
        [found] = [job for job in self.records.jobs if name in (job.step_id, job.plugin)]
        return found

    def baggage_of(self, job: Job) -> Mapping[str, Any]:
        """What the job read."""
        [context] = [c for c in self.records.contexts if c.id == job.event_context_id]
        return context.baggage

    def written_by(self, job: Job) -> Mapping[str, Any]:
        """The baggage that the job's success wrote."""
        [context] = [c for c in self.records.contexts if c.id == job.result_context_id]
        return context.baggage
