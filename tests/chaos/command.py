"""`./dev chaos`: kill a busy gateway at every point and at random, and judge what is left."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from tests.chaos.points import POINTS, Moment
from tests.chaos.shim import build
from tests.chaos.trial import ANY, TIME, Kill, Trial

#: Milliseconds within which a gateway is killed by the clock: what the load takes, and more.
_LONGEST: Final = 2_500
#: How many gateways of one trial may be killed, where it is left to chance.
_KILLS: Final = 3


@dataclass(frozen=True)
class Planned:
    """One trial to come."""

    seed: int
    kills: tuple[Kill, ...]

    def __str__(self) -> str:
        return f"--seed {self.seed} --kill {','.join(str(kill) for kill in self.kills)}"


def plan(seed: int, passed: Mapping[str, int]) -> Iterator[Planned]:
    """All points, before and after, in the order of chance; then random kills, for ever.

    `passed` says how often the load passes each point; a passage is drawn from these.
    """
    chance = random.Random(seed)
    every = [(point, moment) for point in POINTS for moment in Moment]
    chance.shuffle(every)
    for point, moment in every:
        kill = Kill(point.name, moment, chance.randint(1, max(1, passed[point.name] // 2)))
        yield Planned(chance.randrange(1 << 32), (kill,))
    while True:
        kills = [_random(chance, passed) for _ in range(chance.randint(1, _KILLS))]
        yield Planned(chance.randrange(1 << 32), tuple(kills))


def _random(chance: random.Random, passed: Mapping[str, int]) -> Kill:
    moment = chance.choice(list(Moment))
    match chance.randrange(3):
        case 0:
            return Kill(TIME, moment, chance.randint(1, _LONGEST))
        case 1:
            return Kill(ANY, moment, chance.randint(1, sum(passed.values()) // 2))
        case _:
            point = chance.choice(POINTS)
            passage = chance.randint(1, max(1, passed[point.name] // 2))
            return Kill(point.name, chance.choice(list(Moment)), passage)


class Chaos:
    """Trials, each in a folder of its own that is kept if anything was broken."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = build(folder)
        self._numbers = count(1)
        self.kept: Path | None = None

    def count(self) -> Mapping[str, int]:
        """How often the load passes each point when nothing is killed. Exits if one is missed."""
        root = self._new()
        report = Trial(root, self._library).run((), clean=True)
        shutil.rmtree(root)
        missed = [name for name, times in report.passed.items() if not times]
        if report.broken or missed:
            lines = [*report.broken, *(f"no {name} was passed" for name in missed)]
            raise SystemExit("\n".join(["broken without any kill:", *lines]))
        return report.passed

    def holds(self, planned: Planned) -> bool:
        """Do one trial, and say what came of it; False if anything was broken."""
        root, begun = self._new(), time.monotonic()
        try:
            report = Trial(root, self._library, seed=planned.seed).run(planned.kills)
            broken = report.broken
            note = f"{report.accepted} accepted, {report.fired}/{len(planned.kills)} kills"
        except AssertionError as error:
            broken, note = [str(error)], "not finished"
        took = time.monotonic() - begun
        print(f"{'broken' if broken else 'ok':<7}{planned}  ({note}, {took:.1f} s)", flush=True)
        if not broken:
            shutil.rmtree(root)
            return True
        self.kept = root
        print("\n".join(["", *broken, "", f"repeat it: ./dev chaos {planned}"]))
        print(f"what is left of it: {root}")
        return False

    def _new(self) -> Path:
        root = self._folder / f"trial-{next(self._numbers)}"
        root.mkdir()
        return root


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    parser.add_argument("--trials", type=int, default=80, metavar="N", help="80 unless set")
    parser.add_argument(
        "--seconds", type=float, default=600, metavar="S", help="begin none after that; 600"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of everything that is random")
    parser.add_argument(
        "--kill",
        metavar="POINT:MOMENT:N",
        help="one trial that kills there at the N-th passage; several with commas between; the "
        f"points are in docs/crash-points.md, {ANY} and {TIME} (N milliseconds) go as well",
    )
    return parser


def main(arguments: Sequence[str]) -> int:
    """Do what is asked; 1 at the first trial that broke something."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    seed = random.randrange(1 << 32) if asked.seed is None else asked.seed
    folder = Path(tempfile.mkdtemp(prefix="ductile-chaos-"))
    try:
        chaos = Chaos(folder)
        if asked.kill is not None:
            trials = iter([Planned(seed, tuple(map(Kill.parse, asked.kill.split(","))))])
        else:
            print(f"seed {seed}", flush=True)
            trials = plan(seed, chaos.count())
    except (RuntimeError, ValueError) as error:
        shutil.rmtree(folder)
        parser.error(str(error))
    return _all(chaos, trials, folder, asked.trials, asked.seconds)


def _all(chaos: Chaos, trials: Iterator[Planned], folder: Path, number: int, seconds: float) -> int:
    end, done = time.monotonic() + seconds, 0
    for planned, _ in zip(trials, range(number), strict=False):
        if time.monotonic() >= end:
            break
        if not chaos.holds(planned):
            return 1
        done += 1
    shutil.rmtree(folder)
    print(
        f"{done} {'trial' if done == 1 else 'trials'}, nothing lost, nothing twice, nothing changed"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
