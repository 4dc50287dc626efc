"""The door for the API: every request is admitted and read before anything looks at it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from ductile.http.api.guard import Guard
from ductile.http.exchange import JSON, Exchange, Rejection
from ductile.http.interfaces import Application

MAX_BODY: Final = 1024 * 1024


class ApiDoor:
    """`/api/…`: in front of the application that knows the routes.

    Nothing is answered, not even that there is no such address, before the sender is admitted;
    no body is kept that is larger than `MAX_BODY`.
    """

    def __init__(
        self, make: Callable[[], Application], guard: Guard, *, body_timeout: float = 30.0
    ) -> None:
        """`make` makes the application, at the first request that is admitted.

        `body_timeout` is the seconds that a body may take to arrive.
        """
        self._make = make
        self._made: asyncio.Future[Application] | None = None
        self._guard = guard
        self._body_timeout = body_timeout

    async def handle(self, exchange: Exchange) -> None:
        """Let one request in, or raise Rejection or Disconnected."""
        self._guard.admit(exchange)
        # Decoded further in, where it would be a slash like any other: two spellings of one
        # address, of which whatever stands in front of this may have allowed one only.
        if "%2f" in exchange.path.lower():
            raise Rejection(404, "there is nothing here; an encoded slash is part of no address")
        body = await exchange.body(limit=MAX_BODY, within=self._body_timeout)
        if body and _media_type(exchange) != JSON:
            raise Rejection(415, f"expected Content-Type: {JSON}; nothing was accepted")
        await exchange.hand_on(await self._application(), body)

    async def _application(self) -> Application:
        if self._made is None:
            # On a thread: webhooks must not wait while it is loaded.
            self._made = asyncio.ensure_future(asyncio.to_thread(self._make))
        return await asyncio.shield(self._made)


def _media_type(exchange: Exchange) -> str:
    for name, value in exchange.headers:
        if name == b"content-type":
            return value.decode("latin-1").partition(";")[0].strip().lower()
    return ""
