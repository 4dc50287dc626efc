"""The API of a real gateway: runs that are waited for, behind a token."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Answer, request
from tests.support.line import STEPS, Line
from tests.support.process import GatewayProcess, run

TOKEN = "0123456789abcdef0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    line = Line(tmp_path_factory.mktemp("api"))
    line.site.config["http"] = {"listen": "127.0.0.1:0", "tokens": [TOKEN]}
    line.site.plugin(
        "mishap", """cat >/dev/null; echo '{"status":"error","error":"no luck","retry":false}'"""
    )
    line.site.pipeline("- name: mishap\n  on: mishap.begun\n  steps:\n    - uses: mishap", "m.yaml")
    return line


@pytest.fixture(scope="module")
def process(line: Line) -> Iterator[GatewayProcess]:
    with line.running() as process:
        yield process


def start(process: GatewayProcess, pipeline: str, query: str = "", payload: Any = None) -> Answer:
    headers = {**BEARER, "Content-Type": "application/json"}
    body = json.dumps(payload or {}).encode()
    path = f"/api/v1/pipelines/{pipeline}/runs{query}"
    return request(process.address, "POST", path, body, headers)


def ask(process: GatewayProcess, path: str) -> Any:
    return request(process.address, "GET", f"/api/v1{path}", headers=BEARER).json


def test_a_run_is_returned_when_it_has_ended(process: GatewayProcess) -> None:
    answer = start(process, "line", "?wait=30s", {"channel_id": "C1"})

    assert answer.status == 200
    assert answer.json["run"]["status"] == "succeeded"
    assert answer.json["context"]["channel_id"] == "C1"
    assert [each["status"] for each in answer.json["results"]] == ["succeeded"] * 5
    assert [each["step"] for each in answer.json["results"]] == list(STEPS)


def test_a_run_that_failed_makes_curl_fail(process: GatewayProcess) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl on this machine")
    host, port = process.address
    url = f"http://{host}:{port}/api/v1/pipelines/mishap/runs?wait=30s"
    done = subprocess.run(
        [
            curl,
            "-sS",
            "--fail-with-body",
            "-X",
            "POST",
            "-H",
            f"Authorization: Bearer {TOKEN}",
            url,
        ],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 22, done.stderr
    answer = json.loads(done.stdout)
    assert answer["status"] == "failed"
    assert "no luck" in answer["error"]


def test_a_run_that_takes_longer_goes_on_and_is_told_of_later(
    line: Line, process: GatewayProcess
) -> None:
    answer = start(process, "block", "?wait=1ms")
    line.blocker.reached()

    assert (answer.status, answer.json["status"]) == (202, "running")
    line.blocker.let_through()
    [run_id] = answer.json["run_ids"]
    process.wait_for(f"run settled.*{run_id}")
    assert ask(process, f"/runs/{run_id}")["status"] == "succeeded"


def test_the_chain_of_a_job_is_told(process: GatewayProcess) -> None:
    results = start(process, "line", "?wait=30s").json["results"]

    chain = ask(process, f"/jobs/{results[-1]['job_id']}/chain")

    assert [each["id"] for each in chain["jobs"]] == [each["job_id"] for each in results]


def test_the_token_is_in_no_log_and_no_table(line: Line, process: GatewayProcess) -> None:
    refused = request(process.address, "GET", "/api/v1/jobs", headers={"Authorization": "Bearer x"})
    start(process, "line", "?wait=30s")

    assert refused.status == 401
    assert not [each for each in process.lines if TOKEN in each]
    assert TOKEN.encode() not in line.database.read_bytes()


def test_a_gateway_that_stops_does_not_wait_for_those_who_do(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.site.config["service"] = {"shutdown_grace": "100ms"}
    with line.running() as process, ThreadPoolExecutor(1) as client:
        path = "/api/v1/pipelines/block/runs?wait=5m"
        pending = client.submit(request, process.address, "POST", path)
        line.blocker.reached()
        process.stop()
        answer = pending.result()

    assert (answer.status, answer.json["status"]) == (202, "running")


def test_it_refuses_to_listen_to_the_network_without_a_token(tmp_path: Path) -> None:
    line = Line(tmp_path)
    line.site.config["http"] = {"listen": "0.0.0.0:0"}

    ended = run("--config", str(line.site.write()), "serve")

    assert ended.code == 3
    assert '"0.0.0.0:0" is open to the network, and the API asks for no token' in ended.errors
    assert re.search(r"config\.yaml:\d+:\d+", ended.errors)
