"""One trial: a gateway under load is killed at chosen points, started again, and judged."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos import verdict
from tests.chaos.load import SMALL, Amount, Load
from tests.chaos.points import Moment, point
from tests.chaos.shim import Shim
from tests.support.process import GatewayProcess, gateway

#: Stand for a call at any point, and for a moment of the clock.
ANY: Final = "any"
TIME: Final = "time"
_KILL: Final = re.compile(r"([a-z.]+):(before|after):([1-9][0-9]*)")


@dataclass(frozen=True)
class Kill:
    """When a gateway dies."""

    point: str
    moment: Moment
    passage: int
    """Which passage of the point it is, or how many milliseconds it takes; counted from when the
    gateway listens, for the janitor from its start."""

    def __str__(self) -> str:
        return f"{self.point}:{self.moment}:{self.passage}"

    @property
    def cleaning(self) -> bool:
        """Whether it is the janitor that is cut off."""
        return self.point not in (ANY, TIME) and point(self.point).cleaning

    @classmethod
    def parse(cls, text: str) -> Kill:
        """The inverse of `str`. Raises ValueError."""
        found = _KILL.fullmatch(text)
        if found is None:
            raise ValueError(
                "expected POINT:before:N or POINT:after:N, log.sync:after:17 for instance, "
                f'found "{text}"'
            )
        name, moment, passage = found.groups()
        if name not in (ANY, TIME):
            point(name)
        return cls(name, Moment(moment), int(passage))


@dataclass
class Report:
    """What a trial came to."""

    broken: list[str] = field(default_factory=list)
    fired: int = 0
    """How many of the kills came about: a point may not be passed that often."""
    accepted: int = 0
    passed: dict[str, int] = field(default_factory=dict)
    """How often each point was passed."""


class Trial:
    """Kills, one after the other, of gateways on one site."""

    def __init__(self, root: Path, library: Path, *, seed: int = 0, amount: Amount = SMALL) -> None:
        self._load = Load(root)
        self._shim = Shim(library, root / "control")
        self._amount = amount
        self._chance = random.Random(seed)
        self._report = Report()
        self._before: list[verdict.Rows] = []
        self._shot = threading.Event()
        """Set when a gateway was killed by the clock."""

    def run(self, kills: Sequence[Kill], *, clean: bool = False) -> Report:
        """Do it, and judge. Raises AssertionError if a gateway hangs, or ends by itself.

        With `clean` a gateway deletes the workspaces at the end even if none is killed at that.
        """
        cleaning: list[Kill | None] = [kill for kill in kills if kill.cleaning]
        striking: list[Kill | None] = [kill for kill in kills if not kill.cleaning]
        with ExitStack() as gateways:
            # Kept until the end: to leave one kills what its plugins left running.
            for kill in striking or [None]:
                self._strike(gateways, kill)
            self._finish(gateways)
            self._report.broken += verdict.broken(self._load, self._before)
            for kill in cleaning or [None] * clean:
                self._clean(gateways, kill)
            self._report.broken += verdict.clean(self._load)
        self._report.accepted = len(self._load.accepted)
        self._report.passed = self._shim.passed()
        return self._report

    def _start(
        self, gateways: ExitStack, *, cleaning: bool = False, listens: bool = True
    ) -> GatewayProcess:
        directory, environment = self._load.write(cleaning=cleaning), self._shim.environment
        return gateways.enter_context(gateway(directory, environment=environment, listens=listens))

    def _strike(self, gateways: ExitStack, kill: Kill | None) -> None:
        """Send the load, and let the gateway die of it, or finish."""
        process = self._start(gateways)
        self._arm(kill, process)
        sending = threading.Thread(
            target=self._load.send, args=(process, self._amount, self._chance)
        )
        sending.start()
        process.wait_until(lambda: self._dead or self._settled(sending))
        sending.join()
        if not self._dead:
            # What only a stop does is a place to die at as well.
            process.stop()
        self._mourn(process)

    def _finish(self, gateways: ExitStack) -> None:
        """Let a gateway do what is left, unharmed, and end."""
        process = self._start(gateways)
        process.wait_until(lambda: self._load.open_jobs() == 0)
        process.stop()

    def _clean(self, gateways: ExitStack, kill: Kill | None) -> None:
        """Let a gateway delete all workspaces, or die of it."""
        self._arm(kill)
        process = self._start(gateways, cleaning=True, listens=kill is None)
        process.wait_until(lambda: self._dead or not verdict.left(self._load))
        if not self._dead:
            process.stop()
        self._mourn(process)

    @property
    def _dead(self) -> bool:
        return self._shim.fired or self._shot.is_set()

    def _arm(self, kill: Kill | None, process: GatewayProcess | None = None) -> None:
        if kill is None:
            return
        if kill.point == TIME:
            assert process is not None
            timer = threading.Timer(kill.passage / 1000, self._shoot, args=(process,))
            timer.daemon = True
            timer.start()
        else:
            name = None if kill.point == ANY else kill.point
            self._shim.kill(name, kill.moment, kill.passage)

    def _shoot(self, process: GatewayProcess) -> None:
        self._shot.set()
        process.kill()

    def _mourn(self, process: GatewayProcess) -> None:
        process.ended()
        self._report.fired += self._dead
        self._shim.rest()
        self._shot.clear()
        self._before.append(verdict.lasting(self._load))

    def _settled(self, sending: threading.Thread) -> bool:
        return not sending.is_alive() and self._load.open_jobs() == 0
