"""What becomes of a database that the first release made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from ductile.model.ids import ChainId, JobId, RunId
from ductile.model.job import JobStatus
from ductile.model.run import Failure, Phase, Run, RunStatus
from ductile.storage.interfaces import ChainRecords, Store
from ductile.storage.sqlite import migrate, open_store
from tests.support.builders import HASH, claimed
from tests.support.clock import START, FakeClock

TIME = "2026-02-14T12:00:00.000000Z"
LATER = "2026-02-14T12:00:09.000000Z"
MUCH_LATER = "2026-02-14T12:00:10.000000Z"
CHAIN = ChainId("event")


def put(connection: apsw.Connection, table: str, **values: object) -> None:
    names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)


def put_run(connection: apsw.Connection, run_id: str, status: str, **values: object) -> None:
    row = {
        "id": run_id,
        "chain_id": "event",
        "pipeline_name": "wisdom",
        "pipeline_hash": HASH,
        "event_id": "event",
        "depth": 1,
        "created_at": TIME,
        "status": status,
        "open_jobs": 0,
        "completed_at": None if status == "running" else LATER,
    }
    put(connection, "pipeline_run", **(row | values))


def put_job(connection: apsw.Connection, job_id: str, status: str, **values: object) -> None:
    ended = status not in ("queued", "running")
    row = {
        "id": job_id,
        "chain_id": "event",
        "plugin": "echo",
        "command": "handle",
        "event_context_id": "context",
        "source_event_id": "event",
        "submitted_by": "webhook",
        "created_at": TIME,
        "max_attempts": 4,
        "workspace": "clone",
        "status": status,
        "attempt": int(status != "queued"),
        "interruptions": 0,
        "completed_at": LATER if ended else None,
        "started_at": None if status == "queued" else TIME,
        "claimed_by": "worker-1" if status == "running" else None,
        "lease_expires_at": LATER if status == "running" else None,
        "step_id": f"step-{job_id}",
    }
    put(connection, "job_queue", **(row | values))


def fill(connection: apsw.Connection) -> None:
    """Runs that succeeded, failed, go on, and go on after a failure; ids run against the order."""
    event = {"type": "video.posted", "source": "webhook", "created_at": TIME, "payload": "{}"}
    put(connection, "event", id="event", chain_id="event", **event)
    put(connection, "pipeline_version", hash=HASH, name="wisdom", definition="{}", created_at=TIME)
    context = {"hop": 0, "accumulated_json": "{}", "created_at": TIME}
    put(connection, "event_context", id="context", **context)
    put_run(connection, "z-succeeded", "succeeded")
    pinned = {"run_id": "z-succeeded", "pipeline_name": "wisdom", "pipeline_hash": HASH}
    grown = context | pinned | {"parent_id": "context", "step_id": "step-j4", "hop": 1}
    put(connection, "event_context", id="b-grown", **grown)
    seed = grown | {"parent_id": "b-grown", "step_id": None, "hop": 2}
    put(connection, "event_context", id="a-seed", **seed)
    put_job(connection, "j4", "succeeded", run_id="z-succeeded", result_context_id="b-grown")
    emitted = event | {"type": "quality.high", "source": "echo"}
    put(connection, "event", id="a-emitted", chain_id="event", job_id="j4", **emitted)
    why = 'step "step-j3" ended as failed: no luck'
    run = {"event_id": "a-emitted", "depth": 2, "parent_run_id": "z-succeeded"}
    put_run(connection, "y-failed", "failed", reason=why, parent_job_id="j4", **run)
    put_job(
        connection, "j2", "timed_out", run_id="y-failed", completed_at=MUCH_LATER, last_error="late"
    )
    put_job(
        connection,
        "j3",
        "failed",
        run_id="y-failed",
        attempt=5,
        interruptions=1,
        last_error="no luck",
    )
    put_run(connection, "x-running", "running", open_jobs=1)
    put_job(connection, "j1", "queued", run_id="x-running")
    put_run(connection, "w-failing", "running", open_jobs=1, reason="step failed: oh")
    put_job(connection, "j6", "failed", run_id="w-failing", last_error="oh")
    put_job(connection, "j5", "running", run_id="w-failing")
    log = {"status": "succeeded", "started_at": TIME, "completed_at": LATER}
    put(connection, "job_log", job_id="j4", attempt=1, logs="[]", stderr="", **log)
    artifact = {"size": 1, "mode": 0o444, "mtime_ns": 1, "symlink": 0}
    put(connection, "artifact", job_id="j4", path="a", change="added", blake3="00", **artifact)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "ductile.db"
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON")
        first = migrate.migrations()[0]
        connection.execute(first.script)
        put(connection, "schema_version", version=1, name=first.name, applied_at=TIME)
        fill(connection)
    return path


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    with closing(open_store(database, FakeClock())) as opened:
        yield opened


def chain(store: Store) -> ChainRecords:
    return store.read(lambda tx: tx.views.chain(CHAIN))


def run(store: Store, run_id: str) -> Run:
    found = store.read(lambda tx: tx.runs.get(RunId(run_id)))
    assert found is not None
    return found


def order(table: str) -> str:
    """In which rows came, where a table knows it."""
    keyed = ("job_log", "artifact", "event_context")
    return "ORDER BY 1, 2" if table in keyed else "ORDER BY rowid"


def rows(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """All columns of the first release."""
    with closing(apsw.Connection(":memory:")) as first:
        first.execute(migrate.migrations()[0].script)
        tables = [
            name
            for (name,) in first.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'schema_version'"
            )
        ]
        columns = {
            table: ", ".join(row[1] for row in first.execute(f"PRAGMA table_info ({table})"))
            for table in tables
        }
    with closing(apsw.Connection(str(database))) as connection:
        return {
            table: connection.execute(f"SELECT {names} FROM {table} {order(table)}").fetchall()
            for table, names in columns.items()
        }


def test_every_row_stays_as_it_was_and_where_it_was(database: Path) -> None:
    before = rows(database)
    open_store(database, FakeClock()).close()
    assert rows(database) == before
    assert [table for table, found in before.items() if not found] == ["plugin_state"]


def test_contexts_keep_the_order_in_which_they_came(store: Store) -> None:
    assert [each.id for each in chain(store).contexts] == ["context", "b-grown", "a-seed"]


def test_all_references_hold(database: Path) -> None:
    open_store(database, FakeClock()).close()
    with closing(apsw.Connection(str(database))) as connection:
        found = connection.execute("PRAGMA foreign_key_check").fetchall()
        found += connection.execute("PRAGMA integrity_check").fetchall()
    assert found == [("ok",)]


def test_the_schema_still_refers_to_what_was_made_anew(store: Store, database: Path) -> None:
    with closing(apsw.Connection(str(database))) as connection:
        targets = {
            row[2]
            for (table,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table'"
            ).fetchall()
            for row in connection.execute(f"PRAGMA foreign_key_list ({table})").fetchall()
        }
    assert targets == {"event", "context", "job_queue", "pipeline_run", "pipeline_version"}


def test_a_chain_comes_in_the_order_in_which_it_came(store: Store) -> None:
    found = chain(store)
    assert [each.id for each in found.events] == ["event", "a-emitted"]
    assert [each.id for each in found.runs] == ["z-succeeded", "y-failed", "x-running", "w-failing"]


def test_runs_are_in_their_main_phase_without_a_deadline(store: Store) -> None:
    found = {(each.phase, each.deadline_at) for each in chain(store).runs}
    assert found == {(Phase.MAIN, None)}


def test_a_failed_run_knows_the_job_that_failed_first(store: Store) -> None:
    assert run(store, "y-failed").failure == Failure(
        pipeline="wisdom",
        step="step-j3",
        job_id=JobId("j3"),
        plugin="echo",
        error="no luck",
        attempts=4,
    )


def test_a_run_that_goes_on_after_a_failure_has_not_forgotten_it(store: Store) -> None:
    failure = run(store, "w-failing").failure
    assert failure is not None
    assert (failure.job_id, failure.error) == ("j6", "oh")


def test_a_run_without_a_failure_has_none(store: Store) -> None:
    assert [run(store, each).failure for each in ("z-succeeded", "x-running")] == [None, None]


def test_a_run_in_flight_goes_on_to_its_end(store: Store) -> None:
    [job] = claimed(store)
    ended = START + timedelta(seconds=1)
    store.write(lambda tx: tx.jobs.finish(job.claim, JobStatus.SUCCEEDED, now=ended))
    store.write(lambda tx: tx.runs.advance(RunId("x-running"), by=-1))
    over = store.write(
        lambda tx: tx.runs.finish(RunId("x-running"), RunStatus.SUCCEEDED, now=ended)
    )
    assert (job.id, over.status, over.completed_at) == ("j1", RunStatus.SUCCEEDED, ended)
