"""What the schema itself refuses, whoever writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from ductile.storage.interfaces import SkipRecord
from ductile.storage.sqlite import open_store
from tests.support.builders import (
    a_delivery,
    claimed,
    stored_arrival,
    stored_child,
    stored_job,
    stored_run,
)
from tests.support.clock import START, FakeClock


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A connection to a database with a running job, its queued child, and a run with a join."""
    path = tmp_path / "ductile.db"
    with closing(open_store(path, FakeClock())) as store:
        parent = stored_job(store, plugin="parent")
        claimed(store)
        stored_child(store, parent, plugin="child")
        run = stored_run(store)
        job = stored_job(store, plugin="joined", run_id=run.id, step_id="fetch")
        skip = SkipRecord(run.id, "publish", job.id, job.source_event_id, "no", START)
        store.write(lambda tx: tx.joins.skip(skip))
        stored_arrival(store, job, join_id="a:join")
        store.write(lambda tx: tx.deliveries.add(a_delivery()))
        store.write(lambda tx: tx.joins.leave(run.id, "a:join", START))
    opened = apsw.Connection(str(path))
    opened.execute("PRAGMA foreign_keys = ON")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "table",
    ["event", "context", "pipeline_version", "run_skip", "join_arrival", "join_passed"],
)
@pytest.mark.parametrize("change", ["UPDATE {} SET rowid = rowid", "DELETE FROM {}"])
def test_what_is_immutable_stays(connection: apsw.Connection, table: str, change: str) -> None:
    with pytest.raises(apsw.ConstraintError, match=f"a row of {table} is immutable"):
        connection.execute(change.format(table))


@pytest.mark.parametrize(
    ("plugin", "change", "constraint"),
    [
        ("child", "status = 'done'", "status IN"),
        ("child", "status = 'failed'", "a_terminal_job_has_a_completion_time"),
        ("child", "completed_at = created_at", "a_terminal_job_has_a_completion_time"),
        ("child", "claimed_by = 'w'", "a_running_job_is_claimed"),
        ("child", "lease_expires_at = created_at", "a_running_job_has_a_lease"),
        ("child", "interruptions = 1", "interruptions_are_attempts"),
        ("child", "max_attempts = 0", "max_attempts"),
        ("child", "workspace = 'tape'", "workspace IN"),
        ("child", "join_id = 'a:join'", "a_job_behind_a_join_is_part_of_a_run"),
        ("child", "parent_job_id = 'nobody'", "FOREIGN KEY"),
        ("child", "event_context_id = 'nothing'", "FOREIGN KEY"),
        ("child", "attempt = 'x'", "cannot store TEXT value in INTEGER column"),
        ("parent", "claimed_by = NULL", "a_running_job_is_claimed"),
        ("parent", "lease_expires_at = NULL", "a_running_job_has_a_lease"),
        ("parent", "started_at = NULL", "a_running_job_was_started"),
        ("parent", "next_retry_at = created_at", "only_a_queued_job_waits"),
        ("parent", "id = 'x'", "FOREIGN KEY"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(
    connection: apsw.Connection, plugin: str, change: str, constraint: str
) -> None:
    with pytest.raises(apsw.ConstraintError, match=constraint):
        connection.execute(f"UPDATE job_queue SET {change} WHERE plugin = ?", (plugin,))


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("status = 'succeeded'", "a_terminal_run_has_a_completion_time"),
        ("status = 'succeeded', completed_at = created_at", "a_terminal_run_has_no_open_job"),
        (
            "status = 'failed', completed_at = created_at, open_jobs = 0",
            "a_run_that_did_not_succeed_has_a_reason",
        ),
        ("open_jobs = -1", "open_jobs >= 0"),
        ("depth = 0", "depth >= 1"),
        ("status = 'paused'", "status IN"),
        ("phase = 'later'", "phase IN"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused(
    connection: apsw.Connection, change: str, constraint: str
) -> None:
    with pytest.raises(apsw.ConstraintError, match=constraint):
        connection.execute(f"UPDATE pipeline_run SET {change}")


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (
            "job_log SELECT id, 1, 'paused', created_at, created_at, 0, NULL, NULL, '[]', '' "
            "FROM job_queue LIMIT 1",
            "status IN",
        ),
        (
            "artifact SELECT id, 'file', 'moved', 1, 292, 'hash', 1, 0, NULL "
            "FROM job_queue LIMIT 1",
            "change IN",
        ),
        (
            "delivery SELECT 'id', received_at, endpoint, scheme, 'lost', 401, 'reason', NULL, 1, "
            "NULL FROM delivery LIMIT 1",
            "verdict IN",
        ),
    ],
)
def test_a_row_of_a_kind_that_there_is_not_is_refused(
    connection: apsw.Connection, row: str, constraint: str
) -> None:
    with pytest.raises(apsw.ConstraintError, match=constraint):
        connection.execute(f"INSERT INTO {row}")


def test_a_row_of_the_inbox_is_never_changed(connection: apsw.Connection) -> None:
    with pytest.raises(apsw.ConstraintError, match="a row of delivery is immutable"):
        connection.execute("UPDATE delivery SET verdict = 'accepted'")


def test_a_job_with_children_cannot_be_deleted(connection: apsw.Connection) -> None:
    with pytest.raises(apsw.ConstraintError, match="FOREIGN KEY"):
        connection.execute("DELETE FROM job_queue WHERE plugin = 'parent'")
