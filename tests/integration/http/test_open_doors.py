"""The gateway's own application, wired as it runs: which doors are open, and on what it listens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ductile.dispatch.current import InForce
from ductile.errors import ConfigurationError
from ductile.gateway.gateway import Gateway
from ductile.http.api.parts import ApiParts
from ductile.insights.insights import Insights
from ductile.model.clock import SystemClock
from ductile.model.ids import new_id
from ductile.telemetry.hub import Telemetry
from tests.integration.http.api import all_routes
from tests.integration.http.client import Client, head, receive_answer
from tests.support.client import signed
from tests.support.scripts import OK
from tests.support.site import Running, Site

TOKEN = "a-token-that-is-long-enough"
SECRET = "a-secret-of-a-sender"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
#: All that answers a stranger otherwise than with 401 or 404, by name.
OPEN = {("GET", "/healthz"): 200, ("HEAD", "/healthz"): 200}


def a_site(root: Path) -> Site:
    site = Site(root)
    site.plugin("echo", OK)
    site.pipeline("- {name: greet, on: go, steps: [{uses: echo}]}")
    site.config["http"] = {"listen": "127.0.0.1:0", "tokens": [TOKEN]}
    signature = {"scheme": "hmac-sha256", "header": "X-Signature-256", "secret": SECRET}
    site.config["webhooks"] = {
        "endpoints": [{"name": "hook", "event": "go", "signature": signature}]
    }
    return site


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One gateway for all strangers."""
    with a_site(tmp_path_factory.mktemp("doors")).running(doors=True) as running:
        yield running


def parts(running: Running) -> ApiParts:
    """What the API of that gateway is made of, to ask which routes it has."""
    gateway = running.gateway

    def unused() -> InForce:
        raise AssertionError("nobody asks for what is in force")

    insights = Insights(gateway.store, SystemClock())
    return ApiParts(gateway.intake, insights, Telemetry(), unused)


def ask(running: Running, method: str, target: str) -> int:
    """The status of a request as it is written, without a token or a signature."""
    with Client(running.gateway.address).connect() as connection:
        connection.sendall(head(method, target, "Connection: close"))
        return receive_answer(connection, method).status


def test_no_route_answers_a_stranger(running: Running) -> None:
    paths = {path for _, path in all_routes(parts(running))}
    assert len(paths) >= 9
    for path in sorted(paths):
        filled = path.replace("{job_id}", new_id()).replace("{run_id}", new_id())
        for method in METHODS:
            assert ask(running, method, filled.replace("{name}", "greet")) == 401, (method, path)


@pytest.mark.parametrize(
    "target",
    [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v2/jobs",
        "/api/v1/jobs/configs",
        "/api/v1/openapi.json",
        "/api/v1/jobs;a=b",
        "/api/v1/jobs?token=" + TOKEN,
        "/api/v1/healthz",
        "/api/v1/../../healthz",
        "/api/v1/jobs#/healthz",
        "/healthz/../api/v1/jobs",
        "/healthz/api/v1/jobs",
        "/webhooks/../api/v1/jobs",
        "/webhooks/hook/../../api/v1/jobs",
        "/webhooks/%2e%2e/api/v1/jobs",
        "//api/v1/jobs",
        "/./api/v1/jobs",
        "/API/v1/jobs",
        "/%61pi/v1/jobs",
        "/api%2fv1%2fjobs",
        "http://localhost/api/v1/jobs",
        "/",
        "/docs",
        "/metrics",
        "/debug",
        "/static/../../config.yaml",
        "/healthz",
        "/webhooks/hook",
    ],
)
def test_no_other_spelling_opens_a_door(running: Running, target: str) -> None:
    for method in METHODS:
        status = ask(running, method, target)
        expected = OPEN.get((method, target))
        assert status == expected if expected else status in (400, 401, 404, 405), (method, status)


def test_with_what_each_door_asks_for_it_is_open(running: Running) -> None:
    client, headers = Client(running.gateway.address), {"Authorization": f"Bearer {TOKEN}"}
    assert client.request("GET", "/api/v1/jobs", headers=headers).status == 200
    body = b"{}"
    assert client.post("/webhooks/hook", body, signed(SECRET, body)).status == 202
    assert client.post("/webhooks/hook", body, headers).status == 401


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "text/xml",
        "application/json; charset=utf-16",
        "\xff",
        "",
    ],
)
def test_a_webhook_is_read_as_it_is_signed_whatever_it_says_it_is(
    running: Running, content_type: str
) -> None:
    client = Client(running.gateway.address)
    for body, status in (
        (b'{"files": [{"filepath": "/etc/passwd"}]}', 202),
        (b"files[0][filepath]=/etc/passwd", 400),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n', 400),
        ('{"a": 1}'.encode("utf-16"), 400),
    ):
        headers = {**signed(SECRET, body), "Content-Type": content_type}
        assert client.post("/webhooks/hook", body, headers).status == status, body


@pytest.mark.parametrize(
    "listen",
    [
        "0.0.0.0:0",
        "[::]:0",
        "[::ffff:0.0.0.0]:0",
        "[::ffff:127.0.0.1]:0",
        "gateway.example.org:0",
        "localhost.example.org:0",
        "localhost.:0",
        "127.1:0",
        "0:0",
        "2130706433:0",
        "0x7f000001:0",
        "127.0.0.1.example.org:0",
        ":0",
        "*:0",
        " :0",
        "[::1%eth0]:0",
    ],
)
@pytest.mark.parametrize("tokens", [None, []])
def test_without_a_token_it_does_not_start_beyond_loopback(
    tmp_path: Path, listen: str, tokens: list[str] | None
) -> None:
    site = a_site(tmp_path)
    site.config["http"] = {"listen": listen}
    if tokens is not None:
        site.config["http"]["tokens"] = tokens
    with pytest.raises(ConfigurationError, match=r"http\.tokens|address|listen"):
        Gateway(site.read(), doors=True).start()
