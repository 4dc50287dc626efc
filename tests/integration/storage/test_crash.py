"""What a database holds after its gateway was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest

from ductile.errors import DatabaseLocked
from ductile.model.ids import JobId
from ductile.storage.interfaces import Store
from ductile.storage.sqlite import holder, open_store
from tests.support.builders import stored_job
from tests.support.clock import FakeClock

PROGRAM = Path(__file__).with_name("acknowledging_writer.py")


@contextmanager
def writing(database: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that serves the database and writes all the time; killed at the end."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(database)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def killed_after(process: subprocess.Popen[str], count: int) -> list[JobId]:
    """Kill the process when it has acknowledged so many jobs; returns all that it has."""
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(count)]
    process.kill()
    lines += process.stdout.readlines()
    return [JobId(line.strip()) for line in lines if line.endswith("\n")]


def missing(store: Store, job_ids: list[JobId]) -> list[JobId]:
    return store.read(lambda tx: [each for each in job_ids if tx.jobs.get(each) is None])


@pytest.mark.parametrize("count", [1, 57, 400])
def test_all_that_was_acknowledged_outlives_a_kill(tmp_path: Path, count: int) -> None:
    database = tmp_path / "ductile.db"
    with writing(database) as process:
        acknowledged = killed_after(process, count)
    with closing(open_store(database, FakeClock())) as store:
        assert len(acknowledged) >= count
        assert missing(store, acknowledged) == []


def test_a_database_is_whole_after_a_kill(tmp_path: Path) -> None:
    database = tmp_path / "ductile.db"
    with writing(database) as process:
        killed_after(process, 200)
    connection = apsw.Connection(str(database))
    found = connection.execute("PRAGMA integrity_check").fetchall()
    found += connection.execute("PRAGMA foreign_key_check").fetchall()
    connection.close()
    assert found == [("ok",)]


def test_no_transaction_is_kept_in_part(tmp_path: Path) -> None:
    database = tmp_path / "ductile.db"
    with writing(database) as process:
        killed_after(process, 200)
    connection = apsw.Connection(str(database))
    statement = "SELECT (SELECT count(*) FROM {}) - (SELECT count(*) FROM job_queue)"
    surplus = [
        connection.execute(statement.format(table)).fetchall()
        for table in ("event", "event_context")
    ]
    connection.close()
    assert surplus == [[(0,)], [(0,)]]


def test_a_second_gateway_is_told_which_process_has_the_database(tmp_path: Path) -> None:
    database = tmp_path / "ductile.db"
    with writing(database) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(DatabaseLocked, match=f"another gateway, process {process.pid} — stop"):
            open_store(database, FakeClock(), exclusive=True)


def test_a_kill_lets_go_of_the_lock(tmp_path: Path) -> None:
    database = tmp_path / "ductile.db"
    with writing(database) as process:
        assert process.stdout is not None
        process.stdout.readline()
        before = holder(database)
        process.kill()
        process.wait()
    open_store(database, FakeClock(), exclusive=True).close()
    assert (before, holder(database)) == (process.pid, None)


def test_another_process_writes_while_a_gateway_serves(tmp_path: Path) -> None:
    database = tmp_path / "ductile.db"
    with writing(database) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with closing(open_store(database, FakeClock())) as store:
            jobs = [stored_job(store).id for _ in range(20)]
            assert missing(store, jobs) == []
