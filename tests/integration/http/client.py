"""Clients on real sockets, well-behaved and otherwise."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any

SECRET = "s3cret"
PATIENCE = 20.0


def sign(body: bytes) -> dict[str, str]:
    """The header that the endpoint `hook` wants."""
    return {"X-Sig": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Speaks to the server under test, on a new connection each time."""

    address: tuple[str, int]

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = HTTPConnection(*self.address, timeout=PATIENCE)
        try:
            connection.request(method, path, body, dict(headers or {}))
            return read_answer(connection.getresponse())
        finally:
            connection.close()

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Signed for `hook` unless other headers are given."""
        return self.request("POST", path, body, sign(body) if headers is None else headers)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=PATIENCE)


def read_answer(response: HTTPResponse) -> Answer:
    body = response.read()
    return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, body)


def receive_answer(client: socket.socket, method: str = "POST") -> Answer:
    """One answer, read up to its announced length and no further."""
    response = HTTPResponse(client, method=method)
    response.begin()
    return read_answer(response)


def head(method: str, path: str, *lines: str) -> bytes:
    """A request line and headers, to be sent as they are."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: test", *lines, "", ""]).encode()
