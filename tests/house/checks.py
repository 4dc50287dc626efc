"""The rules of the house as pure functions from source text to findings."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

MODULE_LINES = 400
FUNCTION_LINES = 50
CONSTRUCTOR_PARAMETERS = 7
INTERFACE_METHODS = 12

# None of these patterns matches its own text, so this file is held to them too.
REGISTRY = re.compile(
    r"\bpy(?:pi|thonhosted)\.org|\bregistry\.[\w-]+\.(?:org|com)|\banaconda\.(?:org|com)"
    r"|index[-]url|find[-]links",
    re.IGNORECASE,
)
MACHINE_PATH = re.compile(r"(?<![\w.$}~-])/(?:work|root)/")

SUPPRESSION = re.compile(
    r"#\s*(?:type:\s*ignore(?:\[[^\]]*\])?"
    r"|(?:ruff:\s*|flake8:\s*)?noqa(?::\s*[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*)?"
    r"|mypy:[^#]*|fmt:\s*(?:off|on|skip)|pragma:[^#]*)"
)
REASON = re.compile(r"[A-Za-z]{2,}\W+[A-Za-z]{2,}")
SENTENCE_BREAK = re.compile(r"[.!?][\"'`)]*\s+[\"'`(]*[A-Z]")

SLEEPS = frozenset({"time.sleep"})
CLOCK_READS = SLEEPS | {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "time.time",
    "time.time_ns",
}


@dataclass(frozen=True)
class Finding:
    """One breach of a rule."""

    name: str
    """What breaks it: a file, or `file:Class.method`; exemptions are listed by this name."""
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def is_program(source: str) -> bool:
    """Say whether a Python file is run by its name, and so is no module of the package."""
    return source.startswith("#!")


# --- budgets ---------------------------------------------------------------------------------


def long_modules(path: str, source: str) -> list[Finding]:
    """Find a module that is too long."""
    lines = len(source.splitlines())
    if lines <= MODULE_LINES:
        return []
    message = f"{lines} lines in one module, the budget is {MODULE_LINES}; split it by subject"
    return [Finding(path, path, lines, message)]


def budget_breaches(path: str, source: str) -> list[Finding]:
    """Find functions, constructors and interfaces that are too big."""
    found: list[Finding] = []
    for name, node in _definitions(ast.parse(source)):
        full_name = f"{path}:{name}"
        if isinstance(node, ast.ClassDef):
            message = _interface_breach(path, node)
        else:
            message = _function_breach(node)
        if message:
            found.append(Finding(full_name, path, node.lineno, f"{name}: {message}"))
    return found


_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _definitions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, _Function | ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}{child.name}"
            yield name, child
            yield from _definitions(child, f"{name}.")
        else:
            yield from _definitions(child, prefix)


def _function_breach(node: _Function) -> str | None:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if lines > FUNCTION_LINES:
        return (
            f"{lines} lines in one function, the budget is {FUNCTION_LINES}; give its parts names"
        )
    given = node.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    parameters = len([each for each in named if each is not None]) - 1  # besides self
    if node.name == "__init__" and parameters > CONSTRUCTOR_PARAMETERS:
        return (
            f"{parameters} parameters in one constructor, the budget is {CONSTRUCTOR_PARAMETERS};"
            " group what belongs together in a value, or split the class"
        )
    return None


def _interface_breach(path: str, node: ast.ClassDef) -> str | None:
    if not path.endswith("interfaces.py") or not any(map(_is_protocol, node.bases)):
        return None
    functions = (each for each in node.body if isinstance(each, _Function))
    methods = len([each for each in functions if not each.name.startswith("_")])
    if methods <= INTERFACE_METHODS:
        return None
    return (
        f"{methods} methods in one interface, the budget is {INTERFACE_METHODS};"
        " split it by who asks"
    )


def _is_protocol(base: ast.expr) -> bool:
    if isinstance(base, ast.Subscript):
        base = base.value
    return (base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")) == "Protocol"


# --- modules ---------------------------------------------------------------------------------


def docstring_breaches(path: str, source: str) -> list[Finding]:
    """Find a module whose docstring is missing or is more than one sentence."""
    text = ast.get_docstring(ast.parse(source))
    if not text:
        problem = "no module docstring; say in one sentence what is in here"
    elif "\n\n" in text or SENTENCE_BREAK.search(text):
        problem = "a module docstring of more than one sentence; keep the first, move the rest"
    elif not text.endswith((".", "!", "?")):
        problem = "a module docstring without a full stop; make it a sentence"
    else:
        return []
    return [Finding(path, path, 1, problem)]


def missing_annotations_import(path: str, source: str) -> list[Finding]:
    """Find a module with code that does not postpone the evaluation of annotations."""
    body = ast.parse(source).body
    code = [each for each in body if not _is_docstring(each)]
    if not code or any(_is_annotations_import(each) for each in code):
        return []
    return [Finding(path, path, 1, 'no "from __future__ import annotations"; add it')]


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_annotations_import(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and "annotations" in [each.name for each in node.names]
    )


def uses_of(names: frozenset[str], path: str, source: str) -> list[Finding]:
    """Find every mention of one of these functions, whatever name it was imported under."""
    tree = ast.parse(source)
    imported = _imported_names(tree)
    found: list[Finding] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            name = _full_name(node, imported)
            if name in names:
                found.append(Finding(path, path, node.lineno, f"{name} is used here"))
    return sorted(found, key=lambda finding: finding.line)


def _imported_names(tree: ast.Module) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                top = each.name.partition(".")[0]
                names[each.asname or top] = each.name if each.asname else top
        elif isinstance(node, ast.ImportFrom):
            names |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return names


def _full_name(node: ast.expr, imported: dict[str, str]) -> str | None:
    if isinstance(node, ast.Attribute):
        owner = _full_name(node.value, imported)
        return f"{owner}.{node.attr}" if owner else None
    return imported.get(node.id) if isinstance(node, ast.Name) else None


# --- any text --------------------------------------------------------------------------------


def unexplained_suppressions(path: str, source: str) -> list[Finding]:
    """Find comments that silence a tool and do not say why."""
    found: list[Finding] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or not SUPPRESSION.search(token.string):
            continue
        if not REASON.search(SUPPRESSION.sub(" ", token.string)):
            message = f'"{token.string}" without a reason; write it behind: … # because of that'
            found.append(Finding(path, path, token.start[0], message))
    return found


def foreign_places(path: str, text: str) -> list[Finding]:
    """Find the names of package registries and the paths of one machine."""
    rules = (
        (REGISTRY, "names a package registry; where packages come from is the machine's business"),
        (MACHINE_PATH, "is a path of one machine; compute it, or write a placeholder"),
    )
    return [
        Finding(path, path, number, f'"{match.group()}" {problem}')
        for number, line in enumerate(text.splitlines(), 1)
        for pattern, problem in rules
        if (match := pattern.search(line))
    ]


def lock_breaches(path: str, text: str) -> list[Finding]:
    """Find in a lock file whatever is not a version pinned by hashes."""
    found: list[Finding] = []
    for start, line, entry in _lock_entries(text):
        if not re.match(r"[A-Za-z0-9._-]+==\S+", entry):
            found.append(Finding(path, path, start, f'"{line}" is not name==version'))
        elif "--hash=sha256:" not in entry:
            found.append(Finding(path, path, start, f'"{line}" has no --hash=sha256'))
        if "://" in entry:
            found.append(Finding(path, path, start, f'"{line}" has an address in it'))
    return found


def _lock_entries(text: str) -> Iterator[tuple[int, str, str]]:
    """Give each entry of a lock file: line number, first line, all its lines joined."""
    start, first, entry = 0, "", ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        if not entry:
            start, first = number, line.removesuffix("\\").strip()
        entry += f" {line.removesuffix(chr(92))}"
        if not line.endswith("\\"):
            yield start, first, entry.strip()
            entry = ""
    if entry:
        yield start, first, entry.strip()
