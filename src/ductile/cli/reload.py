"""`ductile pipeline reload`: lets the gateway take in what the files say now."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Final

import click

from ductile.cli.commands import Asked, Command
from ductile.cli.output import say
from ductile.cli.session import usable_configuration
from ductile.errors import DuctileError
from ductile.gateway.core import serving

_SIGNAL: Final = signal.SIGHUP


@click.command(cls=Command)
@click.pass_obj
def command(asked: Asked) -> None:
    """Let the gateway that serves this directory read all its files anew.

    They are checked here first: if anything is wrong, every problem is shown, the exit code is
    3, and the gateway is left alone. Runs in flight keep their version.
    """
    settings, _, _ = usable_configuration(asked).parts()
    pid = serving(settings)
    if pid is None:
        raise DuctileError(
            f'no gateway serves "{settings.database}", so there is nothing to reload; the files '
            'are in order, and "ductile serve" takes them in'
        )
    # A process that has the database open for one run only would die of the signal.
    if not _awaits(pid):
        raise DuctileError(
            f'process {pid}, which has "{settings.database}" open, is no running gateway that '
            "could reload; try again when it has started, or has ended"
        )
    try:
        os.kill(pid, _SIGNAL)
    except OSError as error:
        raise DuctileError(
            f"process {pid}, the gateway, cannot be told to reload: {error.strerror}; ask as the "
            "user that runs it"
        ) from error
    say(f"the files are in order; gateway {pid} was told to reload: its log says what has changed")


def _awaits(pid: int) -> bool:
    """Whether the process has made arrangements for the signal."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    [caught] = [line for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught.split()[1], 16) >> (_SIGNAL - 1) & 1)
