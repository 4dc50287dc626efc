"""The command `ductile`: its nouns, and how it ends when something is wrong."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

import click

from ductile.cli.commands import Asked, Group, Lazy
from ductile.errors import ConfigurationError, DuctileError, UsageError

FAILED: Final = 1
ASKED_WRONGLY: Final = 2
CONFIGURATION: Final = 3

#: Each in a module of its own, which is imported when it is used. In the order of a first day.
NOUNS: Final[Mapping[str, Lazy]] = {
    "demo": Lazy("ductile.cli.demo", "Watch a real chain of five jobs run on this machine."),
    "init": Lazy("ductile.cli.init", "Make a config directory that works at once."),
    "config": Lazy("ductile.cli.config", "Check all files without starting anything."),
    "serve": Lazy("ductile.cli.serve", "Run the gateway until it is told to stop."),
    "pipeline": Lazy("ductile.cli.pipeline", "List, check, draw, explain and run pipelines."),
    "plugin": Lazy("ductile.cli.plugin", "List, check and run plugins."),
    "schema": Lazy("ductile.cli.schema", "Print the JSON Schemas that editors check files by."),
    "job": Lazy("ductile.cli.job", "List jobs, and look into the whole chain of one."),
    "run": Lazy("ductile.cli.run", "List runs, and look into one."),
    "inbox": Lazy("ductile.cli.inbox", "See what came to webhooks, resend it, and try endpoints."),
    "workspace": Lazy("ductile.cli.workspace", "Find the files of a job, and tidy up."),
    "db": Lazy("ductile.cli.db", "Look at the database, and back it up."),
}


@click.group(cls=Group, lazy=NOUNS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ductile-gateway", prog_name="ductile")
def root() -> None:
    """Ductile turns plain scripts into durable, inspectable pipelines.

    New here? "ductile demo" shows all of it in seconds; "ductile init DIR" begins your own.

    Exit codes: 0 fine, 1 it failed, 2 asked wrongly, 3 configuration.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command line, that of the process by default, and end the process."""
    # Some that start programs ignore this, what they start inherits it, and to whom it is ignored
    # the kernel does not tell how a plugin ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code.

    Messages go to stderr, what was asked for goes to stdout.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Better a question mark than no answer where the terminal's encoding is a small one.
            stream.reconfigure(errors="replace")
    asked = Asked()
    try:
        result = root.main(arguments, prog_name="ductile", standalone_mode=False, obj=asked)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ASKED_WRONGLY
    except click.ClickException as error:
        return _refuse(error)
    except click.Abort:
        return _say("interrupted", FAILED)
    except Exception as error:
        return _explain(error, asked)
    return result if isinstance(result, int) else 0


def _refuse(error: click.ClickException) -> int:
    text = error.format_message().rstrip(".")
    _say(text[:1].lower() + text[1:], ASKED_WRONGLY)
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(f'try "{error.ctx.command_path} --help"', err=True)
    return ASKED_WRONGLY


def _explain(error: Exception, asked: Asked) -> int:
    if asked.debug:
        # Only a wish for it shows where in the program it happened.
        import traceback

        traceback.print_exception(error)
    match error:
        case ConfigurationError():
            return _say(str(error), CONFIGURATION)
        case UsageError():
            return _say(str(error), ASKED_WRONGLY)
        case DuctileError():
            return _say(str(error), FAILED)
    name = type(error).__name__
    remedy = "" if asked.debug else '; "--debug" shows where'
    return _say(f"a mistake in ductile itself: {name}: {error}{remedy}", FAILED)


def _say(message: str, code: int) -> int:
    text = message.rstrip("\n")
    # Several lines are problems with their places, and speak for themselves.
    click.echo(text if "\n" in text else f"ductile: {text}", err=True)
    return code
