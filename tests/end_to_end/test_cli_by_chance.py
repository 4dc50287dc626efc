"""Whatever is written on the command line, it is answered clearly, and nothing is changed."""

from __future__ import annotations

import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.cli.main import root
from ductile.model.ids import new_id
from tests.support.made_site import Site, made
from tests.support.terminal import ductile

#: What serves, makes directories, or writes where it is told to.
LEFT_OUT = {"serve", "demo", "init", "db backup", "workspace clean"}
VALUES = (
    *("hello", "hello.nothing", "failed", "-1", "0", "1", "9" * 400, "1e9", "1ms", "{}", "[", "-"),
    *("@/none", "/none", "/dev/null", "", " ", "--", "\n", "é" * 300, "\udcff", "\x1b[2J"),
    *("' OR '1'='1", '"; DROP TABLE job_queue; --', "../../etc/passwd", "%s", "{0}", "\u202e"),
    new_id(),
)
words = st.sampled_from(VALUES) | st.text(max_size=12).map(lambda text: text.replace("\0", ""))


def commands() -> dict[str, click.Command]:
    """All that may be tried, by its words."""
    found: dict[str, click.Command] = {}
    context = click.Context(root)
    for noun in root.list_commands(context):
        command = root.get_command(context, noun)
        assert command is not None
        if isinstance(command, click.Group):
            found |= {f"{noun} {action}": inner for action, inner in command.commands.items()}
        else:
            found[noun] = command
    return {name: command for name, command in found.items() if name not in LEFT_OUT}


COMMANDS = commands()


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """A command with the options and arguments that it has, and now and then others."""
    name = draw(st.sampled_from(sorted(COMMANDS)))
    line: list[str] = []
    for parameter in COMMANDS[name].params:
        if parameter.name in ("config", "directory", "debug", "help"):
            continue
        if isinstance(parameter, click.Option):
            if draw(st.integers(0, 3)) and not parameter.required:
                continue
            line.append(parameter.opts[0])
            if not parameter.is_flag:
                line.append(draw(_fitting(parameter) | words))
        elif draw(st.integers(0, 9)):
            line += draw(st.lists(words, min_size=1, max_size=2 if parameter.nargs < 0 else 1))
    if not draw(st.integers(0, 9)):
        line.append(draw(words))
    return [*name.split(), *line]


def _fitting(option: click.Option) -> st.SearchStrategy[str]:
    choices = option.type.choices if isinstance(option.type, click.Choice) else ("1", "hello")
    return st.sampled_from([str(choice) for choice in choices])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = made(tmp_path_factory.mktemp("chance") / "site")
    assert site.run("pipeline", "run", "hello").code == 0
    return site


def ids(site: Site) -> list[str]:
    return [job["id"] for job in site.json("job", "list")["jobs"]]


def test_no_command_line_is_met_with_a_mistake_of_the_program(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DUCTILE_CONFIG", str(site.directory))
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO()))
    before = ids(site)

    @given(lines())
    def holds(arguments: list[str]) -> None:
        ended = ductile(*arguments)
        assert ended.code in (0, 1, 2, 3), ended.text
        assert "a mistake in ductile itself" not in ended.text
        assert "Traceback" not in ended.text
        assert ended.code == 0 or ended.text, "it failed and said nothing"

    holds()
    # Nothing but the plugin and the pipeline that there are could have been run.
    assert ids(site)[-len(before) :] == before
    assert list(tmp_path.iterdir()) == []
