"""A gateway whose time is told on stdin: `advance SECONDS` and `clean`, each answered in a line."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

from ductile.gateway.configuration import read_configuration
from ductile.gateway.gateway import Gateway
from ductile.model.clock import to_text
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.log import log_listener
from tests.support.clock import FakeClock


def serve(config_dir: Path) -> None:
    """Run the gateway that `ductile serve` runs, on a clock that stands still, until stdin ends."""
    clock, telemetry = FakeClock(), Telemetry()
    telemetry.subscribe(log_listener(clock, level="debug"))
    gateway = Gateway(read_configuration(config_dir, os.environ), clock=clock, telemetry=telemetry)
    try:
        gateway.start()
        host, port = gateway.address
        _say(f"listening on http://{host}:{port}")
        for line in sys.stdin:
            match line.split():
                case ["advance", seconds]:
                    clock.advance(timedelta(seconds=float(seconds)))
                    _say(f"now {to_text(clock.now())}")
                case ["clean"]:
                    _say(f"deleted {len(gateway.janitor.run_once().deleted)}")
                case _:
                    _say(f"no such command: {line.strip()}")
    finally:
        gateway.stop()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
