"""What verifying found, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ductile.cli.render.text import Paint, Style, counted, moment, one_line, size
from ductile.insights.integrity.findings import (
    FileProblem,
    LedgerProblem,
    Subject,
    Suspicion,
    Tally,
)
from ductile.model.ids import JobId
from ductile.workspace.interfaces import DefectKind

_KINDS: Final = {
    DefectKind.CHANGED: "changed in place",
    DefectKind.MISSING: "missing",
    DefectKind.UNKNOWN: "not in the ledger",
    DefectKind.UNREADABLE: "cannot be read",
}
_SUBJECTS: Final = {Subject.VERSION: "pipeline version"}
#: More jobs are counted, not named; `--json` has them all.
_NAMED: Final = 5


def file_problem(problem: FileProblem, paint: Paint) -> str:
    """One file, or one whole workspace, in a few lines."""
    shown = problem.path.encode(errors="surrogateescape").decode(errors="replace")
    path = f'"{one_line(shown)}"' if problem.path else "workspace"
    lines = [f"{paint(_KINDS[problem.kind], Style.BAD)}  {path}: {one_line(problem.detail)}"]
    if problem.written_by is not None and problem.path:
        lines.append(f"  written by job {problem.written_by}")
    lines.append(f"  seen in {_jobs(problem.seen_in)}")
    if problem.written_at is not None:
        lines.append(f"  last write {moment(problem.written_at)} UTC")
    if problem.first_possible is not None:
        lines.append(f"  {_suspicion(problem.first_possible)}")
    if problem.caught_in is not None:
        lines.append(f"  first noticed in job {problem.caught_in}")
    return "\n".join(lines)


def ledger_problem(problem: LedgerProblem, paint: Paint) -> str:
    """One row, on one line."""
    subject = _SUBJECTS.get(problem.subject, problem.subject.value)
    return f"{paint('wrong', Style.BAD)}  {subject} {problem.id}: {one_line(problem.detail)}"


def summary(tally: Tally, problems: int, paint: Paint) -> str:
    """What was looked at, and how it is."""
    verdict = (
        paint(counted(problems, "problem"), Style.BAD) if problems else paint("intact", Style.GOOD)
    )
    looked_at = [
        counted(tally.chains, "chain"),
        f"{counted(tally.workspaces, 'workspace')} with {counted(tally.files, 'file')}, "
        f"{size(tally.size)}",
        counted(tally.contexts, "context"),
        f"{counted(tally.runs, 'run')} with the pinned version",
    ]
    lines = [f"{verdict}  {'; '.join(looked_at)}"]
    if tally.expired:
        lines.append(f"expired  {counted(tally.expired, 'workspace')}, deleted as announced")
    if tally.running:
        lines.append(f"running  {counted(tally.running, 'job')}, which committed nothing yet")
    return "\n".join(lines)


def _jobs(jobs: Sequence[JobId]) -> str:
    named = ", ".join(jobs[:_NAMED])
    more = f" and {len(jobs) - _NAMED} more" if len(jobs) > _NAMED else ""
    return f"job{'' if len(jobs) == 1 else 's'} {named}{more}"


def _suspicion(suspicion: Suspicion) -> str:
    if suspicion.job_id is None:
        return f"changed outside of any job: {suspicion.reason}"
    step = f' (step "{one_line(suspicion.step_id)}")' if suspicion.step_id else ""
    return (
        f"first job that can have done it: {suspicion.job_id}{step}, attempt "
        f"{suspicion.attempt}: {suspicion.reason}"
    )
