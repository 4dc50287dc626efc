"""The grounds: a site with one plugin and one pipeline, and a gateway that serves it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from ductile.dispatch.interfaces import Trigger
from ductile.gateway.configuration import read_configuration
from ductile.gateway.core import make_core
from ductile.model.clock import SystemClock
from ductile.storage.sqlite.store import open_store
from ductile.telemetry.hub import Telemetry

#: In every workspace; the first step of a chain makes them, every hop clones them.
FILES: Final = 10
#: Of processes that are waited for; whatever takes longer has failed.
PATIENCE: Final = 900.0
#: Between two looks at something that tells nobody when it is done.
LOOK: Final = 0.02
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_SECRET: Final = "a-secret-of-the-benchmark"

#: Reads its request and answers, with nothing but what is built into sh.
WORK: Final = f"""#!/bin/sh
read -r request
[ -e file-1 ] || for n in {" ".join(map(str, range(1, FILES + 1)))}; do echo "$n" >"file-$n"; done
echo '{{"status": "ok", "events": [{{"type": "worked", "payload": {{"note": "done"}}}}]}}'
"""
#: Takes a worker and no time of a processor.
SLEEP: Final = "#!/bin/sh\nexec sleep 3600\n"


class Running:
    """A gateway in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], address: tuple[str, int]) -> None:
        self.process = process
        self.address = address

    def cpu(self) -> float:
        """Seconds of processor of the gateway itself, plugins not counted."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / _TICKS

    def resident(self) -> float:
        """MB of memory."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * _PAGE / 1e6

    def pin(self, core: int) -> None:
        """Let it have this core and no other."""
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            # One may have ended since they were listed.
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), {core})

    def well(self) -> bool:
        """Whether `healthz` says so now."""
        host, port = self.address
        try:
            with urllib.request.urlopen(f"http://{host}:{port}/healthz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


@dataclass(frozen=True)
class Grounds:
    """A configuration directory and what a gateway keeps beside it."""

    folder: Path
    port: int

    @property
    def directory(self) -> Path:
        """Of the configuration."""
        return self.folder / "site"

    @property
    def database(self) -> Path:
        """The file."""
        return self.folder / "data" / "ductile.db"

    @property
    def entrypoint(self) -> Path:
        """Of the plugin."""
        return self.directory / "plugins" / "work" / "run"

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Look at the database, as long as it takes."""
        with closing(
            apsw.Connection(str(self.database), flags=apsw.SQLITE_OPEN_READONLY)
        ) as connection:
            connection.set_busy_timeout(5000)
            return connection.execute(statement, values).fetchall()

    def queue(self, chains: int) -> None:
        """Accept so many events while no gateway runs."""
        clock = SystemClock()
        self.database.parent.mkdir(exist_ok=True)
        configuration = read_configuration(self.directory, {"SECRET": _SECRET})
        with closing(open_store(self.database, clock)) as store:
            intake = make_core(configuration, store, clock, Telemetry()).intake(lambda: None)
            commits = [
                intake.submit(Trigger("begun", {"number": n}, "benchmark")) for n in range(chains)
            ]
            for commit in commits:
                commit.result()

    @contextmanager
    def serving(self) -> Iterator[Running]:
        """A gateway at work, once `healthz` says that it is well."""
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ductile", "--config", self.directory, "serve"],
                env={**os.environ, "SECRET": _SECRET},
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        running = Running(process, ("127.0.0.1", self.port))
        try:
            wait_for(lambda: running.well() or process.poll() is not None, look=0.002)
            if process.poll() is not None:
                raise SystemExit(f"the gateway ended: {(self.folder / 'log').read_text()}")
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)

    def wait_until_drained(self, *, left: int = 0) -> None:
        """Until no more than so many jobs are queued or running."""
        wait_for(lambda: self._open() <= left)

    def _open(self) -> int:
        [(count,)] = self.rows(
            "SELECT (SELECT count(*) FROM job_queue "
            "WHERE status = 'queued' AND next_retry_at IS NULL) "
            "+ (SELECT count(*) FROM job_queue WHERE status = 'running')"
        )
        return int(count)


def make(
    folder: Path,
    *,
    port: int,
    steps: int,
    plugin: str = WORK,
    preload: Sequence[str] | None = None,
    **service: object,
) -> Grounds:
    """Write the files of a site with one pipeline of so many steps.

    With `preload`, the plugin is forked from a warm parent that has imported these modules.
    """
    grounds = Grounds(folder, port)
    settings = {
        "data_dir": str(folder / "data"),
        "service": service,
        "http": {"listen": f"127.0.0.1:{port}"},
        "webhooks": {
            "endpoints": [
                {
                    "name": "begin",
                    "event": "begun",
                    "signature": {"scheme": "hmac-sha256", "secret": "${SECRET}"},
                }
            ]
        },
    }
    manifest = {
        "manifest_spec": "ductile.plugin",
        "manifest_version": 1,
        "name": "work",
        "version": "1.0.0",
        "protocol": 2,
        "entrypoint": "run",
        "description": "work for the benchmark",
        "concurrency_safe": True,
        "commands": [{"name": "handle", "type": "write"}],
        **({} if preload is None else {"runtime": "python", "preload": list(preload)}),
    }
    line = [{"id": f"step-{n}", "uses": "work"} for n in range(1, steps + 1)]
    pipelines = {"pipelines": [{"name": "line", "on": "begun", "steps": line}]}
    grounds.entrypoint.parent.mkdir(parents=True, mode=0o755)
    (grounds.directory / "pipelines").mkdir(mode=0o755)
    _write(grounds.directory / "config.yaml", settings)
    _write(grounds.directory / "pipelines" / "line.yaml", pipelines)
    _write(grounds.entrypoint.parent / "manifest.yaml", manifest)
    grounds.entrypoint.write_text(plugin)
    grounds.entrypoint.chmod(0o755)
    return grounds


def delivery(number: int) -> bytes:
    """The bytes of one signed webhook."""
    body = json.dumps({"number": number, "title": "something has happened"}).encode()
    mark = hmac.new(_SECRET.encode(), body, hashlib.sha256).hexdigest()
    head = (
        "POST /webhooks/begin HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-Signature-256: sha256={mark}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def wait_for(done: Any, *, look: float = LOOK) -> None:
    """Until it is true. Ends the benchmark after `PATIENCE` seconds."""
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            raise SystemExit(f"expected it to be done within {PATIENCE:g} s; look at the log")
        time.sleep(look)


def _write(file: Path, document: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(document))
