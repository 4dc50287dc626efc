"""Invocations of real plugins, and waiting for them without sleeping."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path

from ductile.plugin.interfaces import Ended, Invocation, PluginRunner
from ductile.plugin.stop import Stop

PLUGINS = Path(__file__).parent.parent / "plugins"
LONG = timedelta(seconds=50)
SHORT = timedelta(milliseconds=50)


def an_invocation(
    plugin: str,
    directory: Path,
    *,
    request: bytes = b'{"protocol":2}\n',
    timeout: timedelta = LONG,
    grace: timedelta = LONG,
    max_stdout: int = 10 * 1024 * 1024,
    gate: Path | None = None,
) -> Invocation:
    environment = {"PATH": os.environ["PATH"]}
    if gate is not None:
        environment["GATE"] = str(gate)
    return Invocation(
        entrypoint=PLUGINS / plugin / "run.sh",
        request=request,
        directory=directory,
        environment=environment,
        timeout=timeout,
        max_stdout=max_stdout,
        grace=grace,
    )


def a_script(folder: Path, text: str, *, mode: int = 0o755) -> Path:
    path = folder / "script"
    path.write_text(text)
    path.chmod(mode)
    return path


def invoke(script: Path, **environment: str) -> Invocation:
    return Invocation(
        entrypoint=script,
        request=b"{}",
        directory=script.parent,
        environment={"PATH": os.environ["PATH"], **environment},
        timeout=LONG,
    )


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        return False
    return stat.rpartition(b")")[2].split()[0] not in (b"Z", b"X")


def started(gate: Path) -> None:
    """Wait until the plugin says that it runs."""
    assert (gate / "started").read_text() == "up\n"


def in_background(runner: PluginRunner, invocation: Invocation, stop: Stop) -> Future[Ended]:
    future: Future[Ended] = Future()

    def work() -> None:
        try:
            future.set_result(runner.run(invocation, stop))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future
