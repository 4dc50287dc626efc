"""The application on the network: sends every request to its door."""

from __future__ import annotations

import asyncio
import traceback
from typing import Final

from ductile.http.api.door import ApiDoor
from ductile.http.exchange import Disconnected, Exchange, Rejection, Room
from ductile.http.health import HealthDoor
from ductile.http.interfaces import Receive, Scope, Send
from ductile.http.webhooks.app import WebhookDoor
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import PartFailed

_WEBHOOKS: Final = "/webhooks/"
_API: Final = "/api/"


class HttpApp:
    """A raw ASGI application; every error is `{"error": …}` and tells nothing of the inside."""

    def __init__(
        self,
        webhooks: WebhookDoor,
        health: HealthDoor,
        telemetry: Telemetry,
        api: ApiDoor | None = None,
        *,
        room: Room | None = None,
    ) -> None:
        """`room` is what bodies of all requests may take at a time; None: the usual amount."""
        self._webhooks = webhooks
        self._api = api
        self._health = health
        self._telemetry = telemetry
        self._room = room or Room()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or see the application through its lifespan."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            self._webhooks.close()
        elif scope["type"] == "http":
            exchange = Exchange(scope, receive, send, self._room)
            try:
                await self._serve(exchange)
            finally:
                exchange.close()

    async def _serve(self, exchange: Exchange) -> None:
        try:
            await self._route(exchange)
        except Rejection as rejection:
            error = {"error": str(rejection)}
            await exchange.answer_json(rejection.status, error, rejection.headers)
        except Disconnected:
            return
        except asyncio.CancelledError:
            # The server's grace is over. Whether a commit is still under way is unknown here.
            await self._apologise(
                exchange, 503, "the gateway stopped before it could confirm this; send it again"
            )
        except Exception as error:
            self._telemetry.emit(PartFailed(part="http", error=_describe(exchange, error)))
            await self._apologise(exchange, 500, "something went wrong inside the gateway")

    async def _route(self, exchange: Exchange) -> None:
        if exchange.path.startswith(_WEBHOOKS):
            await self._webhooks.handle(exchange, exchange.path.removeprefix(_WEBHOOKS))
        elif exchange.path.startswith(_API) and self._api is not None:
            await self._api.handle(exchange)
        elif exchange.path == "/healthz":
            await self._health.handle(exchange)
        else:
            raise Rejection(404, "there is nothing here")

    async def _apologise(self, exchange: Exchange, status: int, error: str) -> None:
        if not exchange.answered:
            await exchange.answer_json(status, {"error": error})


def _describe(exchange: Exchange, error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    return f"{exchange.method} {exchange.path}: {type(error).__name__}: {error} ({place})"


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
