"""The command itself: quick to start, and the same options everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click
import pytest

from ductile.cli.main import NOUNS, root
from ductile.cli.output import paint
from ductile.cli.render.text import Style, plain

#: What only commands that do something may import.
HEAVY = {"apsw", "orjson", "pydantic", "rich", "uvicorn", "yaml"}


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every action of every noun, with the words that lead to it."""
    context = click.Context(root)
    for noun in root.list_commands(context):
        command = root.get_command(context, noun)
        assert command is not None
        if isinstance(command, click.Group):
            for action, inner in command.commands.items():
                yield f"{noun} {action}", inner
        else:
            yield noun, command


COMMANDS = dict(commands())


@contextmanager
def a_terminal() -> Iterator[TextIO]:
    """A stream that is a terminal, though nobody sits at it."""
    near, far = os.openpty()
    try:
        with os.fdopen(far, "w") as stream:
            yield stream
    finally:
        os.close(near)


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from ductile.cli.main import run; code = run(['--help']);"
        f"print(sorted({HEAVY!r} & sys.modules.keys()), code)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert ended.stdout.splitlines()[-1] == "[] 0"


def test_help_lists_every_noun() -> None:
    text = click.Context(root).get_help()

    assert all(f"  {noun} " in text for noun in NOUNS)


def test_the_public_commands_are_there() -> None:
    assert set(COMMANDS) == {
        "serve",
        "demo",
        "inbox list",
        "inbox resend",
        "inbox show",
        "inbox simulate",
        "init",
        "config check",
        "schema",
        *(f"pipeline {action}" for action in ("list", "show", "check", "run", "reload")),
        *(f"pipeline {action}" for action in ("graph", "diff", "explain")),
        *(f"plugin {action}" for action in ("list", "check", "run")),
        *(f"job {action}" for action in ("list", "inspect")),
        *(f"run {action}" for action in ("list", "show", "verify", "cancel")),
        *(f"workspace {action}" for action in ("path", "clean")),
        *(f"db {action}" for action in ("status", "backup", "check")),
    }


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_takes_the_shared_options_and_explains_itself(words: str) -> None:
    command = COMMANDS[words]

    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--config", "--debug"} <= options
    assert command.help


#: What changes something, and what prints something that has a shape of its own.
OTHERS = {
    *("serve", "demo", "init", "workspace clean", "db backup", "pipeline reload"),
    "run cancel",
    *("pipeline graph", "schema"),
}


@pytest.mark.parametrize("words", sorted(set(COMMANDS) - OTHERS))
def test_everything_that_reads_speaks_json(words: str) -> None:
    options = {option for parameter in COMMANDS[words].params for option in parameter.opts}

    assert "--json" in options


def test_what_is_no_terminal_gets_no_colours() -> None:
    with open("/dev/null", "w") as stream:
        assert paint(stream) is plain


def test_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    with a_terminal() as stream:
        assert paint(stream)("x", Style.BAD) == "\x1b[31mx\x1b[0m"


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    with a_terminal() as stream:
        assert paint(stream) is plain
