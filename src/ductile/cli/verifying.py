"""What `ductile run verify` says while it looks, and at its end."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

from ductile.cli.output import paint, say, say_json
from ductile.cli.render.integrity import file_problem, ledger_problem, summary
from ductile.cli.render.text import counted
from ductile.insights.integrity.findings import FileProblem, LedgerProblem, Tally, Verdict
from ductile.insights.integrity.shapes import verdict_json

#: So many problems are listed in JSON, which has to be held until the end; text has them all.
_LISTED: Final = 10_000
_EVERY: Final = 100


def tell(verdicts: Iterable[Verdict], *, as_json: bool) -> bool:
    """Print what was found, each problem as soon as it is known; returns whether all is intact."""
    listed: tuple[list[FileProblem], list[LedgerProblem]] = ([], [])
    tally, problems = Tally(), 0
    for number, verdict in enumerate(_watched(verdicts), 1):
        tally += verdict.tally
        problems += len(verdict.files) + len(verdict.ledger)
        if as_json:
            _keep(listed, verdict)
        elif not verdict.intact:
            _clear(number)
            _say_problems(verdict)
    if as_json:
        files, ledger = listed
        say_json(verdict_json(tally, files, ledger, not_listed=problems - len(files) - len(ledger)))
    else:
        say(summary(tally, problems, paint()))
    return not problems


def _say_problems(verdict: Verdict) -> None:
    for file in verdict.files:
        say(file_problem(file, paint()))
    for row in verdict.ledger:
        say(ledger_problem(row, paint()))


def _keep(listed: tuple[list[FileProblem], list[LedgerProblem]], verdict: Verdict) -> None:
    files, ledger = listed
    files += verdict.files[: max(_LISTED - len(files), 0)]
    ledger += verdict.ledger[: max(_LISTED - len(ledger), 0)]


def _watched(verdicts: Iterable[Verdict]) -> Iterable[Verdict]:
    """The same, with a line on stderr that counts them, where that is a terminal."""
    number = 0
    for number, verdict in enumerate(verdicts, 1):
        if number % _EVERY == 0 and sys.stderr.isatty():
            sys.stderr.write(f"\r{counted(number, 'chain')}")
            sys.stderr.flush()
        yield verdict
    _clear(number)


def _clear(number: int) -> None:
    if number >= _EVERY and sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
