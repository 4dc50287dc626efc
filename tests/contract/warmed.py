"""Plugins of any kind behind a warm parent: forked from it, then become what they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ductile.model.clock import SystemClock
from ductile.model.ids import new_id
from ductile.plugin.interfaces import Ended, Invocation, StopToken
from ductile.plugin.orphans import JOB_ID_VARIABLE
from ductile.plugin.process import ProcessRunner
from ductile.plugin.warm import WarmSpawner
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import Signal

#: Becomes the executable that a file named after the job names. LC_CTYPE comes from Python itself,
#: where the environment says nothing of a language.
_LAUNCHER = f"""#!{sys.executable}
import os
job, folder = os.environ.pop("{JOB_ID_VARIABLE}"), os.environ.pop("LAUNCHES")
os.environ.pop("LC_CTYPE", None)
with open(os.path.join(folder, job)) as file:
    target = file.read()
os.execv(target, [target])
"""


class WarmedRunner:
    """A runner whose processes all come from one warm parent, whatever they run."""

    def __init__(self, folder: Path, spawner: WarmSpawner) -> None:
        self._folder = folder
        self._runner = ProcessRunner(SystemClock(), spawner)
        self._launcher = folder / "launcher"
        self._launcher.write_text(_LAUNCHER)
        self._launcher.chmod(0o755)

    def run(self, invocation: Invocation, stop: StopToken) -> Ended:
        if not os.access(invocation.entrypoint, os.X_OK):
            # What cannot be executed has no warm parent either.
            return self._runner.run(invocation, stop)
        job_id = new_id()
        (self._folder / job_id).write_text(str(invocation.entrypoint))
        own = {JOB_ID_VARIABLE: job_id, "LAUNCHES": str(self._folder)}
        warm = replace(
            invocation,
            entrypoint=self._launcher,
            environment={**invocation.environment, **own},
            preload=(),
        )
        return self._runner.run(warm, stop)


@contextmanager
def warmed(folder: Path) -> Iterator[WarmedRunner]:
    """It fails if anything was started cold."""
    signals: list[Signal] = []
    telemetry = Telemetry()
    telemetry.subscribe(signals.append)
    spawner = WarmSpawner(SystemClock(), telemetry)
    try:
        yield WarmedRunner(folder, spawner)
    finally:
        spawner.close()
    assert signals == []
