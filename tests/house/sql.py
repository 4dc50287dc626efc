"""The rules for SQL: whole statements, written down, with parameters for all that varies."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.house.checks import Finding

#: Where the databases are; nobody else speaks SQL.
STORAGE = "src/ductile/storage/"
#: What takes a statement as its first argument.
RUNNERS = frozenset({"execute", "executemany", "rows", "row", "change"})

_SQL = re.compile(
    r"\b(?:SELECT\s.*\bFROM\b|INSERT\s+INTO\b|UPDATE\s.*\bSET\b|DELETE\s+FROM\b|DROP\s+TABLE\b"
    r"|CREATE\s+(?:TABLE|INDEX|TRIGGER)\b|PRAGMA\b|VACUUM\b|ATTACH\s|WHERE\s|ORDER\s+BY\b"
    r"|SAVEPOINT\b)",
    re.DOTALL,
)


def built_sql(path: str, source: str) -> list[Finding]:
    """Find text that looks like SQL and is put together of pieces."""
    return [
        Finding(f"{path}:{name}", path, node.lineno, "SQL put together of pieces; write the whole")
        for name, node in _nodes(ast.parse(source))
        if _SQL.search(_constant_part(node))
    ]


def foreign_sql(path: str, source: str) -> list[Finding]:
    """Find SQL where no database is; docstrings and messages may speak of it in lower case."""
    if path.startswith(STORAGE):
        return []
    return [
        Finding(f"{path}:{name}", path, node.lineno, f"SQL outside of {STORAGE}; ask the store")
        for name, node in _nodes(ast.parse(source))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _SQL.search(node.value)
    ]


def unwritten_statements(path: str, source: str) -> list[Finding]:
    """Find what is run as a statement and is neither a constant nor one of a `.sql` file."""
    if not path.startswith(STORAGE):
        return []
    message = 'expected a constant, or SQL["name"] of a .sql file, as the statement'
    return [
        Finding(f"{path}:{name}", path, node.lineno, message)
        for name, node in _nodes(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in RUNNERS
        and node.args
        and not _is_written(node.args[0])
    ]


def _is_written(statement: ast.expr) -> bool:
    if isinstance(statement, ast.Subscript):
        return isinstance(statement.value, ast.Name) and statement.value.id.endswith("SQL")
    return isinstance(statement, ast.Constant)


def _constant_part(node: ast.AST) -> str:
    """What is constant in an expression that makes text; empty for every other node."""
    match node:
        case ast.JoinedStr(values=parts) if any(isinstance(p, ast.FormattedValue) for p in parts):
            texts = parts
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod(), right=right):
            texts = [left, right]
        case ast.Call(func=ast.Attribute(value=owner, attr="format" | "join" | "replace")):
            texts = [owner]
        case _:
            return ""
    constants = (each.value for each in texts if isinstance(each, ast.Constant))
    return " ".join(value for value in constants if isinstance(value, str))


def _nodes(node: ast.AST, name: str = "") -> Iterator[tuple[str, ast.expr]]:
    """Every expression below, with the name of the function that it is in."""
    for child in ast.iter_child_nodes(node):
        inner = name
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{name}.{child.name}".lstrip(".")
        if isinstance(child, ast.expr):
            yield inner, child
        yield from _nodes(child, inner)
