"""A config directory as `ductile init` makes it, and commands on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.process import Ended, run
from tests.support.terminal import ductile


@dataclass(frozen=True)
class Site:
    """A config directory made by `ductile init`."""

    directory: Path

    def run(self, *arguments: str) -> Ended:
        """A command on this directory, in this process."""
        return ductile("--config", str(self.directory), *arguments)

    def spawn(self, *arguments: str) -> Ended:
        """A command on this directory, in a process of its own."""
        return run(*arguments, "--config", str(self.directory))

    def json(self, *arguments: str) -> Any:
        """What a command that must be fine prints with --json."""
        ended = self.run(*arguments, "--json")
        assert ended.code == 0, ended.text
        return json.loads(ended.output)

    def json_of_failure(self, *arguments: str) -> Any:
        """What a command that finds the configuration wrong prints with --json."""
        ended = self.run(*arguments, "--json")
        assert ended.code == 3, ended.text
        return json.loads(ended.output)


def made(directory: Path) -> Site:
    """A new one, with a port of its own."""
    ended = ductile("init", str(directory))
    assert ended.code == 0, ended.text
    config = directory / "config.yaml"
    # Any free port: tests run beside each other.
    config.write_text(config.read_text().replace("127.0.0.1:8080", "127.0.0.1:0"))
    return Site(directory)
