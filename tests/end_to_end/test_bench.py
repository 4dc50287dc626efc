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


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("bench") / "figures.json"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", "--json", str(file)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "compile / control" in done.stdout
    return json.loads(file.read_text())


def test_a_report_says_where_it_was_made(report: Any) -> None:
    assert set(report) == {"quick", "machine", "commit", "figures"}
    assert set(report["machine"]) == {"python", "implementation", "platform", "cpus"}


def test_compiling_is_measured_beside_a_control(report: Any) -> None:
    figure = report["figures"]["compile"]
    assert (figure["files"], figure["pipelines"]) == (5, 50)
    times = ("seconds", "cpu_seconds", "control_cpu_seconds", "times_control")
    assert all(figure[each] > 0 for each in times)


def test_the_ends_of_a_long_chain_are_held_against_each_other(report: Any) -> None:
    figure = report["figures"]["chain"]
    assert figure["hops"] == 40
    for end in ("first", "last"):
        assert set(figure[end]) == {"microseconds", "cpu_microseconds"}
        assert all(value > 0 for value in figure[end].values())
    assert min(figure["ratio"], figure["cpu_ratio"]) > 0
