"""`./dev bench` measures what it says; how fast is not asked here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import clean_environment

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "run.py"
#: Every figure of a quick run, and whether it has a control.
FIGURES = {
    "drain": True,
    "cpu": False,
    "bytes": False,
    "past": True,
    "latency": True,
    "ingest": True,
    "ingest-p99": False,
    "start": True,
    "idle": False,
    "memory": True,
    "warm": True,
    "clone-50": True,
    "hop-50": True,
    "compile": True,
    "hops": True,
}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("bench") / "figures.json"
    done = bench("--quick", "--json", str(file))
    assert done.returncode == 0, done.stderr
    assert "draining 4 chains" in done.stdout
    return json.loads(file.read_text())


def test_a_report_says_where_and_of_what_it_was_made(report: Any) -> None:
    assert set(report) == {"quick", "machine", "versions", "commit", "figures"}
    assert set(report["versions"]) == {"ductile", "python", "sqlite"}
    assert report["machine"]["file_system"]


def test_every_figure_has_its_rounds_and_their_median(report: Any) -> None:
    assert set(report["figures"]) == set(FIGURES)
    for figure in report["figures"].values():
        assert figure["min"] <= figure["median"] <= figure["max"]
        assert min(figure["rounds"]) > 0


def test_what_depends_on_the_machine_has_a_control_from_the_same_rounds(report: Any) -> None:
    found = {name: "ratio" in figure for name, figure in report["figures"].items()}
    assert found == FIGURES
    for name in (name for name, has in FIGURES.items() if has):
        figure = report["figures"][name]
        assert len(figure["control"]["rounds"]) == len(figure["rounds"])
        assert figure["ratio"] > 0


def test_the_past_of_a_database_breaks_none_of_its_rules(tmp_path: Path) -> None:
    script = (
        "import sys, grounds, history\n"
        "from pathlib import Path\n"
        "from ductile.storage.sqlite.soundness import defects\n"
        "made = grounds.make(Path(sys.argv[1], 'past'), port=int(sys.argv[2]), steps=5)\n"
        "history.add_history(made, 50)\n"
        "print(defects(made.database), made.rows('SELECT count(*) FROM job_queue'))\n"
    )
    free = subprocess.run(
        [sys.executable, "-c", "import run; print(run.free_port())"],
        cwd=SCRIPT.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), free.stdout.strip()],
        cwd=SCRIPT.parent,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[] [(55,)]\n", done.stderr


def test_a_figure_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    done = bench("--only", "everything")
    assert done.returncode == 2
    assert "choose from" in done.stderr
    assert "latency" in done.stderr
