"""The arithmetic of the benchmark's figures."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("figures")


def test_a_ratio_is_the_median_of_what_each_round_came_to(figures: Any) -> None:
    # The machine was half as fast in the second round, and so was the control.
    found = figures.Figure("f", "what", "ms", [10, 20, 9], [5, 10, 3])
    assert (found.median, found.ratio) == (10, 2)
    assert found.spread == pytest.approx(1.1)


@pytest.mark.parametrize(
    ("limit", "at_least", "of_control", "met"),
    [
        (10, False, False, False),
        (11, False, False, True),
        (10, True, False, True),
        (11, True, False, False),
        (2, True, True, True),
        (2, False, True, False),
    ],
)
def test_a_goal_is_about_the_value_or_about_the_ratio(
    figures: Any, limit: float, at_least: bool, of_control: bool, met: bool
) -> None:
    goal = figures.Goal(limit, at_least=at_least, of_control=of_control)
    assert figures.Figure("f", "what", "ms", [10], [5], goal=goal).met is met


def test_without_a_control_there_is_no_ratio_and_without_a_goal_nothing_is_met(
    figures: Any,
) -> None:
    found = figures.Figure("f", "what", "ms", [10])
    assert (found.ratio, found.met) == (None, None)
    goal = figures.Goal(1, of_control=True)
    with pytest.raises(ValueError, match="a control that it has not"):
        _ = figures.Figure("f", "what", "ms", [10], goal=goal).met


def test_tables_hold_one_line_for_each_figure(figures: Any) -> None:
    found = [
        figures.Figure("a", "jobs", "per s", [1234.5, 1300], [2000, 2000], goal=figures.Goal(1)),
        figures.Figure("b", "time", "ms", [0.1234]),
    ]
    assert figures.table(found).splitlines() == [
        "figure  median       spread  x control  goal     met",
        "jobs    1,267 per s  5%      0.63       under 1  no",
        "time    0.123 ms",
    ]
    assert figures.markdown(found).splitlines()[2:] == [
        "| jobs | 1,267 per s | 5% | 0.63 | under 1 | no |",
        "| time | 0.123 ms |  |  |  |  |",
    ]
