"""The speed of this checkout on this machine, as a table and as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

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

ROOT: Final = Path(__file__).resolve().parents[1]
#: What every made-up job answers: as much baggage at the last hop as at the first.
ANSWER: Final = Response(None, (EmittedEvent("worked", {"note": "n" * 100}),), {"last": "kept"})
#: How often the control reads the data that is compiled once.
CONTROL_READS: Final = 10
#: Hops at either end of a chain that are held against each other.
EDGE: Final = 10


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    files: int
    pipelines_per_file: int
    compilations: int
    hops: int
    chains: int


FULL: Final = Size(files=100, pipelines_per_file=10, compilations=5, hops=40, chains=25)
QUICK: Final = Size(files=5, pipelines_per_file=10, compilations=3, hops=40, chains=2)


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


def median(times: Sequence[Took]) -> Took:
    """The median of each clock for itself."""
    return Took(
        statistics.median(each.wall for each in times),
        statistics.median(each.cpu for each in times),
    )


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


def compiling(folder: Path, size: Size) -> dict[str, Any]:
    """Compile a folder from disk, each time after a control over the same data."""
    texts: list[str] = []
    for file in range(size.files):
        first = file * size.pipelines_per_file
        numbers = range(first, first + size.pipelines_per_file)
        document = {"pipelines": [pipeline(number) for number in numbers]}
        texts.append(json.dumps(document))
        text = yaml.safe_dump(document, sort_keys=False)
        (folder / f"{file:03}.yaml").write_text(text, encoding="utf-8")
    _compile(folder)  # warms what is only cold once
    controls: list[Took] = []
    times: list[Took] = []
    for _ in range(size.compilations):
        controls.append(measured(partial(_control, texts)))
        times.append(measured(lambda: _compile(folder)))
    time_, control = median(times), median(controls)
    return {
        "files": size.files,
        "pipelines": size.files * size.pipelines_per_file,
        "rounds": size.compilations,
        "seconds": time_.wall,
        "cpu_seconds": time_.cpu,
        "control_cpu_seconds": control.cpu,
        "times_control": time_.cpu / control.cpu,
    }


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


def chain(folder: Path, size: Size) -> dict[str, Any]:
    """Settle long chains, and hold their last hops against their first."""
    _site(folder, size.hops)
    clock = SystemClock()
    configuration = read_configuration(folder, {})
    with closing(open_store(folder / "ductile.db", clock)) as store:
        chains = Chains(make_core(configuration, store, clock, Telemetry()))
        chains.run()  # warms what is only cold once
        rounds = [chains.run() for _ in range(size.chains)]
    if any(len(each) != size.hops for each in rounds):
        raise SystemExit(f"expected {size.hops} settlements in every chain, found another number")
    first = median([took for each in rounds for took in each[:EDGE]])
    last = median([took for each in rounds for took in each[-EDGE:]])
    return {
        "hops": size.hops,
        "rounds": size.chains,
        "first": _microseconds(first),
        "last": _microseconds(last),
        "ratio": last.wall / first.wall,
        "cpu_ratio": last.cpu / first.cpu,
    }


def _microseconds(took: Took) -> dict[str, float]:
    return {"microseconds": took.wall * 1e6, "cpu_microseconds": took.cpu * 1e6}


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


# --- the report ------------------------------------------------------------------------------


def _facts() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
    }


def _commit() -> str | None:
    """What is checked out, with a plus if files differ from it; None where git knows nothing."""
    command = ["git", "-c", "safe.directory=*", "describe", "--always", "--abbrev=40"]
    command += ["--exclude=*", "--dirty=+"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _table(report: dict[str, Any]) -> str:
    compiled, settled = report["figures"]["compile"], report["figures"]["chain"]
    first, last = settled["first"], settled["last"]
    files = f"{compiled['pipelines']:,} pipelines in {compiled['files']} files"
    ends = f"hops 1-{EDGE}", f"hops {settled['hops'] - EDGE + 1}-{settled['hops']}"
    rows = [
        ("median of several rounds", "wall", "processor"),
        (
            f"compile {files}",
            f"{compiled['seconds']:.3f} s",
            f"{compiled['cpu_seconds']:.3f} s",
        ),
        (f"  control: {CONTROL_READS}x as JSON", "", f"{compiled['control_cpu_seconds']:.3f} s"),
        ("  compile / control", "", f"{compiled['times_control']:.2f}"),
        *(
            (
                f"settle one job, {name}",
                f"{end['microseconds']:.0f} us",
                f"{end['cpu_microseconds']:.0f} us",
            )
            for name, end in zip(ends, (first, last), strict=True)
        ),
        ("  last / first", f"{settled['ratio']:.2f}", f"{settled['cpu_ratio']:.2f}"),
    ]
    machine = report["machine"]
    about = f"Python {machine['python']}, {machine['cpus']} CPUs, {machine['platform']}"
    lines = [f"{what:<46}{wall:>12}{cpu:>12}" for what, wall, cpu in rows]
    return "\n".join([about, f"commit {report['commit'] or 'unknown'}", "", *lines])


def main(arguments: Sequence[str]) -> None:
    """Measure all, print the table, and write the JSON where it is asked for."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few seconds, rough figures")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    asked = parser.parse_args(arguments)
    size = QUICK if asked.quick else FULL
    with tempfile.TemporaryDirectory(prefix="ductile-bench-") as folder:
        pipelines, site = Path(folder, "pipelines"), Path(folder, "site")
        pipelines.mkdir()
        figures = {"compile": compiling(pipelines, size), "chain": chain(site, size)}
    report = {"quick": asked.quick, "machine": _facts(), "commit": _commit(), "figures": figures}
    print(_table(report))
    if asked.json is not None:
        asked.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
