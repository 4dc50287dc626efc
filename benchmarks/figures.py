"""Figures: what was measured, round by round, beside a control, against a goal."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Goal:
    """What a figure, or its share of the control, is to be."""

    limit: float
    at_least: bool = False
    """Whether more is better."""
    of_control: bool = False
    """Whether it is about the ratio to the control rather than the value."""

    def __str__(self) -> str:
        bound = "at least" if self.at_least else "under"
        return f"{bound} {self.limit:g}" + (" x control" if self.of_control else "")


@dataclass(frozen=True)
class Figure:
    """One quantity: its value in every round, and what the control did in the same round."""

    name: str
    what: str
    unit: str
    values: Sequence[float]
    control: Sequence[float] = ()
    control_is: str = ""
    goal: Goal | None = None
    notes: str = ""

    @property
    def median(self) -> float:
        """Of all rounds."""
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """From the least to the most, as a share of the median."""
        least, most = min(self.values), max(self.values)
        return (most - least) / self.median if self.median else 0.0

    @property
    def ratio(self) -> float | None:
        """The median of what each round came to in terms of its own control."""
        if not self.control:
            return None
        pairs = zip(self.values, self.control, strict=True)
        return statistics.median(value / control for value, control in pairs)

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        if self.goal is None:
            return None
        found = self.ratio if self.goal.of_control else self.median
        if found is None:
            raise ValueError(f"the goal of {self.name} is about a control that it has not")
        return found >= self.goal.limit if self.goal.at_least else found < self.goal.limit

    def as_json(self) -> dict[str, Any]:
        """All that is known about it."""
        found: dict[str, Any] = {
            "what": self.what,
            "unit": self.unit,
            "rounds": list(self.values),
            "median": self.median,
            "min": min(self.values),
            "max": max(self.values),
            "spread": self.spread,
        }
        if self.control:
            found["control"] = {
                "what": self.control_is,
                "rounds": list(self.control),
                "median": statistics.median(self.control),
            }
            found["ratio"] = self.ratio
        if self.goal is not None:
            found["goal"] = {"text": str(self.goal), "met": self.met}
        if self.notes:
            found["notes"] = self.notes
        return found


HEADINGS = ("figure", "median", "spread", "x control", "goal", "met")


def rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """A line of words for each figure, in the order of `HEADINGS`."""
    return [
        (
            figure.what,
            f"{_number(figure.median)} {figure.unit}".rstrip(),
            f"{figure.spread:.0%}" if len(figure.values) > 1 else "",
            f"{figure.ratio:.2f}" if figure.ratio is not None else "",
            str(figure.goal or ""),
            {True: "yes", False: "no", None: ""}[figure.met],
        )
        for figure in figures
    ]


def table(figures: Sequence[Figure]) -> str:
    """For a terminal."""
    lines = [HEADINGS, *rows(figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def markdown(figures: Sequence[Figure]) -> str:
    """For a page."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *rows(figures)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float) -> str:
    if value >= 100:  # three digits are enough of anything
        return f"{value:,.0f}"
    return f"{value:.3g}"
