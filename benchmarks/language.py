"""The language: compiling a folder, and what one hop of a long chain costs the ledger."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml
from figures import Figure, Goal

from ductile.dispatch.assignment import load as load_assignment
from ductile.dispatch.interfaces import Trigger
from ductile.dispatch.settle import Settler
from ductile.documents.render import render
from ductile.dsl.loader import load as load_pipelines
from ductile.gateway.configuration import read_configuration
from ductile.gateway.core import Core, make_core
from ductile.model.clock import SystemClock
from ductile.model.ids import WorkerId
from ductile.model.job import Job
from ductile.model.outcome import Attempt, EmittedEvent, Response, Succeeded
from ductile.storage.sqlite.store import open_store
from ductile.telemetry.hub import Telemetry

#: What every made-up job answers: as much baggage at the last hop as at the first.
ANSWER: Final = Response(None, (EmittedEvent("worked", {"note": "n" * 100}),), {"last": "kept"})
#: How often the control reads the data that is compiled once.
CONTROL_READS: Final = 10
#: Hops at either end of a chain that are held against each other.
EDGE: Final = 10


@dataclass(frozen=True)
class Took:
    """Seconds on the wall, and seconds of processor in all threads."""

    wall: float
    cpu: float


def measured(work: Callable[[], object]) -> Took:
    """Do it once, against both clocks."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - wall, time.process_time() - cpu)


# --- compiling -------------------------------------------------------------------------------


class OnePlugin:
    """What the compiler may use."""

    def names(self) -> Collection[str]:
        return ("work",)

    def commands(self, plugin: str) -> Collection[str] | None:
        return ("handle",) if plugin == "work" else None

    def disabled(self, plugin: str) -> bool:
        return False


def pipeline(number: int) -> dict[str, Any]:
    """A pipeline of ten steps: six in a row, a split in two, and a join."""
    row: list[dict[str, Any]] = [{"id": f"step-{n}", "uses": "work"} for n in range(6)]
    row[1]["if"] = {"path": "payload.count", "op": "gt", "value": number}
    row[2]["with"] = {"text": "number {payload.count}", "url": "{payload.url}"}
    row[3]["timeout"] = "30s"
    left = [{"id": "left", "uses": "work"}, {"id": "left-too", "uses": "work"}]
    right = [{"id": "right", "uses": "work"}]
    split = {"split": [{"steps": left}, {"steps": right}]}
    steps = [*row, split, {"id": "end", "uses": "work"}]
    return {"name": f"pipeline-{number}", "on": f"type_{number}.happened", "steps": steps}


def compiling(folder: Path, *, files: int, per_file: int, rounds: int) -> list[Figure]:
    """Compile a folder from disk, each time after a control over the same data."""
    folder.mkdir()
    texts: list[str] = []
    for file in range(files):
        numbers = range(file * per_file, (file + 1) * per_file)
        document = {"pipelines": [pipeline(number) for number in numbers]}
        texts.append(json.dumps(document))
        text = yaml.safe_dump(document, sort_keys=False)
        (folder / f"{file:03}.yaml").write_text(text, encoding="utf-8")
    _compile(folder)  # warms what is only cold once
    controls, times = [], []
    for _ in range(rounds):
        controls.append(measured(partial(_control, texts)).cpu)
        times.append(measured(lambda: _compile(folder)).cpu)
    count = files * per_file
    what = f"compiling {count:,} pipelines of 10 steps"
    control_is = f"reading them as JSON, {CONTROL_READS} times"
    return [Figure("compile", what, "s", times, controls, control_is, Goal(2.0))]


def _control(texts: Sequence[str]) -> None:
    for text in [*texts] * CONTROL_READS:
        json.loads(text)


def _compile(folder: Path) -> None:
    loaded = load_pipelines(folder, OnePlugin())
    if loaded.problems:
        raise SystemExit(render(loaded.problems, files=loaded.files))


# --- a long chain ----------------------------------------------------------------------------


class Chains:
    """Router, ledger and queue at work on made-up attempts: all of a run but its processes."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._settler = Settler(
            core.store,
            core.planner,
            core.conductor,
            core.policies,
            core.clock,
            core.telemetry,
            jitter=lambda: 0.0,
        )

    def run(self) -> list[Took]:
        """What each settlement of one new chain took, from the first hop to the last."""
        self._core.intake(lambda: None).accept(Trigger("begun", {"note": "n" * 100}, "benchmark"))
        return [measured(partial(self._settle, job)) for job in self._jobs()]

    def _jobs(self) -> Iterator[Job]:
        while claimed := self._claim():
            yield from claimed

    def _claim(self) -> Sequence[Job]:
        now, lease = self._core.clock.now(), timedelta(hours=1)
        worker = WorkerId("benchmark")
        return self._core.store.write(
            lambda tx: tx.jobs.claim(worker, limit=1, lease=lease, now=now, parallelism={})
        )

    def _settle(self, job: Job) -> None:
        now = self._core.clock.now()
        assignment = load_assignment(self._core.store, self._core.pinned, job)
        self._settler.apply(assignment, Attempt(Succeeded(ANSWER), now, now, exit_code=0))


def hops(folder: Path, *, length: int, rounds: int) -> list[Figure]:
    """Settle long chains, and hold their last hops against their first."""
    folder.mkdir()
    _site(folder, length)
    clock = SystemClock()
    configuration = read_configuration(folder, {})
    with closing(open_store(folder / "ductile.db", clock)) as store:
        chains = Chains(make_core(configuration, store, clock, Telemetry()))
        chains.run()  # warms what is only cold once
        found = [chains.run() for _ in range(rounds)]
    if any(len(each) != length for each in found):
        raise SystemExit(f"expected {length} settlements in every chain, found another number")
    first = [statistics.median(took.cpu for took in each[:EDGE]) * 1e6 for each in found]
    last = [statistics.median(took.cpu for took in each[-EDGE:]) * 1e6 for each in found]
    what = f"settling hops {length - EDGE + 1} to {length} of a chain"
    goal = Goal(1.15, of_control=True)
    return [Figure("hops", what, "us", last, first, f"settling hops 1 to {EDGE}", goal)]


def _site(folder: Path, hops: int) -> None:
    """A configuration with one plugin, which is never started, and one long pipeline."""
    settings = {"data_dir": str(folder / "data"), "service": {"depth_limit": 2 * hops}}
    manifest = {
        "manifest_spec": "ductile.plugin",
        "manifest_version": 1,
        "name": "work",
        "version": "1.0.0",
        "protocol": 2,
        "entrypoint": "run",
        "description": "work that is only made up",
        "commands": [{"name": "handle", "type": "write"}],
    }
    steps = [{"id": f"hop-{n}", "uses": "work"} for n in range(1, hops + 1)]
    long = {"pipelines": [{"name": "long", "on": "begun", "steps": steps}]}
    plugin = folder / "plugins" / "work"
    for made in (plugin, folder / "pipelines"):
        made.mkdir(parents=True, mode=0o755)
    (folder / "config.yaml").write_text(json.dumps(settings))
    (folder / "pipelines" / "long.yaml").write_text(json.dumps(long))
    (plugin / "manifest.yaml").write_text(json.dumps(manifest))
    (plugin / "run").write_text("#!/bin/sh\n")
    (plugin / "run").chmod(0o755)
