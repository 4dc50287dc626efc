"""What the API tells, and how it takes events."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ductile.storage.sqlite.store import open_store
from tests.integration.http.api import ApiHouse
from tests.integration.http.client import Client
from tests.integration.http.doubles import HandClock, Stage


@pytest.fixture
def api(stage_and_client: tuple[Stage, Client], tmp_path: Path) -> Iterator[ApiHouse]:
    store = open_store(tmp_path / "ductile.db", HandClock())
    yield ApiHouse(*stage_and_client, store, tmp_path, tokens=())
    store.close()


def begun(api: ApiHouse, count: int) -> list[Any]:
    """So many runs, of one job each, the newest first."""
    for _ in range(count):
        api.post("/pipelines/greet/runs")
    return api.intake.started[::-1]


def test_an_event_is_handed_in(api: ApiHouse) -> None:
    answer = api.post("/events", {"type": "a.b", "payload": {"x": 1}, "dedupe_key": "k"})

    [trigger] = api.intake.triggers
    assert answer.status == 202
    assert answer.json["event_id"] == api.intake.started[0].run.event_id
    assert (trigger.type, trigger.payload, trigger.dedupe_key, trigger.source) == (
        "a.b",
        {"x": 1},
        "k",
        "api",
    )


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({}, 'missing key "type"'),
        ({"type": "a", "payloda": {}}, 'unknown key "payloda"'),
        ({"type": 3}, 'key "type": input should be a valid string'),
        ({"type": "a", "payload": []}, 'key "payload": input should be a valid dictionary'),
        (
            {"type": "ductile.step.succeeded"},
            'key "type": event types that begin with "ductile." are the core\'s, found '
            '"ductile.step.succeeded"; choose another one',
        ),
        ([], "input should be a valid dictionary or instance of EventBody"),
        (
            {"dedupe_key": ""},
            'missing key "type"; key "dedupe_key": string should have at least 1 character',
        ),
    ],
)
def test_an_event_that_cannot_be_is_explained(api: ApiHouse, event: Any, error: str) -> None:
    answer = api.post("/events", event)

    assert (answer.status, answer.json) == (400, {"error": error})


@pytest.mark.parametrize("body", [b"", b"{", b'{"type": NaN}', b'{"type": "\\ud800"}', b"\xff"])
def test_a_body_that_is_not_json_is_refused(api: ApiHouse, body: bytes) -> None:
    answer = api.client.request(
        "POST", "/api/v1/events", body, {"Content-Type": "application/json"}
    )

    assert answer.status == 400
    assert answer.json["error"].startswith("expected a body of one JSON document")


@pytest.mark.parametrize("kind", ["jobs", "runs"])
def test_pages_follow_each_other_without_gap_or_overlap(api: ApiHouse, kind: str) -> None:
    expected = [getattr(each, kind[:-1]).id for each in begun(api, 5)]
    found: list[str] = []
    query = "limit=2"
    while query:
        page = api.get(f"/{kind}?{query}").json
        found += [each["id"] for each in page[kind]]
        query = page["next"] and f"limit=2&before={page['next']}"

    assert found == expected


def test_the_last_page_that_is_full_says_that_nothing_follows(api: ApiHouse) -> None:
    begun(api, 2)

    assert api.get("/jobs?limit=2").json["next"] is None


def test_jobs_and_runs_are_filtered(api: ApiHouse) -> None:
    _, older = begun(api, 2)
    api.end(older)

    assert [each["id"] for each in api.get("/jobs?status=succeeded").json["jobs"]] == [older.job.id]
    assert [each["id"] for each in api.get("/runs?status=succeeded").json["runs"]] == [older.run.id]
    assert api.get("/jobs?plugin=other").json["jobs"] == []
    assert api.get("/runs?pipeline=other").json["runs"] == []


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("limit=201", 'parameter "limit": input should be less than or equal to 200'),
        ("limit=0", 'parameter "limit": input should be greater than or equal to 1'),
        ("before=x", 'parameter "before": "x" is no id; write the "next" of the page before'),
        ("staus=failed", 'unknown parameter "staus"'),
    ],
)
def test_a_wrong_question_is_explained(api: ApiHouse, query: str, error: str) -> None:
    answer = api.get(f"/jobs?{query}")

    assert (answer.status, answer.json) == (400, {"error": error})


def test_one_job_one_run_and_one_chain_are_told(api: ApiHouse) -> None:
    [started] = begun(api, 1)

    assert api.get(f"/jobs/{started.job.id}").json["plugin"] == "echo"
    assert api.get(f"/runs/{started.run.id}").json["pipeline_name"] == "greet"
    chain = api.get(f"/jobs/{started.job.id}/chain").json
    assert [each["id"] for each in chain["jobs"]] == [started.job.id]


@pytest.mark.parametrize("path", ["/jobs/none", "/jobs/none/chain", "/runs/none", "/runs/%2e%2e"])
def test_what_there_is_none_of_is_not_found(api: ApiHouse, path: str) -> None:
    answer = api.get(path)

    assert answer.status == 404
    assert "has the id" in answer.json["error"]


def test_pipelines_and_plugins_are_listed(api: ApiHouse) -> None:
    [pipeline] = api.get("/pipelines").json["pipelines"]
    plugins = {each["name"]: each for each in api.get("/plugins").json["plugins"]}

    assert (pipeline["name"], pipeline["on"]) == ("greet", ["greeting.asked"])
    assert pipeline["steps"] == [{"id": "say", "plugin": "echo", "command": "handle"}]
    assert (plugins["echo"]["enabled"], plugins["fail"]["enabled"]) == (True, False)
    assert "directory" not in plugins["echo"]


def test_the_description_of_the_api_names_every_route(api: ApiHouse) -> None:
    paths = api.get("/openapi.json").json["paths"]

    assert sorted(path.removeprefix("/api/v1") for path in paths) == [
        "/events",
        "/jobs",
        "/jobs/{job_id}",
        "/jobs/{job_id}/chain",
        "/pipelines",
        "/pipelines/{name}/runs",
        "/plugins",
        "/runs",
        "/runs/{run_id}",
    ]


def test_the_description_of_the_api_asks_for_a_token_and_tells_of_our_errors_only(
    api: ApiHouse,
) -> None:
    for verbs in api.get("/openapi.json").json["paths"].values():
        for operation in verbs.values():
            assert operation["security"] == [{"HTTPBearer": []}]
            assert "422" not in operation["responses"]


@pytest.mark.parametrize("heavy", ["fastapi", "starlette", "cryptography"])
def test_what_only_some_need_is_not_loaded_before_it_is_asked_for(heavy: str) -> None:
    program = (
        "import sys, ductile.cli.main, ductile.cli.serve, ductile.http.app\n"
        f"sys.exit({heavy!r} in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_an_address_that_there_is_none_of_is_answered_in_json(api: ApiHouse) -> None:
    answer = api.get("/nowhere")

    assert answer.status == 404
    assert answer.json["error"].startswith("there is nothing here")


def test_a_method_that_is_not_possible_is_answered_in_json(api: ApiHouse) -> None:
    answer = api.post("/jobs")

    assert (answer.status, answer.headers["allow"]) == (405, "GET")
    assert answer.json == {"error": "POST is not possible here"}
