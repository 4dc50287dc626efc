"""What all commands share: late imports, options that go anywhere, did-you-mean."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class Asked:
    """The options that may stand before or after the noun; the last one counts."""

    directory: Path | None = None
    """The config directory; None: from the environment, or the usual place."""
    debug: bool = False


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command in a module that is not imported until the command is used."""

    module: str
    """Its `command` is the command."""
    help: str


def _remember_directory(
    context: click.Context, parameter: click.Parameter, value: Path | None
) -> None:
    if value is not None:
        context.ensure_object(Asked).directory = value


def _remember_debug(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Asked).debug = True


def _shared_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path),
            metavar="DIR",
            expose_value=False,
            callback=_remember_directory,
            help="The config directory; otherwise $DUCTILE_CONFIG, or ~/.config/ductile.",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            callback=_remember_debug,
            help="Show where in the program an error happened.",
        ),
    ]


class Command(click.Command):
    """One action."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.params += _shared_options()


class Group(click.Group):
    """A noun and its actions, or all nouns, then given as `lazy`."""

    command_class = Command

    def __init__(
        self, *arguments: Any, lazy: Mapping[str, Lazy] | None = None, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.params += _shared_options()
        self._lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._lazy, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        lazy = self._lazy.get(cmd_name)
        if lazy is None:
            return self.commands.get(cmd_name)
        command: click.Command = _imported(lazy.module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            # Imported here: most command lines are right.
            from ductile.documents.suggest import did_you_mean

            meant = did_you_mean(name, known)
            remedy = f'did you mean "{meant}"?' if meant else f"there are {', '.join(known)}"
            raise click.UsageError(f'no command "{name}"; {remedy}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if not self._lazy:
            return super().format_commands(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in self._lazy.items()])
        return None


def page_options(function: F) -> F:
    """The options of a list that is read from the newest on: `before`, an id, and `limit`."""
    for option in (
        click.option(
            "--limit",
            type=click.IntRange(1),
            default=20,
            show_default=True,
            help="At most so many.",
        ),
        click.option("--before", metavar="ID", help="Only what is older than this one."),
    ):
        function = option(function)
    return function


def json_option(function: F) -> F:
    """The option `--json`, as the argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")(function)


def _imported(module: str) -> ModuleType:
    """Import it with the garbage collector at rest: what is imported stays, and to look through
    it again and again takes a twentieth of a start."""
    if module in sys.modules:
        return sys.modules[module]
    collecting = gc.isenabled()
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
