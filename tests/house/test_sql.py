"""No statement is put together of what somebody sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.house.checks import Finding
from tests.house.repository import expect_none, expect_only_exempt, modules
from tests.house.sql import STORAGE, built_sql, foreign_sql, unwritten_statements

SQLITE = f"{STORAGE}sqlite/"
# name -> reason
BUILT: dict[str, str] = {
    f"{SQLITE}connection.py:connect": "pragmas take no parameters; these are constants nearby",
}
UNWRITTEN: dict[str, str] = {
    f"{SQLITE}connection.py:connect": "pragmas take no parameters; these are constants nearby",
    f"{SQLITE}migrate.py:_apply": "a numbered file of the package, as it is",
    f"{SQLITE}session.py:Session.rows": "the one place that all statements go through",
    f"{SQLITE}session.py:Session.row": "hands on what it was given to rows",
    f"{SQLITE}session.py:Session.change": "hands on what it was given to rows",
    f"{SQLITE}session.py:Session.insert": "takes the named statements of a .sql file",
}


def test_no_sql_is_put_together_of_pieces() -> None:
    found = [each for name, source in modules("src") for each in built_sql(name, source)]
    expect_only_exempt(found, BUILT)


def test_only_the_databases_speak_sql() -> None:
    expect_none(each for name, source in modules("src") for each in foreign_sql(name, source))


def test_every_statement_is_written_down() -> None:
    found = [each for name, source in modules("src") for each in unwritten_statements(name, source)]
    expect_only_exempt(found, UNWRITTEN)


Check = Callable[[str, str], list[Finding]]
BAD: list[tuple[Check, str, str]] = [
    (built_sql, "src/a.py", 'f"SELECT * FROM job WHERE id = {x}"'),
    (built_sql, "src/a.py", '"SELECT * FROM job WHERE id = " + x'),
    (built_sql, "src/a.py", '"DELETE FROM job WHERE id = %s" % x'),
    (built_sql, "src/a.py", '"UPDATE job SET status = {}".format(x)'),
    (built_sql, f"{SQLITE}a.py", 'def f(x): return f"PRAGMA {x}"'),
    (foreign_sql, "src/ductile/http/a.py", 'x = "SELECT id FROM job"'),
    (foreign_sql, "src/ductile/http/a.py", 'x = "INSERT INTO job VALUES (1)"'),
    (unwritten_statements, f"{SQLITE}a.py", "session.rows(statement, values)"),
    (unwritten_statements, f"{SQLITE}a.py", 'connection.execute(f"BEGIN {x}")'),
    (unwritten_statements, f"{SQLITE}a.py", 'session.change(self.table["add"])'),
]
GOOD: list[tuple[Check, str, str]] = [
    (built_sql, "src/a.py", 'f"select what you like from {x}"'),
    (built_sql, "src/a.py", 'x = "SELECT 1 FROM job"'),
    (foreign_sql, f"{SQLITE}a.py", 'x = "SELECT id FROM job"'),
    (foreign_sql, "src/ductile/cli/a.py", 'x = "select the jobs that come from here"'),
    (unwritten_statements, f"{SQLITE}a.py", 'session.rows(SQL["get"], {"id": x})'),
    (unwritten_statements, f"{SQLITE}a.py", 'session.rows(VERSIONS_SQL["get"])'),
    (unwritten_statements, f"{SQLITE}a.py", 'connection.execute("COMMIT")'),
    (unwritten_statements, "src/ductile/cli/a.py", "command.execute(x)"),
]


@pytest.mark.parametrize(("check", "path", "source"), BAD)
def test_a_breach_is_found(check: Check, path: str, source: str) -> None:
    assert [finding.line for finding in check(path, source)] == [1]


@pytest.mark.parametrize(("check", "path", "source"), GOOD)
def test_what_is_right_is_left_alone(check: Check, path: str, source: str) -> None:
    assert check(path, source) == []
