"""Plugins in a folder, run warm and cold."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

from ductile.model.clock import SystemClock
from ductile.model.ids import new_id
from ductile.plugin.interfaces import Ended, Invocation
from ductile.plugin.orphans import JOB_ID_VARIABLE
from ductile.plugin.process import ProcessRunner
from ductile.plugin.stop import Stop
from ductile.plugin.warm import WarmSpawner
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import Signal, WarmParentFailed
from tests.support.clock import FakeClock

LONG = timedelta(seconds=50)


class WarmAndCold:
    """One plugin in a folder, run from a warm parent and started."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.signals: list[Signal] = []
        self._work = folder / "ws"
        self._work.mkdir()
        self._script = folder / "plugin.py"
        telemetry = Telemetry()
        telemetry.subscribe(self.signals.append)
        self.spawner = WarmSpawner(self.clock, telemetry)
        self._warm = ProcessRunner(SystemClock(), self.spawner)
        self._cold = ProcessRunner(SystemClock())

    def write(self, text: str, first: str = f"#!{sys.executable}") -> None:
        """Let the plugin be this from now on."""
        new = self._script.with_suffix(".new")
        new.write_bytes(f"{first}\n{text}".encode("utf-8", "surrogateescape"))
        new.chmod(0o755)
        new.rename(self._script)

    def invocation(self, *preload: str, job_id: str | None = None) -> Invocation:
        return Invocation(
            entrypoint=self._script,
            request=b"{}",
            directory=self._work,
            environment={
                "PATH": os.environ["PATH"],
                "LANG": "C.UTF-8",
                JOB_ID_VARIABLE: job_id or new_id(),
            },
            timeout=LONG,
            preload=preload,
        )

    def warm(self, *preload: str, job_id: str | None = None) -> Ended:
        with Stop() as stop:
            return self._warm.run(self.invocation(*preload, job_id=job_id), stop)

    def cold(self, job_id: str) -> Ended:
        with Stop() as stop:
            return self._cold.run(self.invocation(job_id=job_id), stop)

    def both(self, *preload: str) -> tuple[Ended, Ended]:
        """The same job warm and cold; it must really have been forked."""
        job_id = new_id()
        warm, cold = self.warm(*preload, job_id=job_id), self.cold(job_id)
        assert self.signals == []
        return warm, cold

    def reasons(self) -> list[str]:
        """Why something was started cold."""
        return [each.reason for each in self.signals if isinstance(each, WarmParentFailed)]

    def parent(self) -> int:
        """The process id of the parent that a job has now."""
        self.write("import os; print(os.getppid())")
        return int(self.warm().stdout)
