"""Whatever is asked of the API, it answers in JSON, and never with a mistake of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ductile.model.ids import new_id
from ductile.model.json import MAX_NESTING
from ductile.storage.sqlite.store import open_store
from tests.integration.http.api import ApiHouse, all_routes
from tests.integration.http.client import Answer, Client, head, receive_answer
from tests.integration.http.doubles import HandClock, Stage
from tests.integration.http.fuzzing import EXPECTED, no_complaint

#: What has made a path, or a statement, of an id elsewhere.
NASTY = (
    "'",
    "' OR '1'='1",
    '"; DROP TABLE job_queue; --',
    "1) UNION SELECT payload FROM event --",
    "%",
    "..",
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "\0",
    "\r\nSet-Cookie: a=b",
    "\ufeff",
    "\u202e",
    "{job_id}",
    "${HOME}",
    "-1",
    "9" * 400,
    "é" * 300,
    "configs",
    "null",
    "",
)


@pytest.fixture
def api(stage_and_client: tuple[Stage, Client], tmp_path: Path) -> Iterator[ApiHouse]:
    store = open_store(tmp_path / "ductile.db", HandClock())
    yield ApiHouse(*stage_and_client, store, tmp_path, tokens=())
    store.close()


def ask(api: ApiHouse, method: str, target: bytes, body: bytes = b"") -> Answer:
    """A request whose target no client would send."""
    lines = ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
    request = head(method, "TARGET", *lines).replace(b"TARGET", target)
    with api.client.connect() as connection:
        connection.sendall(request.replace(b"Host: test", b"Host: localhost") + body)
        return receive_answer(connection, method)


def check(answer: Answer) -> None:
    assert answer.status in EXPECTED, (answer.status, answer.body)
    assert "set-cookie" not in answer.headers
    if answer.body:
        told = json.loads(answer.body)
        assert answer.status < 400 or told["error"]


def test_no_id_and_no_parameter_becomes_a_path_or_a_statement(api: ApiHouse) -> None:
    api.post("/pipelines/greet/runs")
    before = api.get("/jobs").json, api.get("/runs").json
    with no_complaint(api.signals.heard):
        for method, path in sorted(all_routes(api.parts)):
            for value in NASTY:
                filled = path
                for name in ("job_id", "run_id", "name"):
                    filled = filled.replace(f"{{{name}}}", quote(value, safe=""))
                if filled != path:
                    answer = ask(api, method, filled.encode(), b"{}" if method == "POST" else b"")
                    check(answer)
                    assert answer.status in (400, 404, 405)
        for path in ("/api/v1/jobs", "/api/v1/runs"):
            for name in ("status", "plugin", "pipeline", "before", "limit", "wait", "x"):
                for value in NASTY:
                    target = f"{path}?{quote(name, safe='')}={quote(value, safe='')}"
                    answer = ask(api, "GET", target.encode())
                    check(answer)
                    assert answer.status == 400 or not answer.json[path[8:]]
    assert (api.get("/jobs").json, api.get("/runs").json) == before


def test_where_a_slash_is_encoded_it_is_no_slash(api: ApiHouse) -> None:
    api.post("/pipelines/greet/runs")
    job = api.intake.started[0].job.id
    assert ask(api, "GET", f"/api/v1/jobs/{job}".encode()).status == 200
    for spelling in (
        f"/api/v1/jobs%2f{job}",
        f"/api/v1%2fjobs/{job}",
        f"/api%2fv1/jobs/{job}",
        f"/api/v1/jobs/x%2f..%2f{job}",
        f"/api/v1/jobs/./{job}",
        f"/api/v1/runs/../jobs/{job}",
        f"/api/v1//jobs/{job}",
        f"/api/v1/jobs/{job}/",
        f"/API/v1/jobs/{job}",
    ):
        assert ask(api, "GET", spelling.encode()).status == 404, spelling


texts = st.text(max_size=20) | st.sampled_from(NASTY)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)
bodies = (
    st.fixed_dictionaries(
        {}, optional={"type": json_values, "payload": json_values, "dedupe_key": json_values}
    ).map(lambda value: json.dumps(value).encode())
    | json_values.map(
        lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    )
    | st.binary(max_size=30)
    | st.sampled_from(
        [
            b"NaN",
            b'{"type":"a","type":"b"}',
            b'\xef\xbb\xbf{"type":"a"}',
            b'{"type":"\\ud800"}',
            b'{"type":"a"}{}',
            b'{"type":"a","payload":{"n":1e999}}',
            b'{"type":"a","payload":{"n":' + b"9" * 5000 + b"}}",
            b"[" * 100_000,
            b'{"type":"a","payload":{"a":' + b"[" * 500 + b"]" * 500 + b"}}",
        ]
    )
)
targets = st.sampled_from(
    [
        "/events",
        "/pipelines/greet/runs",
        "/pipelines/greet/runs?wait=1ms",
        "/jobs",
        f"/jobs/{new_id()}/chain",
        f"/runs/{new_id()}",
        "/plugins",
        "/openapi.json",
    ]
)
queries = st.lists(
    st.tuples(st.sampled_from(["wait", "limit", "status", "before", "plugin", "x"]), texts),
    max_size=3,
).map(lambda pairs: "&".join(f"{name}={quote(value)}" for name, value in pairs))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST", "POST", "PUT", "DELETE", "OPTIONS"]),
    target=targets,
    query=queries,
    body=bodies,
)
def test_no_request_is_answered_with_a_mistake_of_the_program(
    api: ApiHouse, method: str, target: str, query: str, body: bytes
) -> None:
    mark = "&" if "?" in target else "?"
    with no_complaint(api.signals.heard):
        check(ask(api, method, f"/api/v1{target}{mark}{query}".encode(), body))


@given(tail=st.binary(max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_target_is_answered_with_a_mistake_of_the_program(api: ApiHouse, tail: bytes) -> None:
    visible = bytes(each if each > 32 and each != 127 else 37 for each in tail)
    with no_complaint(api.signals.heard):
        check(ask(api, "GET", b"/api/v1/" + visible))


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels - 1):
        value = [value]
    return {"a": value}


def test_what_is_accepted_can_be_told_however_deep_it_is_nested(api: ApiHouse) -> None:
    answer = api.post("/events", {"type": "greeting.asked", "payload": nested(MAX_NESTING)})
    assert answer.status == 202
    [job] = answer.json["job_ids"]
    assert api.get(f"/jobs/{job}/chain").status == 200


def test_what_is_nested_deeper_is_not_accepted(api: ApiHouse) -> None:
    answer = api.post("/events", {"type": "greeting.asked", "payload": nested(MAX_NESTING + 1)})
    assert answer.status == 422
    assert "may be nested 200 levels deep" in answer.json["error"]
