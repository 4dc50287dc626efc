"""Waiting for the ends of runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from ductile.http.api.waiting import Waits
from ductile.http.exchange import Rejection
from ductile.http.interfaces import Message
from ductile.model.ids import ChainId, RunId
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import RunSettled

RUN = RunId("r1")
LONG = timedelta(minutes=5)


def waited(work: Callable[[Waits, Telemetry], Awaitable[None]], limit: int = 1) -> None:
    """Run `work` on a loop; to hang is to fail."""

    async def bounded() -> None:
        telemetry = Telemetry()
        await asyncio.wait_for(work(Waits(telemetry, limit=limit), telemetry), 20)

    asyncio.run(bounded())


def settled(run_id: RunId) -> RunSettled:
    return RunSettled(run_id, "greet", "succeeded", ChainId("c1"))


async def silent() -> Message:
    """A client that stays and says nothing."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


async def gone() -> Message:
    return {"type": "http.disconnect"}


def test_an_end_that_came_before_the_wait_is_remembered() -> None:
    async def work(waits: Waits, telemetry: Telemetry) -> None:
        with waits.watch() as watch:
            telemetry.emit(settled(RUN))
            await watch.wait(RUN, LONG, silent)

    waited(work)


def test_an_end_on_another_thread_is_heard() -> None:
    async def work(waits: Waits, telemetry: Telemetry) -> None:
        with waits.watch() as watch:
            await asyncio.gather(
                watch.wait(RUN, LONG, silent), asyncio.to_thread(telemetry.emit, settled(RUN))
            )

    waited(work)


def test_the_end_of_another_run_ends_no_wait() -> None:
    async def work(waits: Waits, telemetry: Telemetry) -> None:
        with waits.watch() as watch:
            waiter = asyncio.ensure_future(watch.wait(RUN, LONG, silent))
            telemetry.emit(settled(RunId("r2")))
            done, _ = await asyncio.wait({waiter}, timeout=0.05)
            assert not done
            telemetry.emit(settled(RUN))
            await waiter

    waited(work)


def test_the_wait_ends_with_its_time() -> None:
    async def work(waits: Waits, telemetry: Telemetry) -> None:
        with waits.watch() as watch:
            await watch.wait(RUN, timedelta(milliseconds=1), silent)

    waited(work)


def test_the_wait_ends_with_its_client() -> None:
    async def work(waits: Waits, telemetry: Telemetry) -> None:
        with waits.watch() as watch:
            await watch.wait(RUN, LONG, gone)

    waited(work)


def test_one_too_many_is_told_to_come_back() -> None:
    async def work(waits: Waits, telemetry: Telemetry) -> None:
        with waits.watch(), pytest.raises(Rejection) as refusal, waits.watch():
            pass
        assert refusal.value.status == 503
        assert (b"retry-after", b"5") in refusal.value.headers

    waited(work)


def test_who_has_ended_makes_room() -> None:
    async def work(waits: Waits, telemetry: Telemetry) -> None:
        with waits.watch():
            pass
        with waits.watch():
            pass

    waited(work)
