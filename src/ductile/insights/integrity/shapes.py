"""The JSON shapes of what verifying found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from ductile.insights.integrity.findings import FileProblem, LedgerProblem, Tally
from ductile.model.clock import to_text
from ductile.model.json import Json


def verdict_json(
    tally: Tally,
    files: Sequence[FileProblem],
    ledger: Sequence[LedgerProblem],
    *,
    not_listed: int = 0,
) -> dict[str, Json]:
    """What verifying came to.

    `{intact, checked, files: […], ledger: […], not_listed}`.

    * `checked`: `{chains, workspaces, expired, running, files, size, contexts, runs}`.
    * `files`: `{kind, path, detail, seen_in, written_by, written_at, first_possible,
      caught_in}`; `kind` is `changed`, `missing`, `unknown` or `unreadable`; an empty `path`
      stands for a whole workspace; `first_possible`, of what was changed only, is `{job_id,
      attempt, step_id, reason}`, its `job_id` null for a change outside of any job.
    * `ledger`: `{subject, id, detail}`; `subject` is `chain`, `context`, `job`, `run` or
      `pipeline_version`.
    * `not_listed`: how many problems there are beyond those that are listed.
    """
    return {
        "intact": not (files or ledger or not_listed),
        "checked": asdict(tally),
        "files": [_file(each) for each in files],
        "ledger": [
            {"subject": each.subject.value, "id": each.id, "detail": each.detail} for each in ledger
        ],
        "not_listed": not_listed,
    }


def _file(problem: FileProblem) -> dict[str, Json]:
    suspicion = problem.first_possible
    return {
        "kind": problem.kind.value,
        # A name that is not UTF-8 cannot be JSON; its other bytes still tell it.
        "path": problem.path.encode(errors="surrogateescape").decode(errors="replace"),
        "detail": problem.detail,
        "seen_in": list(problem.seen_in),
        "written_by": problem.written_by,
        "written_at": to_text(problem.written_at) if problem.written_at else None,
        "first_possible": suspicion
        and {
            "job_id": suspicion.job_id,
            "attempt": suspicion.attempt,
            "step_id": suspicion.step_id,
            "reason": suspicion.reason,
        },
        "caught_in": problem.caught_in,
    }
