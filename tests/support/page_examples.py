"""Examples of the documentation that are followed by what they come to, and how they are run."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.terminal import ductile

_SHOWN = re.compile(
    r"^```(?P<language>yaml|sh)\n(?P<text>(?:(?!^```).*\n)*)^```\n\n^```text\n"
    r"(?P<output>(?:(?!^```).*\n)*)^```$",
    re.MULTILINE,
)
_PAYLOAD = re.compile(r"# started with (\{.*\})\n")
_FILE: Final = "pipelines/example.yaml"
#: The plugins of the page of errors, with what their manifests say that their command emits.
_PLUGINS: Final[Mapping[str, list[str] | None]] = {
    "captions": None,
    "fetch": ["page.fetched"],
    "legacy": None,
    "notify": None,
    "store": ["page.stored"],
    "summary": None,
}


@dataclass(frozen=True)
class Shown:
    """A file, or commands that make one, and what `ductile` says of it."""

    page: Path
    line: int
    language: str
    text: str
    output: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def shown_on(page: Path) -> Iterator[Shown]:
    """The examples of a page that are followed by what they come to."""
    text = page.read_text(encoding="utf-8")
    for match in _SHOWN.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Shown(page, line, match["language"], match["text"], match["output"])


def filled(page: Path, gateway: Path) -> str:
    """The page with what each example really comes to."""
    outputs = iter([output_of(each, gateway) for each in shown_on(page)])

    def replaced(match: re.Match[str]) -> str:
        whole, start = match[0], match.start()
        begin, end = match.start("output") - start, match.end("output") - start
        return f"{whole[:begin]}{next(outputs)}{whole[end:]}"

    return _SHOWN.sub(replaced, page.read_text(encoding="utf-8"))


def make_gateway(directory: Path) -> Path:
    """The directory in which the examples are looked at."""
    (directory / "pipelines").mkdir(parents=True)
    (directory / "config.yaml").write_text(
        'data_dir: data\nhttp: {listen: "127.0.0.1:0"}\nplugins: {legacy: {enabled: false}}\n'
    )
    for name, emitted in _PLUGINS.items():
        values = {} if emitted is None else {"values": {"emit": [{"event": e} for e in emitted]}}
        folder = directory / "plugins" / name
        folder.mkdir(parents=True)
        manifest = {
            **{"manifest_spec": "ductile.plugin", "manifest_version": 1, "protocol": 2},
            **{"name": name, "version": "1.0.0", "entrypoint": "run"},
            "commands": [{"name": "handle", "type": "write", **values}],
        }
        (folder / "manifest.yaml").write_text(json.dumps(manifest))
        (folder / "run").write_text('#!/bin/sh\necho \'{"status": "ok"}\'\n')
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o755)
    return directory


def output_of(example: Shown, gateway: Path) -> str:
    """What an example comes to: what a check says of the file, or the error of the job."""
    shutil.rmtree(gateway / "pipelines")
    (gateway / "pipelines").mkdir()
    with chdir(gateway):
        if example.language == "sh":
            return "".join(map(_command, example.text.splitlines()))
        Path(_FILE).write_text(example.text)
        payload = _PAYLOAD.match(example.text)
        return _error(payload[1]) if payload else _command(f"ductile pipeline check {_FILE}")


def _command(line: str) -> str:
    words = shlex.split(line)
    if words[0] != "ductile":
        # What it prints is written into files.
        subprocess.run(["sh", "-c", line], check=True)
        return ""
    ended = ductile("--config", ".", *words[1:])
    return ended.output + ended.errors


def _error(payload: str) -> str:
    """The error of the only job that fails when the first pipeline of the file is run."""
    name = re.findall(r"name: ([\w-]+)", Path(_FILE).read_text())[0]
    ended = ductile("--config", ".", "pipeline", "run", name, "--payload", payload)
    assert ended.code == 1, ended.text
    [job] = json.loads(ductile("--config", ".", "job", "list", "--json").output)["jobs"][:1]
    return f"{job['last_error']}\n"
