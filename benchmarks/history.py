"""A past: finished chains, row by row as the gateway would have left them."""

from __future__ import annotations

from contextlib import closing
from typing import Final

import apsw
from grounds import Grounds

STEPS: Final = 5

# Numbers for chains and steps, and an id for each thing: older than any that is made from now on.
_CHAINS: Final = """
WITH RECURSIVE chain (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM chain WHERE n < :chains),
step (n) AS (VALUES (1), (2), (3), (4), (5))
"""
_TIME: Final = "'2026-01-01T00:00:00.000000Z'"


def _of(kind: int, step: str = "0") -> str:
    return f"printf('00000000-{kind:04x}-7000-8000-%012x', chain.n * 8 + {step})"


_EVENT: Final = _of(1)
_CONTEXT: Final = _of(2)
# Numbers of contexts, after those of the chain that was there before: all roots, then what grew.
_ROOT: Final = "100 + chain.n"
_GROWN: Final = "100 + :chains + (chain.n - 1) * 5 + step.n"
_RUN: Final = _of(3)

_STATEMENTS: Final = (
    # What came from outside, and what the jobs emitted.
    f"""INSERT INTO event (id, type, payload, source, created_at, chain_id, job_id)
    {_CHAINS} SELECT {_EVENT}, 'begun', '{{"number":1}}', 'benchmark', {_TIME}, {_EVENT}, NULL
    FROM chain""",
    f"""INSERT INTO event (id, type, payload, source, created_at, chain_id, job_id)
    {_CHAINS} SELECT {_of(1, "step.n")}, 'worked', '{{"note":"done"}}', 'work', {_TIME}, {_EVENT},
        {_of(4, "step.n")}
    FROM chain CROSS JOIN step""",
    f"""INSERT INTO context (number, id, hop, accumulated_json, created_at)
    {_CHAINS} SELECT {_ROOT}, {_CONTEXT}, 0, '{{"number":1}}', {_TIME} FROM chain""",
    f"""INSERT INTO context
        (number, id, parent, run_id, version, step_id, hop, accumulated_json, created_at)
    {_CHAINS} SELECT {_GROWN}, {_of(2, "step.n")},
        CASE step.n WHEN 1 THEN {_ROOT} ELSE {_GROWN} - 1 END, {_RUN},
        (SELECT number FROM pipeline_version), 'step-' || step.n, step.n,
        '{{"number":1,"origin_source":"benchmark"}}', {_TIME}
    FROM chain CROSS JOIN step""",
    f"""INSERT INTO pipeline_run
        (id, chain_id, pipeline_name, pipeline_hash, event_id, depth, created_at, status,
         open_jobs, completed_at, phase)
    {_CHAINS} SELECT {_RUN}, {_EVENT}, 'line', :hash, {_EVENT}, 1, {_TIME}, 'succeeded', 0, {_TIME},
        'main'
    FROM chain""",
    f"""INSERT INTO job_queue
        (id, chain_id, plugin, command, event_context_id, source_event_id, submitted_by,
         created_at, max_attempts, run_id, step_id, parent_job_id, workspace, status, attempt,
         interruptions, started_at, completed_at, result_context_id)
    {_CHAINS} SELECT {_of(4, "step.n")}, {_EVENT}, 'work', 'handle', {_of(2, "step.n - 1")},
        {_of(1, "step.n - 1")}, 'benchmark', {_TIME}, 4, {_RUN}, 'step-' || step.n,
        CASE step.n WHEN 1 THEN NULL ELSE {_of(4, "step.n - 1")} END, 'clone', 'succeeded', 1, 0,
        {_TIME}, {_TIME}, {_of(2, "step.n")}
    FROM chain CROSS JOIN step""",
    f"""INSERT INTO job_log
        (job_id, attempt, status, started_at, completed_at, exit_code, logs, stderr)
    {_CHAINS} SELECT {_of(4, "step.n")}, 1, 'succeeded', {_TIME}, {_TIME}, 0, '[]', ''
    FROM chain CROSS JOIN step""",
)


def add_history(grounds: Grounds, jobs: int) -> None:
    """Put so many finished jobs into the database of these grounds, in chains of five."""
    # The first chain is one of the gateway's own: the version of the pipeline comes with it.
    grounds.queue(1)
    with grounds.serving():
        grounds.wait_until_drained()
    [(name,)] = grounds.rows("SELECT hash FROM pipeline_version")
    with closing(apsw.Connection(str(grounds.database))) as connection:
        # References are right by construction; to look each of them up would take minutes.
        connection.execute("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -200000; BEGIN")
        for statement in _STATEMENTS:
            connection.execute(statement, {"chains": jobs // STEPS, "hash": name})
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint (TRUNCATE)")
