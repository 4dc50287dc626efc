"""Kills a busy gateway again and again; the harness is in tests/chaos, which tests use as well."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    sys.exit(import_module("tests.chaos.command").main(sys.argv[1:]))
