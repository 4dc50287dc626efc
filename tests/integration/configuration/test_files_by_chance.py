"""Whatever the files of a configuration hold, it is taken, or all that is wrong is said at once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ductile.documents.render import render, to_json
from ductile.errors import ConfigurationError
from ductile.gateway.configuration import read_configuration
from ductile.model.json import encode

ENVIRONMENT: Final = {"HOME": "/home/ada", "TOKEN": "0123456789abcdef"}
FILES: Final = {
    "config.yaml": """\
service: {name: home, max_workers: 4, log_level: info, lease: 60s, watch: false}
state: {url: "sqlite:///ductile.db"}
data_dir: data
workspace: {root: ws, ttl: 24h, janitor_interval: 10m}
http: {listen: "127.0.0.1:0", tokens: ["${TOKEN}"]}
plugin_roots: [plugins]
plugins:
  echo:
    enabled: true
    config: {base_url: x, deep: {a: [1, 2.5, null]}}
    env: [LANG]
    timeouts: {handle: 30s}
    retry: {max_attempts: 4, backoff_base: 30s}
    parallelism: 2
    max_stdout: 1MiB
webhooks:
  endpoints:
    - name: hook
      event: go
      signature: {scheme: hmac-sha256, header: X-Sig, secret: "a secret of a sender"}
      max_body: 1MiB
      respond: {status: 200, body: {type: 5}}
""",
    "plugins/echo/manifest.yaml": """\
manifest_spec: ductile.plugin
manifest_version: 1
name: echo
version: 1.0.0
protocol: 2
entrypoint: run
description: says it again
concurrency_safe: false
commands:
  - name: handle
    type: write
    description: does it
    input_schema: {type: object, properties: {a: {type: string}}}
  - {name: poll, type: read}
config_keys: {required: [], optional: [base_url, deep]}
""",
    "pipelines/all.yaml": """\
pipelines:
  - name: all
    on: [go, come]
    if: {path: payload.a, op: exists}
    timeout: 5m
    steps:
      - {id: first, uses: echo, with: {a: "{payload.a}"}, retry: {max_attempts: 2}}
      - split:
          - {uses: echo.poll, workspace: empty}
          - steps: [{id: x, uses: echo}, {id: y, uses: echo, timeout: 3s}]
      - {id: last, call: small}
    on_failure: [{id: sorry, uses: echo}]
    finally: [{id: end, uses: echo}]
  - name: small
    on: little
    steps: [{uses: echo}]
""",
}
#: What takes the place of a value, or stands beside it.
ODD: Final = (
    "",
    "~",
    "[]",
    "{}",
    "[[]]",
    "{a: {}}",
    "0",
    "-1",
    "1e308",
    "1e999",
    ".nan",
    "9" * 5000,
    "0x10",
    "0o17",
    "true",
    "'0'",
    '"\\0"',
    '"\\ud800"',
    '"\\U0010ffff"',
    '"${"',
    '"${NO}"',
    '"{payload."',
    '"{}"',
    "é" * 300,
    "../../etc",
    "/",
    "&a [1]",
    "*a",
    "<<: {a: 1}",
    "!!binary aGk=",
    "!!python/object:os.system x",
    "!x y",
    "[" * 100,
    "{a: " * 200,
    "\ttab",
    "\ufeff",
    "\x1b[31m",
    "- - - - a",
    "? x",
    "| text",
    "--- a",
    "999999999999d",
    "99999999999999999999GiB",
    "*" * 80,
    "a.b.c.d",
    "sqlite:////dev/null",
    "[::1",
    "256.256.256.256:99999",
)
#: Anchors of anchors: three gigabytes if somebody wrote it out.
BOMB: Final = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
)


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for file, text in FILES.items():
            (directory / file).parent.mkdir(parents=True, exist_ok=True)
            (directory / file).write_text(text)
        program = directory / "plugins/echo/run"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        yield directory


def check(directory: Path, file: str, data: bytes) -> bool:
    """Read a configuration with one file changed; whether it was taken."""
    path, before = directory / file, FILES[file]
    path.write_bytes(data)
    text = ""
    try:
        configuration = read_configuration(directory, ENVIRONMENT)
        encode(to_json(configuration.problems))
        for problem in configuration.problems:
            assert problem.message
            assert "\n" not in problem.message
            assert "Error" not in problem.message, problem
            assert problem.place is None or problem.place.line >= 1
        text = render(configuration.problems)
        assert len(text) < 200_000
        configuration.parts()
    except ConfigurationError:
        assert text.strip()
        return False
    finally:
        path.write_text(before)
    return True


def test_the_files_are_right_as_they_are(directory: Path) -> None:
    assert all(check(directory, file, text.encode()) for file, text in FILES.items())


@pytest.mark.parametrize("file", FILES)
def test_a_bomb_of_aliases_is_refused_at_once(directory: Path, file: str) -> None:
    assert not check(directory, file, f"{FILES[file]}\n{BOMB}\n".encode())


files = st.sampled_from(sorted(FILES))


@st.composite
def changed(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file in which some values, lines or bytes are others."""
    file = draw(files)
    text = FILES[file]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.sampled_from([n for n, each in enumerate(text) if each in ":,[{\n"] or [0]))
        ends = [n for n in range(at + 1, len(text)) if text[n] in ",]}\n"]
        end = draw(st.sampled_from([at + 1, *ends[:2]]))
        text = f"{text[: at + 1]} {draw(st.sampled_from(ODD))}{text[end:]}"
    data = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 4)) == 4:
        place = draw(st.integers(0, len(data)))
        data = data[:place] + draw(st.binary(max_size=3)) + data[place + draw(st.integers(0, 3)) :]
    return file, data


assert settings.default is not None


@settings(max_examples=settings.default.max_examples * 3)
@given(changed())
def test_no_file_is_a_mistake_of_the_program(directory: Path, case: tuple[str, bytes]) -> None:
    check(directory, *case)


@given(files, st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode()))
def test_no_bytes_are_a_mistake_of_the_program(directory: Path, file: str, data: bytes) -> None:
    check(directory, file, data)
