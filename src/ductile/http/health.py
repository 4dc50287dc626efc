"""The answer to "are you well?", asked seldom however often the network asks."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import Final

from ductile.http.exchange import Exchange
from ductile.http.interfaces import CheckHealth, Headers, Health
from ductile.model.clock import Clock
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import PartFailed

#: Seconds for which one look at the gateway answers everybody; less if not all was well, for
#: who waits for a gateway to start, or to recover, asks again.
FRESH: Final = 1.0
FRESH_IF_UNWELL: Final = 0.1
#: Seconds after which a check that has not come back counts as bad news.
PATIENCE: Final = 5.0

_NOT_CACHED: Final[Headers] = [(b"cache-control", b"no-store")]


class HealthDoor:
    """`/healthz`: 200 when every part is well, 503 with what is wrong otherwise.

    The check runs on a thread, once at a time and once in `FRESH` seconds, so that no number
    of requests can hammer the database, and one that hangs is reported rather than waited for.
    """

    def __init__(self, check: CheckHealth, clock: Clock, telemetry: Telemetry) -> None:
        self._check = check
        self._clock = clock
        self._telemetry = telemetry
        self._asked_at = 0.0
        self._latest: Future[Health] | None = None

    async def handle(self, exchange: Exchange) -> None:
        """Answer GET and HEAD."""
        exchange.allow("GET", "HEAD")
        health = await self._health()
        parts = {name: problem or "ok" for name, problem in health.parts.items()}
        if health.well:
            await exchange.answer_json(200, {"status": "ok", **parts}, _NOT_CACHED)
            return
        problems = [f"{name}: {problem}" for name, problem in health.parts.items() if problem]
        report = {"status": "unwell", "error": "; ".join(problems), **parts}
        await exchange.answer_json(503, report, _NOT_CACHED)

    async def _health(self) -> Health:
        now = self._clock.monotonic()
        latest = self._latest
        if latest is None or (latest.done() and now - self._asked_at >= _fresh(latest)):
            latest = self._latest = self._ask()
            self._asked_at = now
        waiter = asyncio.wrap_future(latest)
        done, _ = await asyncio.wait({waiter}, timeout=PATIENCE)
        if not done:
            return Health({"gateway": f"did not answer within {PATIENCE:g} s"})
        return waiter.result()

    def _ask(self) -> Future[Health]:
        answer: Future[Health] = Future()

        def ask() -> None:
            try:
                answer.set_result(self._check())
            except Exception as error:
                text = f"{type(error).__name__}: {error}"
                self._telemetry.emit(PartFailed(part="health check", error=text))
                answer.set_result(Health({"gateway": "the health check itself failed"}))

        # Not the event loop's executor: a check that hangs would hold up the end of the program.
        threading.Thread(target=ask, name="healthz", daemon=True).start()
        return answer


def _fresh(check: Future[Health]) -> float:
    return FRESH if check.result().well else FRESH_IF_UNWELL
