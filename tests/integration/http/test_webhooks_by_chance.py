"""Whatever bytes come in at the door for webhooks, the server answers clearly and goes on."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ductile.config.event_types import TypePattern
from ductile.http.webhooks.endpoint import Endpoint
from ductile.http.webhooks.named import NamedByHeader
from tests.integration.http.client import Client, sign
from tests.integration.http.conftest import HOOK, MAX_BODY, House
from tests.integration.http.doubles import Stage
from tests.integration.http.fuzzing import BODY, EXPECTED, RIGHT, broken, converse, no_complaint

Opened = tuple[Stage, Client]
assert settings.default is not None
#: One request takes a millisecond, and there is much that can be wrong with it.
EXAMPLES = settings.default.max_examples * 4


def check(house: House, data: bytes) -> None:
    """No bytes make the server fail, and nothing comes in that was not signed."""
    with no_complaint(house.signals):
        statuses = converse(house.client, data)
        assert house.client.request("GET", "/healthz").status == 200
    assert EXPECTED.issuperset(statuses)
    assert all(trigger.payload == {"signed": True} for trigger in house.intake.triggers)


def test_no_request_breaks_the_server_or_gets_past_the_signature(
    stage_and_client: Opened,
) -> None:
    house = House(*stage_and_client)
    house.open()

    @settings(max_examples=EXAMPLES)
    @example(RIGHT)
    @example(RIGHT + RIGHT)
    @given(broken())
    def holds(data: bytes) -> None:
        check(house, data)

    holds()
    assert len(house.intake.triggers) >= 3, "right requests were not accepted"


@given(st.binary(max_size=200))
def test_no_bytes_at_all_break_the_server(stage_and_client: Opened, data: bytes) -> None:
    house = House(*stage_and_client)
    house.open()
    check(house, data)


# --- the application by itself, on what a server could hand it --------------------------------

#: An endpoint whose events have their type from a header that anybody can write.
NAMED = replace(HOOK, event=NamedByHeader(TypePattern.parse("test.{event}"), "X-Kind"))
names = st.sampled_from(
    [b"x-sig", b"x-sig", b"x-kind", b"content-type", b"transfer-encoding", b"host", b"x"]
)
values = st.binary(max_size=20) | st.sampled_from(
    [sign(BODY)["X-Sig"].encode(), sign(b"NaN")["X-Sig"].encode(), b"sha256=", b"application/json"]
)
paths = st.binary(max_size=20).map(lambda tail: b"/webhooks/" + tail) | st.sampled_from(
    [b"/webhooks/hook", b"/webhooks/hook", b"/webhooks/", b"/healthz", b"", b"/api/v1/jobs"]
)
bodies = st.sampled_from([BODY, b"NaN", b"\xff", b"[" * 900, b"x" * (MAX_BODY + 1)]) | st.binary()


@st.composite
def messages(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A body in pieces, which may end before its end."""
    body = draw(bodies)
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=3)))
    edges = [0, *cuts, len(body)]
    pieces = [body[start:end] for start, end in pairwise(edges)]
    parts: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]
    if draw(st.booleans()):
        parts[-1]["more_body"] = False
    return [*parts, {"type": "http.disconnect"}]


@given(
    endpoint=st.sampled_from([HOOK, NAMED]),
    method=st.sampled_from(["POST", "POST", "GET", "PUT", "\xff"]),
    path=paths,
    headers=st.lists(st.tuples(names, values), max_size=6),
    incoming=messages(),
)
def test_no_request_gets_more_than_one_answer_or_an_unexpected_one(
    stage_and_client: Opened,
    endpoint: Endpoint,
    method: str,
    path: bytes,
    headers: list[tuple[bytes, bytes]],
    incoming: list[dict[str, Any]],
) -> None:
    house = House(*stage_and_client)
    app = house.open([endpoint])
    sent: list[Any] = []
    waiting = iter([*incoming, *[incoming[-1]] * 10])

    async def receive() -> Any:
        return next(waiting)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "raw_path": path, "headers": headers}
    with no_complaint(house.signals):
        asyncio.run(app(scope, receive, send))
    starts = [each for each in sent if each["type"] == "http.response.start"]
    assert len(starts) == (1 if sent else 0)
    assert all(each["status"] in EXPECTED for each in starts)
    assert not sent or not sent[-1].get("more_body", False)
    whole = not incoming[-2]["more_body"]
    assert sent or not whole, "a request that was whole got no answer"
    for trigger in house.intake.triggers:
        assert trigger.payload == {"signed": True}
        assert re.fullmatch(r"test(\.[a-z0-9_-]+)+", trigger.type)
