"""Nothing grows past its budget unseen."""

from __future__ import annotations

from tests.house.checks import budget_breaches, long_modules
from tests.house.repository import expect_only_exempt, python

# name -> reason; the name is the one in the failure: "src/ductile/room/file.py" for a module,
# "src/ductile/room/file.py:Class.method" for a function, constructor or interface.
EXEMPT_MODULES: dict[str, str] = {}
EXEMPT_DEFINITIONS: dict[str, str] = {}


def test_every_module_is_within_its_budget() -> None:
    sources = python("src", "tests")
    found = [each for name, source in sources for each in long_modules(name, source)]
    expect_only_exempt(found, EXEMPT_MODULES)


def test_every_function_constructor_and_interface_is_within_its_budget() -> None:
    sources = python("src")
    found = [each for name, source in sources for each in budget_breaches(name, source)]
    expect_only_exempt(found, EXEMPT_DEFINITIONS)
