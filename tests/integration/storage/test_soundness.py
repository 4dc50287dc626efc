"""What a damaged database file looks like from outside."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from ductile.storage.sqlite import open_store
from ductile.storage.sqlite.soundness import defects
from tests.support.builders import stored_job
from tests.support.clock import FakeClock


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "ductile.db"
    with closing(open_store(path, FakeClock())) as store:
        for _ in range(50):
            stored_job(store)
    return path


def test_a_sound_file_has_no_defect_also_while_it_is_open(database: Path) -> None:
    with closing(open_store(database, FakeClock())) as store:
        stored_job(store)
        assert defects(database) == []


def test_a_reference_to_nothing_is_a_defect(database: Path) -> None:
    with closing(apsw.Connection(str(database))) as connection:
        connection.execute("UPDATE job_queue SET parent_job_id = 'nobody' WHERE rowid = 3")
    assert defects(database) == [
        "row 3 of job_queue refers to a row of job_queue that does not exist"
    ]


def test_a_reference_to_nothing_is_a_defect_where_rows_have_no_number(database: Path) -> None:
    with closing(apsw.Connection(str(database))) as connection:
        connection.execute(
            "INSERT INTO artifact VALUES ('nobody', 'a', 'added', 1, 420, '00', 1, 0, NULL)"
        )
    assert (
        defects(database)[0] == "a row of artifact refers to a row of job_queue that does not exist"
    )


def test_an_index_that_misses_a_row_is_a_defect(database: Path) -> None:
    with closing(apsw.Connection(str(database))) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'chain_id', 'source') "
            "WHERE name = 'event_chain'"
        )
    found = defects(database)
    assert found
    assert "event_chain" in found[0]


def test_an_overwritten_page_is_a_defect(database: Path) -> None:
    content = bytearray(database.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    database.write_bytes(content)
    assert defects(database)


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "ductile.db"
    path.write_text("hello, " * 1000)
    assert defects(path) == ["the file is damaged: file is not a database"]
