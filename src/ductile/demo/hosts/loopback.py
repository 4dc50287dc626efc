"""A small HTTP server on loopback that answers from one function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

MAX_BODY = 1024 * 1024
#: How long `stop` may have to wait for the accepting thread to look up.
LOOK_UP_SECONDS = 0.02


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What it gets."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer that carries JSON."""
    return Answer(status, json.dumps(value).encode(), "application/json", headers or {})


class LoopbackServer:
    """An HTTP server on a free port of 127.0.0.1.

    `start` and `stop` may be called at any time and any number of times; a stopped server can be
    started again, on another port.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._server: ThreadingHTTPServer | None = None
        self._thread: Thread | None = None

    def respond(self, request: Request) -> Answer:
        """The answer to one request; called from several threads at once."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """Scheme, host and port, without a slash at the end."""
        if self._server is None:
            raise RuntimeError("the server has no address before it is started")
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        with self._lock:
            if self._server is not None:
                return
            self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
            self._thread = Thread(
                target=self._server.serve_forever,
                args=(LOOK_UP_SECONDS,),
                name=type(self).__name__,
                daemon=True,
            )
            self._thread.start()

    def stop(self) -> None:
        with self._lock:
            if self._server is None or self._thread is None:
                return
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _handler(server: LoopbackServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "0")
            # Nothing here is ever that long; what is left unread goes with the connection.
            size = min(int(length), MAX_BODY) if length.isdigit() else 0
            self._answer(self.rfile.read(size))

        do_PUT = do_PATCH = do_DELETE = do_POST

        def _answer(self, body: bytes) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = server.respond(Request(self.command, parts.path, query, headers, body))
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the terminal belongs to the demo."""

    return Handler
