"""`ductile serve`: runs the gateway until it is told to stop, and reloads when it is told to."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import click

from ductile.cli.commands import Asked, Command
from ductile.cli.output import note, say
from ductile.cli.render.text import counted
from ductile.cli.session import usable_configuration
from ductile.config.settings import Settings
from ductile.gateway.configuration import Configuration
from ductile.gateway.gateway import Gateway
from ductile.model.clock import SystemClock
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.log import log_listener

_STOPPING: Final = (signal.SIGTERM, signal.SIGINT)


@click.command(cls=Command)
@click.pass_obj
def command(asked: Asked) -> None:
    """Run the gateway until SIGTERM or SIGINT.

    On SIGHUP, and when a pipeline or a manifest was changed, all files are read anew and put in
    force, unless anything is wrong in them; runs in flight keep their version.

    When told to stop it claims no more jobs and gives those that run their grace time. A second
    signal ends it at once; what was running is taken back at the next start. The log goes to
    stderr.
    """
    found = usable_configuration(asked)
    settings, _, _ = found.parts()
    clock, telemetry = SystemClock(), Telemetry()
    service = settings.service
    telemetry.subscribe(
        log_listener(clock, level=service.log_level, as_json=service.log_format == "json")
    )
    on_terminal = os.isatty(0)
    with _signals() as told:
        gateway = Gateway(found, clock=clock, telemetry=telemetry)
        try:
            gateway.start()
            say(_greeting(found, settings, gateway.address))
            # Several signals that have come by now are answered by one reload.
            while not _says_stop(os.read(told, 4096), on_terminal=on_terminal):
                gateway.reload()
            note("stopping; a second signal stops at once")
        finally:
            gateway.stop()


@contextmanager
def _signals() -> Iterator[int]:
    """A descriptor that gives the number of each signal to stop or to reload, as a byte.

    The second signal to stop has its usual effect.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        for each in _STOPPING:
            signal.signal(each, signal.SIG_DFL)

    def reload(number: int, frame: FrameType | None) -> None:
        """Nothing here: what counts is the byte."""

    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    handlers = {**dict.fromkeys(_STOPPING, stop), signal.SIGHUP: reload}
    before = {each: signal.signal(each, handler) for each, handler in handlers.items()}
    # Of two signals at once, the kernel gives the second one to another thread. A handler in
    # Python would then wait for this thread, which waits to be told; the byte is written by
    # whichever thread it is.
    wakeup = signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    try:
        yield readable
    finally:
        signal.set_wakeup_fd(wakeup)
        for each, handler in before.items():
            signal.signal(each, handler)
        os.close(readable)
        os.close(writable)


def _says_stop(told: bytes, *, on_terminal: bool) -> bool:
    """Whether one of these signals is one to stop; so is a SIGHUP at the end of the terminal."""
    hung_up = on_terminal and not os.isatty(0)
    return any(each in told for each in _STOPPING) or (hung_up and signal.SIGHUP in told)


def _greeting(found: Configuration, settings: Settings, address: tuple[str, int]) -> str:
    _, registry, catalogue = found.parts()
    host, port = address
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    loaded = (
        f"{counted(len(catalogue.pipelines), 'pipeline')} and "
        f"{counted(len(registry.names()), 'plugin')} from {found.directory}"
    )
    lines = [f"listening on {base}", f"loaded {loaded}"]
    lines += [f"POST {base}/webhooks/{each.name}" for each in settings.webhooks]
    return "\n".join(lines)
