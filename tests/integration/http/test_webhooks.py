"""Signed webhooks over real sockets: what is accepted, what is refused, and in which order."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPConnection

import pytest

from ductile.dispatch.interfaces import Trigger
from ductile.errors import ConfigurationError, NotFound, Refused, StorageError
from ductile.http.webhooks.app import WebhookDoor
from ductile.http.webhooks.endpoint import Respond
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import PartFailed, WebhookRefused
from tests.integration.http.client import Client, head, read_answer, receive_answer, sign
from tests.integration.http.conftest import HOOK, House

BODY = b'{"channel_id": "7", "n": [1, 2.5, null]}'


def test_an_accepted_webhook_is_answered_with_its_ids(house: House, client: Client) -> None:
    answer = client.post("/webhooks/hook", BODY)
    accepted = house.intake.acceptance
    assert (answer.status, answer.json) == (
        202,
        {
            "event_id": accepted.event_id,
            "job_ids": list(accepted.job_ids),
            "run_ids": list(accepted.run_ids),
        },
    )


def test_the_ids_are_in_headers_as_well(house: House, client: Client) -> None:
    headers = client.post("/webhooks/hook", BODY).headers
    accepted = house.intake.acceptance
    assert headers["x-ductile-event-id"] == accepted.event_id
    assert headers["x-ductile-job-ids"] == ",".join(accepted.job_ids)
    assert headers["x-ductile-run-ids"] == ",".join(accepted.run_ids)


def test_the_trigger_carries_the_parsed_body(house: House, client: Client) -> None:
    client.post("/webhooks/hook", BODY)
    (trigger,) = house.intake.triggers
    expected = Trigger(type="test.event", payload=json.loads(BODY), source="hook")
    assert replace(trigger, delivery=None) == expected


@pytest.mark.parametrize("body", [b"[1]", b"null", b'"text"', b"1.5", b"false"])
def test_json_that_is_no_object_is_accepted(house: House, client: Client, body: bytes) -> None:
    client.post("/webhooks/hook", body)
    assert [trigger.payload for trigger in house.intake.triggers] == [json.loads(body)]


def test_an_endpoint_may_start_with_a_plugin(house: House, client: Client) -> None:
    house.open([replace(HOOK, event=None, plugin="echo")])
    client.post("/webhooks/hook", BODY)
    assert [trigger.plugin for trigger in house.intake.triggers] == ["echo"]


def test_a_query_does_not_matter(client: Client) -> None:
    assert client.post("/webhooks/hook?a=b", BODY).status == 202


def test_the_answer_is_sent_after_the_commit(house: House, client: Client) -> None:
    house.intake.held = True
    with client.connect() as connection:
        headers = [f"{k}: {v}" for k, v in sign(BODY).items()]
        request = head("POST", "/webhooks/hook", f"Content-Length: {len(BODY)}", *headers)
        connection.sendall(request + BODY)
        commit = house.intake.commits.get(timeout=20)
        # Another request comes and goes meanwhile, so the server had every chance to answer.
        assert client.request("GET", "/healthz").status == 200
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1)
        connection.settimeout(20)
        commit.set_result(house.intake.acceptance)
        assert receive_answer(connection).status == 202


@pytest.mark.parametrize("held", [False, True], ids=["at once", "at the commit"])
def test_what_the_database_cannot_keep_is_a_503(house: House, client: Client, held: bool) -> None:
    failure = StorageError("the disk is full: /var/lib/secret.db")
    house.intake.held = True
    if not held:
        house.intake.refusal = failure
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(client.post, "/webhooks/hook", BODY)
        if held:
            house.intake.commits.get(timeout=20).set_exception(failure)
        answer = pending.result()
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "was not accepted" in answer.json["error"]
    assert "secret.db" not in answer.body.decode()
    assert house.signals == [WebhookRefused("hook", 503, str(failure))]


def test_a_commit_that_was_called_off_is_a_503(house: House, client: Client) -> None:
    house.intake.held = True
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(client.post, "/webhooks/hook", BODY)
        house.intake.commits.get(timeout=20).cancel()
        assert pending.result().status == 503


def test_an_endpoint_whose_plugin_is_gone_is_a_503(house: House, client: Client) -> None:
    house.intake.refusal = NotFound('no plugin named "echo"')
    answer = client.post("/webhooks/hook", BODY)
    assert (answer.status, "echo" in answer.body.decode()) == (503, False)


def test_a_payload_that_breaks_a_rule_is_a_422_that_says_which(
    house: House, client: Client
) -> None:
    house.intake.refusal = Refused("the baggage is larger than 1 MiB")
    answer = client.post("/webhooks/hook", BODY)
    assert answer.status == 422
    assert "larger than 1 MiB" in answer.json["error"]


def test_an_unexpected_error_is_a_500_that_tells_the_sender_nothing(
    house: House, client: Client
) -> None:
    house.intake.refusal = KeyError("inner detail")
    answer = client.post("/webhooks/hook", BODY)
    assert (answer.status, answer.json) == (
        500,
        {"error": "something went wrong inside the gateway"},
    )


def test_an_unexpected_error_is_told_to_the_operator(house: House, client: Client) -> None:
    house.intake.refusal = KeyError("inner detail")
    client.post("/webhooks/hook", BODY)
    (signal,) = house.signals
    assert isinstance(signal, PartFailed)
    assert signal.error.startswith("POST /webhooks/hook: KeyError: 'inner detail' (doubles.py:")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Sig": ""},
        {"X-Sig": "0" * 64},
        {"X-Sig": "sha256=nonsense"},
        {"X-Sig": "\xff" * 64},
        {"X-Signature": sign(BODY)["X-Sig"]},
    ],
    ids=["missing", "empty", "wrong", "malformed", "not ASCII", "in another header"],
)
def test_all_signature_failures_look_alike(
    house: House, client: Client, headers: dict[str, str]
) -> None:
    answer = client.post("/webhooks/hook", BODY, headers)
    kept = {name: value for name, value in answer.headers.items() if name != "date"}
    body = b'{"error":"the signature is missing or wrong; nothing was accepted"}'
    assert (answer.status, answer.body, kept) == (
        401,
        body,
        {"content-type": "application/json", "content-length": str(len(body))},
    )
    assert house.intake.triggers == []


def test_a_signature_header_that_is_sent_twice_is_a_401(house: House, client: Client) -> None:
    line = f"X-Sig: {sign(BODY)['X-Sig']}"
    with client.connect() as connection:
        length = f"Content-Length: {len(BODY)}"
        connection.sendall(head("POST", "/webhooks/hook", line, line, length) + BODY)
        assert receive_answer(connection).status == 401


def test_the_operator_learns_why_a_signature_was_refused(house: House, client: Client) -> None:
    client.post("/webhooks/hook", BODY, {"X-Sig": "0" * 64})
    reason = "the signature is not that of this body with this key"
    assert house.signals == [WebhookRefused("hook", 401, reason)]


@pytest.mark.parametrize("body", [b"", b"{", b"a=b", b"\xff", b"{} {}", b"NaN", b"[" * 900])
def test_a_signed_body_that_is_not_json_is_a_400(house: House, client: Client, body: bytes) -> None:
    answer = client.post("/webhooks/hook", body)
    assert (answer.status, house.intake.triggers) == (400, [])
    assert "JSON" in answer.json["error"]


def test_the_signature_is_checked_before_the_body_is_parsed(client: Client) -> None:
    assert client.post("/webhooks/hook", b"{", {}).status == 401


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/webhooks",
        "/webhooks/",
        "/webhooks/Hook",
        "/webhooks/hook/",
        "/webhooks//hook",
        "//webhooks/hook",
        "/webhooks/other",
        "/webhooks/%68ook",
        "/webhooks/%2e%2e",
        "/webhooks/..",
        "/webhooks/../webhooks/hook",
        "/webhooks/hook%00",
        "/webhooks/%ff",
        "/Webhooks/hook",
        "/docs",
    ],
)
def test_every_other_path_is_a_404(client: Client, path: str) -> None:
    answer = client.post(path, BODY)
    assert (answer.status, list(answer.json)) == (404, ["error"])


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_another_method_is_a_405_that_names_the_right_one(client: Client, method: str) -> None:
    answer = client.request(method, "/webhooks/hook")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_another_method_on_an_unknown_endpoint_is_a_404(client: Client) -> None:
    assert client.request("GET", "/webhooks/other").status == 404


def test_an_endpoint_may_insist_on_an_answer(house: House, client: Client) -> None:
    house.open([replace(HOOK, respond=Respond(200, b"<ok/>", "text/xml"))])
    answer = client.post("/webhooks/hook", BODY)
    assert (answer.status, answer.body) == (200, b"<ok/>")
    assert answer.headers["content-type"] == "text/xml"
    assert answer.headers["x-ductile-event-id"] == house.intake.acceptance.event_id


def test_an_answer_without_content_has_no_length(house: House, client: Client) -> None:
    house.open([replace(HOOK, respond=Respond(204))])
    answer = client.post("/webhooks/hook", BODY)
    assert (answer.status, "content-length" in answer.headers) == (204, False)


def test_the_answer_names_no_software(client: Client) -> None:
    assert "server" not in client.post("/webhooks/hook", BODY).headers


def test_a_client_that_is_gone_after_sending_is_accepted_all_the_same(
    house: House, client: Client
) -> None:
    house.intake.held = True
    connection = client.connect()
    line = f"X-Sig: {sign(BODY)['X-Sig']}"
    connection.sendall(head("POST", "/webhooks/hook", line, f"Content-Length: {len(BODY)}") + BODY)
    connection.close()
    house.intake.commits.get(timeout=20).set_result(house.intake.acceptance)
    assert client.request("GET", "/healthz").status == 200
    assert house.signals == []


def test_a_connection_serves_one_webhook_after_the_other(client: Client) -> None:
    connection = HTTPConnection(*client.address, timeout=20)
    statuses = []
    for body, headers in [(BODY, sign(BODY)), (BODY, {}), (b"{", sign(b"{")), (b"1", sign(b"1"))]:
        connection.request("POST", "/webhooks/hook", body, headers)
        statuses.append(read_answer(connection.getresponse()).status)
    connection.close()
    assert statuses == [202, 401, 400, 202]


def test_requests_sent_without_waiting_are_answered_in_their_order(
    house: House, client: Client
) -> None:
    bodies = [b"1", b"2", b"3"]
    requests = [
        head("POST", "/webhooks/hook", f"X-Sig: {sign(body)['X-Sig']}", "Content-Length: 1") + body
        for body in bodies
    ]
    with client.connect() as connection:
        connection.sendall(b"".join([*requests, head("GET", "/nowhere", "Connection: close")]))
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert re.findall(rb"HTTP/1\.1 (\d+)", received) == [b"202", b"202", b"202", b"404"]
    assert [trigger.payload for trigger in house.intake.triggers] == [1, 2, 3]


def test_webhooks_that_come_together_are_all_accepted(house: House, client: Client) -> None:
    bodies = [b"%d" % n for n in range(100)]
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda body: client.post("/webhooks/hook", body).status, bodies))
    assert statuses == [202] * 100
    assert sorted(trigger.payload for trigger in house.intake.triggers) == list(range(100))


def test_one_commit_that_waits_holds_up_no_other(house: House, client: Client) -> None:
    house.intake.held = True
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(client.post, "/webhooks/hook", b"1")
        first_commit = house.intake.commits.get(timeout=20)
        second = pool.submit(client.post, "/webhooks/hook", b"2")
        house.intake.commits.get(timeout=20).set_result(house.intake.acceptance)
        assert second.result().status == 202
        first_commit.set_result(house.intake.acceptance)
        assert first.result().status == 202


def test_two_endpoints_cannot_share_a_name(house: House) -> None:
    with pytest.raises(ConfigurationError, match='named "hook"'):
        WebhookDoor([HOOK, HOOK], house.intake, Telemetry(), house.notes(), house.clock)
