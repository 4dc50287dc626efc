"""Python plugins: jobs per second from a warm parent, and with a start of Python for each."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from drain import STEPS, drain
from figures import Figure, Goal
from grounds import make

PRELOAD: Final = ("json", "sqlite3", "urllib.request")
#: Imports what many plugins do, reads its request and answers.
WORK: Final = f"""#!{sys.executable}
import {", ".join(PRELOAD)}
import sys
json.load(sys.stdin)
print(json.dumps({{"status": "ok", "events": [{{"type": "worked", "payload": {{}}}}]}}))
"""


def warming(
    folder: Path, port: Callable[[], int], *, chains: int, times: int, rounds: int
) -> list[Figure]:
    """Drain chains of such a plugin, round by round in both ways.

    So many `times` more of them where they are forked, so that both ways take as long.
    """
    warm, cold = [], []
    for number in range(rounds):
        started = make(folder / f"cold-{number}", port=port(), steps=STEPS, plugin=WORK)
        forked = make(
            folder / f"warm-{number}", port=port(), steps=STEPS, plugin=WORK, preload=PRELOAD
        )
        cold.append(drain(started, chains).rate)
        warm.append(drain(forked, chains * times).rate)
    return [
        Figure(
            "warm",
            f"Python plugins that import {', '.join(PRELOAD)}, forked from a warm parent",
            "jobs/s",
            warm,
            cold,
            "jobs/s with a start of Python for each",
            Goal(8, at_least=True, of_control=True),
        )
    ]
