"""Running one plugin as the gateway does: a request on stdin, an answer on stdout."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ductile.demo.layout import PLUGINS

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/", "LANG": "C.UTF-8"}
JOB_ID = "0199c0de-0000-7000-8000-00000badcafe"


@dataclass(frozen=True)
class Response:
    """What a plugin answered."""

    value: dict[str, Any]
    stdout: str

    @property
    def error(self) -> str:
        """The error of a failed attempt; refuses an answer that is none."""
        assert self.value["status"] == "error", self.value
        return str(self.value["error"])

    @property
    def retry(self) -> bool:
        return bool(self.value.get("retry", True))

    @property
    def updates(self) -> dict[str, Any]:
        """The state updates of a success."""
        assert self.value["status"] == "ok", self.value
        updates: dict[str, Any] = self.value.get("state_updates", {})
        return updates

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of a success."""
        assert self.value["status"] == "ok", self.value
        events: list[dict[str, Any]] = self.value.get("events", [])
        return events


@dataclass(frozen=True)
class Bench:
    """A workspace to run plugins in, one after the other."""

    workspace: Path
    environment: Mapping[str, str] = field(default_factory=lambda: ENVIRONMENT)

    def run(
        self,
        plugin: str,
        payload: Mapping[str, Any] | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        command: str = "handle",
    ) -> Response:
        """Run a plugin's command; it must exit with 0 and answer with one JSON object."""
        request: dict[str, Any] = {
            "protocol": 2,
            "job_id": JOB_ID,
            "attempt": 1,
            "command": command,
            "config": dict(config or {}),
            "state": {},
            "context": {},
            "workspace_dir": str(self.workspace),
        }
        if command == "handle":
            request["event"] = {"id": "e", "type": "test", "payload": dict(payload or {})}
        return self.execute([str(executable(plugin))], json.dumps(request))

    def execute(self, command: list[str], stdin: str) -> Response:
        """Run any command in the workspace, with what a plugin gets to see of the environment."""
        process = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.workspace,
            env=dict(self.environment),
        )
        assert process.returncode == 0, process.stderr
        assert process.stderr == ""
        value = json.loads(process.stdout)
        assert isinstance(value, dict)
        return Response(value, process.stdout)

    def write(self, name: str, text: str) -> None:
        (self.workspace / name).write_text(text, encoding="utf-8")

    def read(self, name: str) -> str:
        return (self.workspace / name).read_text(encoding="utf-8")

    def files(self) -> set[str]:
        return {path.name for path in self.workspace.iterdir()}


def manifest(plugin: str) -> dict[str, Any]:
    """The manifest of a plugin."""
    value: dict[str, Any] = yaml.safe_load((PLUGINS / plugin / "manifest.yaml").read_bytes())
    return value


def executable(plugin: str) -> Path:
    """What the manifest of a plugin names as its entrypoint."""
    return PLUGINS / plugin / str(manifest(plugin)["entrypoint"])
