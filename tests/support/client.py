"""A plain HTTP client, as a sender of webhooks would use one."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from tests.support.signals import PATIENCE


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def request(
    address: tuple[str, int],
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request on a connection of its own."""
    connection = HTTPConnection(*address, timeout=PATIENCE)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, names, answer.read())
    finally:
        connection.close()


def get(address: tuple[str, int], path: str) -> Answer:
    return request(address, "GET", path)


def post(
    address: tuple[str, int], path: str, body: bytes, headers: Mapping[str, str] | None = None
) -> Answer:
    return request(address, "POST", path, body, headers)


def signed(secret: str, body: bytes, header: str = "X-Signature-256") -> dict[str, str]:
    """The header of an `hmac-sha256` endpoint."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {header: f"sha256={digest}"}
