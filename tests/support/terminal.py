"""The command line without a process of its own: everything but the start of the interpreter."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

from ductile.cli.main import run
from tests.support.process import Ended


def ductile(*arguments: str) -> Ended:
    """`ductile ARGUMENTS`, to its end; no terminal."""
    output, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        code = run(arguments)
    return Ended(code, output.getvalue(), errors.getvalue())
