"""`ductile serve`: runs the gateway until it is told to stop."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

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

_STOPPING = (signal.SIGTERM, signal.SIGINT)


@click.command(cls=Command)
@click.pass_obj
def command(asked: Asked) -> None:
    """Run the gateway until SIGTERM or SIGINT.

    It then claims no more jobs and gives those that run their grace time. A second signal ends
    it at once; what was running is taken back at the next start. The log goes to stderr.
    """
    found = usable_configuration(asked)
    settings, _, _ = found.parts()
    clock, telemetry = SystemClock(), Telemetry()
    service = settings.service
    telemetry.subscribe(
        log_listener(clock, level=service.log_level, as_json=service.log_format == "json")
    )
    with _stop_signal() as asked_to_stop:
        gateway = Gateway(found, clock=clock, telemetry=telemetry)
        try:
            gateway.start()
            say(_greeting(found, settings, gateway.address))
            os.read(asked_to_stop, 1)
            note("stopping; a second signal stops at once")
        finally:
            gateway.stop()


@contextmanager
def _stop_signal() -> Iterator[int]:
    """A descriptor that becomes readable at the first signal; the second has its usual effect."""
    readable, writable = os.pipe()

    def stop(number: int, frame: FrameType | None) -> None:
        for each in _STOPPING:
            signal.signal(each, signal.SIG_DFL)
        os.write(writable, b"\0")

    before = {each: signal.signal(each, stop) for each in _STOPPING}
    try:
        yield readable
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        os.close(readable)
        os.close(writable)


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
