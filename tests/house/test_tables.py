"""The page on the tables says what the tables are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing

import apsw
import pytest

from ductile.storage.sqlite.store import open_store
from tests.house.repository import ROOT
from tests.support.clock import FakeClock

PAGE = (ROOT / "docs" / "reference" / "tables.md").read_text()
#: What the page leaves out may change without a word to users.
OWN = {"context", "dedupe", "join_arrival", "join_passed", "run_skip"}
[SQL] = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def sections() -> dict[str, Sequence[str]]:
    """The columns that the page names, by table."""
    parts = re.split(r"^## (\w+)$", PAGE, flags=re.MULTILINE)[1:]
    return {
        name: [
            column
            for row in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
            for column in re.findall(r"`(\w+)`", row)
        ]
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apsw.Connection]:
    path = tmp_path_factory.mktemp("tables") / "ductile.db"
    with closing(open_store(path, FakeClock())), closing(apsw.Connection(str(path))) as opened:
        yield opened


def test_every_table_is_on_the_page_or_ductiles_own(connection: apsw.Connection) -> None:
    found = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'"
    )
    assert {name for (name,) in found} == {*sections(), *OWN}


@pytest.mark.parametrize("table", sections())
def test_the_columns_are_those_of_the_page(connection: apsw.Connection, table: str) -> None:
    named = sections()[table]
    found = [row[1] for row in connection.execute(f"PRAGMA table_info ({table})")]
    assert sorted(named) == sorted(found)


@pytest.mark.parametrize("statement", SQL.split(";\n")[:-1])
def test_an_example_runs(connection: apsw.Connection, statement: str) -> None:
    assert connection.execute(statement).fetchall() == []


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("job_queue", "status"),
        ("job_queue", "workspace"),
        ("job_log", "status"),
        ("pipeline_run", "status"),
        ("pipeline_run", "phase"),
        ("artifact", "change"),
        ("delivery", "verdict"),
    ],
)
def test_the_words_of_a_column_are_those_that_it_can_hold(
    connection: apsw.Connection, table: str, column: str
) -> None:
    question = "SELECT sql FROM sqlite_schema WHERE name = ?"
    [(schema,)] = connection.execute(question, (table,))
    written = re.search(rf"^    {column} .*?(?=^    \w)", schema, re.DOTALL | re.MULTILINE)
    named = re.search(rf"^## {table}$.*?^\| `{column}` \|(.*?)\|$", PAGE, re.DOTALL | re.MULTILINE)
    assert written is not None
    assert named is not None
    assert set(re.findall(r"`(\w+)`", named[1])) == set(re.findall(r"'(\w+)'", written[0])) != set()
