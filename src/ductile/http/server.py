"""The HTTP server: listens, and serves one application on a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import math
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import uvicorn

from ductile.errors import ConfigurationError
from ductile.http.connection import Connection
from ductile.http.interfaces import Application

_BACKLOG: Final = 1024
#: Seconds; longer than the minute for which proxies keep theirs, so that they close first.
_KEEP_ALIVE: Final = 65

_REMEDIES: Final = {
    errno.EADDRINUSE: "the port is in use; stop what uses it, or set another one in http.listen",
    errno.EACCES: "not permitted; set a port above 1023 in http.listen",
    errno.EADDRNOTAVAIL: "no such address on this machine; set one of its own, 127.0.0.1 for "
    "instance, in http.listen",
}


class HttpServer:
    """A service that answers HTTP/1.1 on one address.

    It touches no signal handlers, and the sockets are not inherited by plugins.
    """

    def __init__(
        self,
        app: Application,
        host: str,
        port: int,
        *,
        grace: timedelta = timedelta(seconds=10),
        on_failure: Callable[[BaseException], None] = lambda error: None,
    ) -> None:
        """`port` 0 takes any that is free. A name listens on its IPv4 address if it has one.

        `grace` is what requests in flight get to finish in when the server stops.
        `on_failure` is called on the server's thread when that ends although nobody stopped
        it; it may call `stop`.
        """
        self._app = app
        self._host = host
        self._port = port
        self._grace = grace
        self._on_failure = on_failure
        self._starting = threading.Lock()
        self._running: _Running | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and real port, while the server runs; what was asked for, otherwise."""
        running = self._running
        return running.address if running else (self._host, self._port)

    @property
    def failure(self) -> BaseException | None:
        """What ended the server's thread, if nobody stopped it."""
        running = self._running
        return running.failure if running else None

    def start(self) -> None:
        """Listen and serve; connections are taken when this returns. Harmless when repeated.

        Raises ConfigurationError when the address cannot be listened on.
        """
        with self._starting:
            if self._running is not None:
                return
            running = _Running(
                self._app, _listen(self._host, self._port), self._grace, self._on_failure
            )
            running.thread.start()
            running.ready.wait()
            if running.failure is not None:
                running.thread.join()
                raise RuntimeError("the HTTP server did not start") from running.failure
            self._running = running

    def stop(self) -> None:
        """Take no more connections, let requests finish within the grace, and end."""
        running = self._running
        if running is None:
            return
        running.server.should_exit = True
        if threading.current_thread() is not running.thread:
            running.thread.join()
            self._running = None


class _Running:
    """The thread, the event loop and the socket between one start and its stop."""

    def __init__(
        self,
        app: Application,
        listener: socket.socket,
        grace: timedelta,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        host, port = listener.getsockname()[:2]
        self.address: tuple[str, int] = (host, port)
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self.server = _Server(_config(app, grace), self.ready)
        self.thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._listener = listener
        self._on_failure = on_failure

    def _run(self) -> None:
        try:
            # The stock loop whatever the policy: uvloop starts processes many times slower.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self.server.serve(sockets=[self._listener]))
            if not self.server.should_exit:
                self.failure = RuntimeError("the HTTP server ended although nobody stopped it")
        except BaseException as error:  # a thread has nobody else to tell
            self.failure = error
        finally:
            self._listener.close()
        served = self.ready.is_set()
        self.ready.set()
        if served and self.failure is not None:
            self._on_failure(self.failure)


class _Server(uvicorn.Server):
    """Uvicorn's server, which says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self._ready.set()


def _config(app: Application, grace: timedelta) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        interface="asgi3",
        lifespan="on",
        workers=1,
        log_config=None,
        # A stranger's broken request is a warning to uvicorn, and nothing to an operator.
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=math.ceil(grace.total_seconds()),
    )


def _listen(host: str, port: int) -> socket.socket:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    # The system's resolver would take a larger one modulo 65536.
    if not 0 <= port <= 65535:
        raise ConfigurationError(
            f'cannot listen on "{where}": no such port; set one from 1 to 65535 in http.listen'
        )
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )
    except (OSError, UnicodeError, OverflowError) as error:
        raise ConfigurationError(
            f'cannot listen on "{where}": the address is not known ({error}); write host:port, '
            "127.0.0.1:8080 for instance, in http.listen"
        ) from error
    family, kind, protocol, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        code = error.errno or 0
        remedy = _REMEDIES.get(code, f"{error.strerror}; set another address in http.listen")
        raise ConfigurationError(f'cannot listen on "{where}": {remedy}') from error
    return listener
