"""What this checkout costs on this machine, as a table and as JSON."""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import control as controls
import door
import drain
import files
import language
import machine
import warm
from figures import Figure, markdown, table


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    chains: int
    past: int
    deliveries: int
    flood: int
    lifetime: int
    """Chains of one gateway whose memory is watched."""
    python_chains: int
    """Chains of Python plugins that are started."""
    clones: Sequence[int]
    pipeline_files: int
    hops: int


FULL: Final = Size(
    rounds=5,
    chains=500,
    past=1_000_000,
    deliveries=60,
    flood=16_000,
    lifetime=10_000,
    python_chains=40,
    clones=(1_000, 10_000),
    pipeline_files=100,
    hops=40,
)
QUICK: Final = Size(
    rounds=1,
    chains=4,
    past=500,
    deliveries=2,
    flood=40,
    lifetime=20,
    python_chains=1,
    clones=(50,),
    pipeline_files=5,
    hops=40,
)

Measure = Callable[[Path, Size], list[Figure]]


def _drain(folder: Path, size: Size) -> list[Figure]:
    control = controls.build(folder)
    return drain.draining(folder, control, free_port, chains=size.chains, rounds=size.rounds)


def _past(folder: Path, size: Size) -> list[Figure]:
    sizes = {"chains": size.chains, "past": size.past, "rounds": size.rounds}
    return drain.draining_with_a_past(folder, free_port, **sizes)


def _latency(folder: Path, size: Size) -> list[Figure]:
    control = controls.build(folder)
    return door.latency(folder, control, free_port, deliveries=size.deliveries)


def _ingest(folder: Path, size: Size) -> list[Figure]:
    return door.ingest(folder, free_port, deliveries=size.flood, rounds=size.rounds)


def _start(folder: Path, size: Size) -> list[Figure]:
    return door.starting(folder, free_port, rounds=2 * size.rounds)


def _memory(folder: Path, size: Size) -> list[Figure]:
    return door.memory(folder, free_port, chains=size.lifetime)


def _clone(folder: Path, size: Size) -> list[Figure]:
    cloned = partial(files.cloning, folder, rounds=2 * size.rounds + 1)
    return [figure for count in size.clones for figure in cloned(files=count)]


def _compile(folder: Path, size: Size) -> list[Figure]:
    pipelines = {"files": size.pipeline_files, "per_file": 10}
    return language.compiling(folder / "pipelines", **pipelines, rounds=size.rounds)


def _hops(folder: Path, size: Size) -> list[Figure]:
    return language.hops(folder / "hops", length=size.hops, rounds=4 * size.rounds)


def _warm(folder: Path, size: Size) -> list[Figure]:
    sizes = {"chains": size.python_chains, "times": 8, "rounds": size.rounds}
    return warm.warming(folder, free_port, **sizes)


MEASURES: Final[dict[str, Measure]] = {
    "drain": _drain,
    "past": _past,
    "latency": _latency,
    "ingest": _ingest,
    "start": _start,
    "memory": _memory,
    "warm": _warm,
    "clone": _clone,
    "compile": _compile,
    "hops": _hops,
}


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def main(arguments: Sequence[str]) -> None:
    """Measure what is asked for, print the table, and write the JSON where it is asked for."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few seconds, rough figures")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=MEASURES,
        metavar="WHAT",
        help=f"not all, but some of: {', '.join(MEASURES)}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--markdown", action="store_true", help="print a table for a page")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="work in there; its file system matters"
    )
    asked = parser.parse_args(arguments)
    size = QUICK if asked.quick else FULL
    figures: list[Figure] = []
    # Nothing is deleted before the end: ext4 without a journal looks at every inode that was
    # deleted in the last minutes, one by one, before it makes a file.
    with tempfile.TemporaryDirectory(prefix="ductile-bench-", dir=asked.folder) as folder:
        where = machine.facts(Path(folder))
        for name in asked.only or MEASURES:
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            grounds = Path(folder, name)
            grounds.mkdir()
            figures += MEASURES[name](grounds, size)
    versions, commit = machine.versions(), machine.commit()
    print(f"{where['processor']}, {where['cores']} cores, {where['file_system']}")
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print(f"commit {commit or 'unknown'}, {where['date']}\n")
    print(markdown(figures) if asked.markdown else table(figures))
    if asked.json is not None:
        report = {
            "quick": asked.quick,
            "machine": where,
            "versions": versions,
            "commit": commit,
            "figures": {figure.name: figure.as_json() for figure in figures},
        }
        asked.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
