"""`POST /api/v1/pipelines/NAME/runs`: runs that are started, and waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ductile.errors import Refused, StorageError
from ductile.http.api.waiting import Waits
from ductile.http.interfaces import Receive, Scope, Send
from ductile.model.ids import RunId, new_id
from ductile.storage.sqlite.store import open_store
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import GatewayStopping, PartFailed
from tests.integration.http.api import ApiHouse
from tests.integration.http.client import PATIENCE, Client, head
from tests.integration.http.doubles import HandClock, Stage

RUNS = "/pipelines/greet/runs"


@pytest.fixture
def api(stage_and_client: tuple[Stage, Client], tmp_path: Path) -> Iterator[ApiHouse]:
    store = open_store(tmp_path / "ductile.db", HandClock())
    house = ApiHouse(*stage_and_client, store, tmp_path, tokens=())
    yield house
    house.telemetry.emit(GatewayStopping(running=0))
    store.close()


def test_without_a_wait_the_ids_come_after_the_commit(api: ApiHouse) -> None:
    answer = api.post(RUNS, {"who": "ada"})

    [started] = api.intake.started
    assert answer.status == 202
    assert answer.json == {
        "event_id": started.run.event_id,
        "run_ids": [started.run.id],
        "job_ids": [started.job.id],
    }


def test_the_body_is_the_payload(api: ApiHouse) -> None:
    api.post(RUNS, {"who": "ada"})

    [trigger] = api.intake.triggers
    assert (trigger.payload, trigger.pipeline, trigger.source) == ({"who": "ada"}, "greet", "api")


def test_without_a_body_the_payload_is_empty(api: ApiHouse) -> None:
    api.post(RUNS)

    assert api.intake.triggers[0].payload == {}


def test_a_wait_returns_the_run_with_its_last_context_and_results(api: ApiHouse) -> None:
    pending = api.begin(f"{RUNS}?wait=30s", {"who": "ada"})
    [started] = api.intake.started
    api.end(started, greeting="hello ada")

    answer = pending.result(PATIENCE)
    assert answer.status == 200
    assert answer.json["run"]["id"] == started.run.id
    assert {key: answer.json[key] for key in ("status", "context", "results")} == {
        "status": "succeeded",
        "context": {"who": "ada", "greeting": "hello ada"},
        "results": [
            {
                "step": "say",
                "job_id": started.job.id,
                "status": "succeeded",
                "result": "said",
                "error": None,
            }
        ],
    }


def test_a_run_that_failed_answers_as_failed_and_says_why(api: ApiHouse) -> None:
    pending = api.begin(f"{RUNS}?wait=30s", {})
    api.end(api.intake.started[0], error="no voice")

    answer = pending.result(PATIENCE)
    assert answer.status == 424
    assert answer.json["error"] == "the run of greet ended as failed: no voice"
    assert answer.json["results"][0]["error"] == "no voice"


def test_a_run_that_ends_before_its_commit_is_known_is_not_missed(api: ApiHouse) -> None:
    api.intake.at_once = api.end

    assert api.post(f"{RUNS}?wait=5m", {}).status == 200


def test_a_run_that_ended_with_its_commit_needs_no_signal(api: ApiHouse) -> None:
    api.intake.at_once = api.end_silently

    assert api.post(f"{RUNS}?wait=5m", {}).status == 200


def test_after_the_time_it_answers_202_with_the_ids(api: ApiHouse) -> None:
    answer = api.post(f"{RUNS}?wait=1ms", {})

    [started] = api.intake.started
    assert answer.status == 202
    assert answer.json["status"] == "running"
    assert answer.json["run_ids"] == [started.run.id]


def test_the_end_of_another_run_wakes_nobody(api: ApiHouse) -> None:
    first, second = api.begin(f"{RUNS}?wait=30s"), api.begin(f"{RUNS}?wait=30s")
    one, two = api.intake.started
    api.end(one)

    assert first.result(PATIENCE).json["run"]["id"] == one.run.id
    assert not second.done()
    api.end(two)
    assert second.result(PATIENCE).json["run"]["id"] == two.run.id


def test_a_pipeline_whose_condition_does_not_hold_has_no_run_to_wait_for(api: ApiHouse) -> None:
    api.intake.starts_runs = False

    answer = api.post(f"{RUNS}?wait=30s", {})

    assert answer.status == 200
    assert (answer.json["status"], answer.json["run"]) == ("skipped", None)


def test_a_gateway_that_stops_lets_those_who_wait_go(api: ApiHouse) -> None:
    pending = api.begin(f"{RUNS}?wait=5m")
    api.telemetry.emit(GatewayStopping(running=1))

    assert pending.result(PATIENCE).json["status"] == "running"


def test_a_gateway_that_stops_lets_nobody_begin_to_wait(api: ApiHouse) -> None:
    api.telemetry.emit(GatewayStopping(running=1))

    assert api.post(f"{RUNS}?wait=5m").json["status"] == "running"


def test_a_client_that_goes_away_ends_its_wait(
    stage_and_client: tuple[Stage, Client],
) -> None:
    stage, client = stage_and_client
    begun, left = threading.Event(), threading.Event()
    waits = Waits(Telemetry())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        with waits.watch() as watch:
            begun.set()
            await watch.wait(RunId(new_id()), timedelta(minutes=5), receive)
        left.set()

    stage.app = app
    with client.connect() as connection:
        connection.sendall(head("POST", "/api/v1/pipelines/greet/runs"))
        assert begun.wait(PATIENCE)

    assert left.wait(PATIENCE)


def test_a_client_that_went_away_did_not_end_the_run(api: ApiHouse) -> None:
    with api.client.connect() as connection:
        line = head("POST", f"/api/v1{RUNS}?wait=5m").replace(b"Host: test", b"Host: localhost")
        connection.sendall(line)
        assert api.intake.arrivals.acquire(timeout=PATIENCE)

    assert api.get(f"/runs/{api.intake.started[0].run.id}").json["status"] == "running"


def test_an_unknown_pipeline_is_not_found_and_the_right_name_suggested(api: ApiHouse) -> None:
    answer = api.post("/pipelines/gret/runs", {})

    assert answer.status == 404
    assert answer.json == {"error": 'no pipeline named "gret"; did you mean "greet"?'}


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (
            "wait=soon",
            'parameter "wait": "soon" is not a duration; write a number and a unit: 30s, 5m, 2h',
        ),
        (
            "wait=6m",
            'parameter "wait": a wait of 6m is too long; write 5m or less, and ask '
            "GET /api/v1/runs/ID later",
        ),
        ("wiat=30s", 'unknown parameter "wiat"'),
    ],
)
def test_a_wrong_parameter_is_explained(api: ApiHouse, query: str, error: str) -> None:
    answer = api.post(f"{RUNS}?{query}", {})

    assert (answer.status, answer.json) == (400, {"error": error})
    assert not api.intake.triggers


@pytest.mark.parametrize("payload", [[], "text", 3, True])
def test_a_payload_that_is_no_object_is_refused(api: ApiHouse, payload: object) -> None:
    answer = api.post(RUNS, payload)

    assert answer.status == 400
    assert answer.json["error"].startswith("expected an object as payload, found ")


def test_what_a_rule_forbids_is_not_accepted(api: ApiHouse) -> None:
    api.intake.failure = Refused("too much baggage")

    answer = api.post(RUNS, {})

    assert answer.status == 422
    assert answer.json == {"error": "the event was not accepted: too much baggage"}


def test_a_database_that_cannot_keep_it_says_try_later_and_nothing_of_itself(
    api: ApiHouse,
) -> None:
    api.intake.failure = StorageError("/secret/place is full")

    answer = api.post(f"{RUNS}?wait=30s", {})

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert "secret" not in answer.json["error"]


def test_what_nobody_expected_tells_nothing_of_the_inside(api: ApiHouse) -> None:
    api.intake.failure = ZeroDivisionError("inner workings")

    answer = api.post(RUNS, {})

    assert answer.status == 500
    assert answer.json == {"error": "something went wrong inside the gateway"}


def test_what_nobody_expected_is_told_to_the_operator(api: ApiHouse) -> None:
    api.intake.failure = ZeroDivisionError("inner workings")

    api.post(RUNS, {})

    assert "ZeroDivisionError: inner workings" in api.signals.wait_for(PartFailed).error


def test_an_event_that_could_not_be_kept_is_told_to_the_operator(api: ApiHouse) -> None:
    api.intake.failure = StorageError("the disk is full")

    api.post(RUNS, {})

    assert "the disk is full" in api.signals.wait_for(PartFailed).error


def test_a_run_with_a_dedupe_key_is_asked_for_with_it(api: ApiHouse) -> None:
    assert api.post(f"{RUNS}?dedupe_key=k", {}).status == 202
    assert [each.dedupe_key for each in api.intake.triggers] == ["k"]


def test_a_repeated_run_is_answered_with_the_ids_of_the_first(api: ApiHouse) -> None:
    first = api.post(f"{RUNS}?dedupe_key=k", {})
    api.intake.repeats = True
    second = api.post(f"{RUNS}?dedupe_key=k", {})

    assert second.status == 202
    assert second.json == {**first.json, "duplicate_of": first.json["event_id"]}


def test_a_repeat_that_waits_is_answered_when_the_first_run_has_ended(api: ApiHouse) -> None:
    first = api.post(f"{RUNS}?dedupe_key=k", {})
    api.intake.repeats = True
    pending = api.begin(f"{RUNS}?dedupe_key=k&wait=30s", {})
    api.end(api.intake.started[0])

    answer = pending.result(PATIENCE)
    assert (answer.status, answer.json["status"]) == (200, "succeeded")
    assert answer.json["duplicate_of"] == answer.json["event_id"] == first.json["event_id"]


def test_an_empty_dedupe_key_is_refused(api: ApiHouse) -> None:
    answer = api.post(f"{RUNS}?dedupe_key=", {})

    assert answer.status == 400
    assert 'parameter "dedupe_key"' in answer.json["error"]
    assert api.intake.triggers == []
