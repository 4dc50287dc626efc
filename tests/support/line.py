"""A pipeline of five steps in one line, on a site of its own, with gates to stop them at."""

from __future__ import annotations

import json
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support import ledger
from tests.support.client import Answer, post, signed
from tests.support.process import GatewayProcess, gateway
from tests.support.site import Chain, Site

STEPS: Final = ("first", "second", "third", "fourth", "fifth")
SECRET: Final = "s3cret"
#: Adds its name to a file and to the baggage.
_WORK: Final = """\
cat >/dev/null
{{ [ ! -f trace ] || cat trace; echo {name}; }} >trace.new
mv -f trace.new trace
"""
_STOP: Final = """\
echo $$ >'{folder}/started'
read -r _ <'{folder}/open'
"""
_ANSWER: Final = """\
echo '{{"status": "ok", "state_updates": {{"{name}": true}}}}'
"""


@dataclass(frozen=True)
class Gate:
    """Where a plugin tells that it runs, and waits until it is let through."""

    folder: Path

    def reached(self) -> int:
        """Wait for a plugin to come; returns its process id."""
        return int((self.folder / "started").read_text())

    def let_through(self) -> None:
        """Let one plugin go on."""
        (self.folder / "open").write_text("\n")


class Line:
    """The site, its database, and what may be sent to it.

    `POST /webhooks/line` starts the five steps, `POST /webhooks/block` the plugin `blocker`,
    which stops at a gate.
    """

    def __init__(self, root: Path) -> None:
        self.site = Site(root)
        self.database = root / "data" / "ductile.db"
        for name in STEPS:
            self.site.plugin(name, (_WORK + _ANSWER).format(name=name))
        self.site.pipeline(_pipeline("line", *STEPS), "line.yaml")
        self.site.pipeline(_pipeline("block", "blocker"), "block.yaml")
        self.blocker = self.gate("blocker")
        retry = {"max_attempts": 20, "backoff_base": "1ms"}
        self.site.config["plugins"] = {name: {"retry": retry} for name in (*STEPS, "blocker")}
        self.site.config["webhooks"] = {"endpoints": []}
        for name in ("line", "block"):
            self.endpoint(name, event=f"{name}.begun")

    def gate(self, name: str) -> Gate:
        """Let a plugin stop at a gate when its work is done, before it answers."""
        folder = self.site.root / f"gate-{name}"
        folder.mkdir()
        for end in ("started", "open"):
            os.mkfifo(folder / end)
        self.site.plugin(name, (_WORK + _STOP + _ANSWER).format(name=name, folder=folder))
        return Gate(folder)

    def endpoint(self, name: str, **fields: Any) -> None:
        """Another endpoint, signed like the others."""
        signature = {"scheme": "hmac-sha256", "secret": SECRET}
        endpoint = {"name": name, "signature": signature, **fields}
        self.site.config["webhooks"]["endpoints"].append(endpoint)

    def running(self) -> AbstractContextManager[GatewayProcess]:
        """A gateway on the site."""
        return gateway(self.site.write())

    def send(self, process: GatewayProcess, name: str = "line") -> str:
        """Post an event; returns its id, once it is accepted."""
        answer = self.post(process, name)
        assert answer.status == 202, answer
        event_id: str = answer.json["event_id"]
        return event_id

    def post(self, process: GatewayProcess, name: str = "line", size: int = 0) -> Answer:
        """Post an event whose payload has at least `size` bytes, whatever the answer."""
        body = json.dumps({"channel_id": "C1", "text": size * "x"}).encode()
        return post(process.address, f"/webhooks/{name}", body, signed(SECRET, body))

    def chain(self, event_id: str) -> Chain:
        """The chain of an event as it stands."""
        return ledger.chain(self.database, event_id)

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """The answer of the database to a question in SQL."""
        return ledger.rows(self.database, question)

    def trace(self, event_id: str) -> list[str]:
        """What the workspace of the last job says about the steps that were taken."""
        job = self.chain(event_id).jobs[-1]
        name = job.id if job.attempt == 1 else f"{job.id}.{job.attempt}"
        return (self.site.root / "data" / "ws" / name / "trace").read_text().split()


def settled(process: GatewayProcess, event_id: str) -> None:
    """Wait until the run of an event has ended."""
    process.wait_for(f"run settled.* chain={event_id}")


def _pipeline(name: str, *plugins: str) -> str:
    steps = "".join(f"\n    - uses: {plugin}" for plugin in plugins)
    return f"- name: {name}\n  on: {name}.begun\n  steps:{steps}"
