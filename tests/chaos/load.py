"""The mixed load: a site with pipelines of every shape, and what is sent to it."""

from __future__ import annotations

import json
import random
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

import apsw

from tests.support.client import post, signed
from tests.support.process import GatewayProcess
from tests.support.site import Site

SECRET: Final = "s3cret-of-the-chaos"
#: Adds the name of the plugin to a file, by the way that a clone allows.
_WORK: Final = """\
cat >/dev/null
{{ [ ! -f trace ] || cat trace; echo {name}; }} >trace.new
mv -f trace.new trace
"""
_ANSWER: Final = """\
echo '{{"status": "ok", "state_updates": {{"{name}": true}}}}'
"""
#: The same in Python, forked from a warm parent.
_WARM: Final = f"""#!{sys.executable}
import json, os, sys
sys.stdin.read()
with open("trace.new", "w") as new:
    if os.path.exists("trace"):
        with open("trace") as trace:
            new.write(trace.read())
    new.write("{{name}}\\n")
os.replace("trace.new", "trace")
print(json.dumps({{{{"status": "ok", "state_updates": {{{{"{{name}}": True}}}}}}}}))
"""
#: A thousand files in a few directories, and a symlink.
_MANY: Final = """\
for folder in 0 1 2 3 4 5 6 7 8 9; do
    mkdir -p "files/$folder"
    number=0
    while [ $number -lt 100 ]; do
        echo "$folder $number" >"files/$folder/$number"
        number=$((number + 1))
    done
done
ln -s files/0/0 first
"""
#: Tried again at once, and often: the next attempt is claimed while the one before it lets go.
_FLAKY: Final = """\
case $(cat) in
*'"attempt":'[1-6],*)
    echo '{"status": "error", "error": "not before the seventh try"}'
    exit ;;
esac
echo '{"status": "ok"}'
"""
_FAN: Final = """\
cat >/dev/null
echo '{"status": "ok", "events": [
    {"type": "part.made", "payload": {"part": 1}},
    {"type": "part.made", "payload": {"part": 2}},
    {"type": "part.made", "payload": {"part": 3}}]}'
"""
_PIPELINES: Final = """
- name: line
  on: line.begun
  steps: [{uses: one}, {uses: two}, {uses: three}, {uses: four}, {uses: five}]
- name: fork
  on: fork.begun
  steps:
    - uses: one
    - split:
        - uses: two
        - steps: [{uses: three}, {uses: four}]
    - uses: five
- name: retry
  on: retry.begun
  steps: [{uses: flaky}, {uses: one}]
- name: fan
  on: fan.begun
  steps: [{uses: fan}, {uses: two}]
- name: part
  on: part.made
  steps: [{uses: three}]
- name: big
  on: big.begun
  steps: [{uses: many}, {uses: two}, {uses: three, workspace: copy}, {uses: four}]
"""
#: What a chain comes to: its jobs, by the type of the event that began it.
JOBS: Final = {"line": 5, "fork": 5, "retry": 2, "fan": 7, "big": 4}
_STARTED: Final = ("one", "two", "four", "five")
_FORKED: Final = ("three",)
_SENDERS: Final = 4
#: Characters of a payload: enough of them for the log to need a checkpoint.
_TEXT: Final = 100_000


@dataclass(frozen=True)
class Amount:
    """How many chains of each shape are begun."""

    chains: Mapping[str, int]

    def __str__(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in self.chains.items())


SMALL: Final = Amount({"line": 6, "fork": 2, "retry": 4, "fan": 1, "big": 1})


class Load:
    """The site and the senders."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "data" / "ductile.db"
        self.workspaces = root / "data" / "ws"
        self.accepted: dict[str, str] = {}
        """Events that were answered with 202, with the name of their endpoint."""
        self._site = Site(root)
        for name in _STARTED:
            self._site.plugin(name, (_WORK + _ANSWER).format(name=name))
        for name in _FORKED:
            script = _WARM.format(name=name)
            self._site.plugin(name, script, runtime="python", preload=["json"])
        self._site.plugin("many", (_WORK + _MANY + _ANSWER).format(name="many"))
        self._site.plugin("flaky", _FLAKY)
        self._site.plugin("fan", _FAN)
        self._site.pipeline(_PIPELINES)
        retry = {"max_attempts": 50, "backoff_base": "1ms"}
        names = (*_STARTED, *_FORKED, "many", "flaky", "fan")
        self._site.config["plugins"] = {name: {"retry": retry} for name in names}
        signature = {"scheme": "hmac-sha256", "secret": SECRET}
        self._site.config["webhooks"] = {
            "endpoints": [
                {"name": name, "event": f"{name}.begun", "signature": signature} for name in JOBS
            ]
        }

    def write(self, *, cleaning: bool = False) -> Path:
        """The configuration: one that keeps all workspaces, or one that deletes them at once."""
        self._site.config["workspace"] = (
            {"ttl": "1ms", "janitor_interval": "50ms"} if cleaning else {"ttl": "24h"}
        )
        return self._site.write()

    def send(self, process: GatewayProcess, amount: Amount, chance: random.Random) -> None:
        """Send everything from several senders; returns when all have an answer or none will
        come any more."""
        wishes = [name for name, count in amount.chains.items() for _ in range(count)]
        chance.shuffle(wishes)
        address = process.address
        senders = [
            threading.Thread(target=self._send, args=(address, wishes[first::_SENDERS]))
            for first in range(_SENDERS)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()

    def open_jobs(self) -> int:
        """Jobs that are queued or running."""
        question = "SELECT count(*) FROM job_queue WHERE status IN ('queued', 'running')"
        return int(self.rows(question)[0][0])

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """The answer of the database, which stays as it is: nothing is checkpointed."""
        connection = apsw.Connection(str(self.database), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            connection.setbusytimeout(10_000)
            connection.execute("PRAGMA query_only = ON")
            return [tuple(row) for row in connection.execute(question)]
        finally:
            connection.close()

    def _send(self, address: tuple[str, int], names: Sequence[str]) -> None:
        for name in names:
            body = json.dumps({"text": _TEXT * "x" if name == "line" else ""}).encode()
            try:
                answer = post(address, f"/webhooks/{name}", body, signed(SECRET, body))
            except (OSError, HTTPException):  # it is dead; perhaps the event was kept, and fine
                continue
            if answer.status == 202:
                self.accepted[answer.json["event_id"]] = name
