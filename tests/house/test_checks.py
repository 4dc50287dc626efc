"""The checks of the house notice what they are there for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.house import checks
from tests.house.checks import Finding

Check = Callable[[str, str], list[Finding]]


def reads_of_the_clock(path: str, source: str) -> list[Finding]:
    return checks.uses_of(checks.CLOCK_READS, path, source)


def method(name: str) -> str:
    return f"    def {name}(self) -> None: ...\n"


LONG_FUNCTION = "class A:\n    def f(self):\n" + "        pass\n" * 50
FULL_FUNCTION = "class A:\n    def f(self):\n" + "        pass\n" * 49
SEVEN = ", ".join("abcdefg")
FULL_INTERFACE = "class A(Protocol):\n" + "".join(method(f"m{n}") for n in range(12))
HASH = "--hash=sha256:0123"
REGISTRY_NAME = "pypi" + ".org"
ROOTS_HOME = "/" + "root/x"
IGNORE = "# type: " + "ignore"
NOQA = "# no" + "qa"

BAD: list[tuple[str, Check, str, int]] = [
    ("a long module", checks.long_modules, "pass\n" * 401, 401),
    ("a long function", checks.budget_breaches, LONG_FUNCTION, 2),
    ("a big constructor", checks.budget_breaches, f"def __init__(self, {SEVEN}, *, h): ...", 1),
    ("a big interface", checks.budget_breaches, FULL_INTERFACE + method("one_more"), 1),
    ("no docstring", checks.docstring_breaches, "x = 1\n", 1),
    ("two sentences", checks.docstring_breaches, '"""It does. And more."""', 1),
    ("two paragraphs", checks.docstring_breaches, '"""It does.\n\nmore"""', 1),
    ("no full stop", checks.docstring_breaches, '"""It does"""', 1),
    ("no future import", checks.missing_annotations_import, '"""It."""\nx = 1\n', 1),
    ("a call of the clock", reads_of_the_clock, "import time\ntime.time()\n", 2),
    ("a renamed clock", reads_of_the_clock, "from time import sleep as nap\nnap(1)\n", 2),
    ("a renamed module", reads_of_the_clock, "import time as t\nx = t.monotonic\n", 2),
    ("now of a class", reads_of_the_clock, "from datetime import datetime\ndatetime.now()\n", 2),
    ("now of a module", reads_of_the_clock, "import datetime as d\nd.datetime.now(d.UTC)\n", 2),
    ("no reason to ignore", checks.unexplained_suppressions, f"x = 1  {IGNORE}[assignment]\n", 1),
    ("no reason at all", checks.unexplained_suppressions, f"\nx = 1  {NOQA}: E501\n", 2),
    ("a code is no reason", checks.unexplained_suppressions, f"x = 1  {NOQA}: E501, RUF001\n", 1),
    ("a registry", checks.foreign_places, f"\nsee https://{REGISTRY_NAME}/x\n", 2),
    ("an index", checks.foreign_places, "--extra-index" + "-url=x", 1),
    ("a path of root", checks.foreign_places, f"cd {ROOTS_HOME}\n", 1),
    ("a file address", checks.foreign_places, f'x = "file://{ROOTS_HOME}"\n', 1),
    ("no hash", checks.lock_breaches, f"# made\na==1 \\\n    {HASH}\nb==2\n", 4),
    ("no version", checks.lock_breaches, f"a>=1 \\\n    {HASH}\n", 1),
    ("an option", checks.lock_breaches, "--pre\n", 1),
    ("an address", checks.lock_breaches, f"a==1 {HASH} --x=https://a.example\n", 1),
]

GOOD: list[tuple[str, Check, str]] = [
    ("a full module", checks.long_modules, "pass\n" * 400),
    ("a full function", checks.budget_breaches, FULL_FUNCTION),
    ("a full constructor", checks.budget_breaches, f"def __init__(self, {SEVEN}): ..."),
    ("a full interface", checks.budget_breaches, FULL_INTERFACE + method("_private")),
    ("a sentence", checks.docstring_breaches, '"""Ids: `POST /x.y`, and 1.5 times\nas much."""'),
    ("a future import", checks.missing_annotations_import, "from __future__ import annotations\n"),
    ("only a docstring", checks.missing_annotations_import, '"""It."""\n'),
    ("the module of the clock", reads_of_the_clock, "import time\ntime.strftime('%Y')\n"),
    ("a word like it", reads_of_the_clock, "class clock:\n    time = 1\nclock.time\n"),
    ("a reason", checks.unexplained_suppressions, f"x = 1  {IGNORE}[x]  # its stub says str\n"),
    ("a string", checks.unexplained_suppressions, f"x = '{NOQA}'\n"),
    ("a path below another", checks.foreign_places, "$HOME/work/x and data/root/x\n"),
    (
        "a lock",
        checks.lock_breaches,
        f"a==1 ; x == 'y' \\\n    {HASH} \\\n    {HASH}\n    # via b\n",
    ),
]


@pytest.mark.parametrize(
    ("check", "source", "line"), [pytest.param(*case[1:], id=case[0]) for case in BAD]
)
def test_a_breach_is_found_with_its_line(check: Check, source: str, line: int) -> None:
    assert [finding.line for finding in check("room/interfaces.py", source)] == [line]


@pytest.mark.parametrize(
    ("check", "source"), [pytest.param(*case[1:], id=case[0]) for case in GOOD]
)
def test_what_is_right_is_left_alone(check: Check, source: str) -> None:
    assert check("room/interfaces.py", source) == []
