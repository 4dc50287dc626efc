"""What an event would lead to, as people read it."""

from __future__ import annotations

from collections.abc import Sequence

from ductile.cli.render.text import Paint, Style, one_line
from ductile.cli.render.tree import Detail, Node, Span, draw
from ductile.insights.explain import Explanation, Fate, Reached
from ductile.model.run import Phase

_STYLES = {
    Fate.RUNS: Style.GOOD,
    Fate.SKIPPED: Style.BUSY,
    Fate.ENTERED: Style.GOOD,
    Fate.JOINS: Style.GOOD,
}
_PHASES = {
    Phase.ON_FAILURE: "on_failure, if the first step had failed:",
    Phase.FINALLY: "finally, if no step had failed:",
}


def explanation_text(explanation: Explanation, paint: Paint, *, width: int) -> str:
    """Whether a run starts and why, what it would begin with, and what may follow from that."""
    name, reason = one_line(explanation.pipeline), one_line(explanation.reason)
    if explanation.starts:
        lines = [paint(f"{name} would start: {reason}", Style.GOOD)]
    else:
        lines = [
            paint(f"{name} would not start: {reason}", Style.BAD),
            'what "ductile pipeline run" would lead to all the same:',
        ]
    if explanation.also:
        lines.append(f"the event also starts {', '.join(map(one_line, explanation.also))}")
    main = [each for each in explanation.reached if each.phase is Phase.MAIN]
    first = [each for each in main if each.after is None and each.fate is not Fate.JOINS]
    later = [each for each in main if each not in first]
    lines += ["", "at the start:", _drawn(first, paint, width)]
    if later:
        lines += [
            "",
            "then, if every step succeeds and hands on the payload that it got:",
            _drawn(later, paint, width),
        ]
    for phase, title in _PHASES.items():
        found = [each for each in explanation.reached if each.phase is phase]
        if found:
            lines += ["", title, _drawn(found, paint, width)]
    lines += ["", "nothing was run"]
    return "\n".join(lines)


def _drawn(reached: Sequence[Reached], paint: Paint, width: int) -> str:
    return draw([_node(each) for each in reached], paint, width=width)


def _node(each: Reached) -> Node:
    headline = [
        Span(one_line(each.node), Style.BOLD),
        Span(each.fate.value, _STYLES[each.fate]),
        Span(each.runs, Style.DIM),
    ]
    details = []
    if each.after is not None:
        on = "" if each.on.startswith("ductile.") else f", which emits {one_line(each.on)}"
        details.append(Detail("after", f"{one_line(each.after)}{on}"))
    if each.sources:
        details.append(Detail("gathers", ", ".join(map(one_line, each.sources)), wrap=True))
    if each.reason:
        details.append(Detail("because", one_line(each.reason), wrap=True))
    if each.starts:
        details.append(Detail("starts", ", ".join(map(one_line, each.starts)), wrap=True))
    return Node(headline, details)
