"""Draining a queue: jobs per second, processor and bytes per job, with and without a past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from control import Control
from figures import Figure, Goal
from grounds import Grounds, make
from history import add_history

from ductile.config.settings import default_workers

STEPS = 5


@dataclass(frozen=True)
class Drained:
    """One round."""

    rate: float
    """Jobs per second, from the first claim to the last settlement."""
    cpu: float
    """Milliseconds of processor of the gateway per job, its start not counted."""


def drain(grounds: Grounds, chains: int) -> Drained:
    """Queue chains, serve until they are done."""
    [(before,)] = _if_there(grounds)
    grounds.queue(chains)
    with grounds.serving() as running:
        # The first jobs are under way by now; they are some of thousands.
        cpu = running.cpu()
        grounds.wait_until_drained()
        cpu = running.cpu() - cpu
    [(first, last, jobs)] = grounds.rows(
        "SELECT min(started_at), max(completed_at), count(*) FROM job_queue WHERE id > ?", before
    )
    if jobs != chains * STEPS:
        raise SystemExit(f"expected {chains * STEPS} jobs, found {jobs}")
    took = datetime.fromisoformat(last) - datetime.fromisoformat(first)
    return Drained(jobs / took.total_seconds(), cpu / jobs * 1e3)


def draining(
    folder: Path, control: Control, port: Callable[[], int], *, chains: int, rounds: int
) -> list[Figure]:
    """The main figures: what the machinery costs beside the plugins."""
    parallel = default_workers()
    rates, controls, cpus, sizes = [], [], [], []
    for number in range(rounds):
        grounds = make(folder / f"drain-{number}", port=port(), steps=STEPS)
        jobs = chains * STEPS
        controls.append(jobs / control.seconds(grounds, parallel=parallel, count=jobs))
        found = drain(grounds, chains)
        rates.append(found.rate)
        cpus.append(found.cpu)
        sizes.append(grounds.database.stat().st_size / jobs)
    spawns = f"spawns/s of the C control, {parallel} at a time"
    goal = Goal(0.40, at_least=True, of_control=True)
    return [
        Figure("drain", f"draining {chains} chains", "jobs/s", rates, controls, spawns, goal),
        Figure("cpu", "gateway CPU per job", "ms", cpus, goal=Goal(1.0)),
        Figure("bytes", "database per job", "bytes", sizes, goal=Goal(2000)),
    ]


def draining_with_a_past(
    folder: Path, port: Callable[[], int], *, chains: int, past: int, rounds: int
) -> list[Figure]:
    """The same drain with so many finished jobs in the database, and without them."""
    full = make(folder / "past", port=port(), steps=STEPS)
    add_history(full, past)
    with_past, without = [], []
    for number in range(rounds):
        empty = make(folder / f"no-past-{number}", port=port(), steps=STEPS)
        without.append(drain(empty, chains).rate)
        with_past.append(drain(full, chains).rate)
    return [
        Figure(
            "past",
            f"the same with {past:,} finished jobs",
            "jobs/s",
            with_past,
            without,
            "jobs/s with an empty database",
            Goal(0.9, at_least=True, of_control=True),
        )
    ]


def _if_there(grounds: Grounds) -> list[tuple[str]]:
    if not grounds.database.exists():
        return [("",)]
    return [(str(newest or ""),) for (newest,) in grounds.rows("SELECT max(id) FROM job_queue")]
