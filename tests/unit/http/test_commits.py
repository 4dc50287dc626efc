"""Waiting for commits on a loop, which other threads end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from functools import partial
from threading import Thread

import pytest

from ductile.errors import StorageError
from ductile.http.commits import Commits


def on_a_loop(work: Callable[[Commits], Awaitable[None]]) -> None:
    """To hang is to fail."""

    async def bounded() -> None:
        await asyncio.wait_for(work(Commits()), 20)

    asyncio.run(bounded())


def elsewhere(*actions: Callable[[], object]) -> None:
    """Do it on another thread, and see it done."""
    thread = Thread(target=lambda: [action() for action in actions])
    thread.start()
    thread.join()


async def begun(*tasks: asyncio.Task[int]) -> None:
    """Let them come to where they wait."""
    # Each runs until it waits before this goes on: they were made first.
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)


def test_all_who_wait_get_their_own_result() -> None:
    async def work(commits: Commits) -> None:
        futures: list[Future[int]] = [Future() for _ in range(8)]
        tasks = [asyncio.create_task(commits.result(each)) for each in futures]
        await begun(*tasks)
        for number in reversed(range(8)):
            elsewhere(partial(futures[number].set_result, number))
        assert await asyncio.gather(*tasks) == list(range(8))

    on_a_loop(work)


def test_commits_that_end_together_wake_the_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(commits: Commits) -> None:
        loop, woken = asyncio.get_running_loop(), Counter[str]()
        wake = loop.call_soon_threadsafe

        def counted(callback: Callable[[], object]) -> None:
            woken["times"] += 1
            wake(callback)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        for _ in range(2):
            futures: list[Future[int]] = [Future() for _ in range(8)]
            tasks = [asyncio.create_task(commits.result(each)) for each in futures]
            await begun(*tasks)
            elsewhere(*[partial(each.set_result, 1) for each in futures])
            await asyncio.gather(*tasks)
        assert woken["times"] == 2

    on_a_loop(work)


def test_one_that_is_over_already_is_not_waited_for_any_longer() -> None:
    async def work(commits: Commits) -> None:
        over: Future[int] = Future()
        over.set_result(7)
        assert await commits.result(over) == 7

    on_a_loop(work)


def test_what_went_wrong_is_told() -> None:
    async def work(commits: Commits) -> None:
        failed: Future[int] = Future()
        failed.set_exception(StorageError("disk full"))
        with pytest.raises(StorageError, match="disk full"):
            await commits.result(failed)

    on_a_loop(work)


def test_a_commit_that_never_began_is_told() -> None:
    async def work(commits: Commits) -> None:
        dropped: Future[int] = Future()
        dropped.cancel()
        with pytest.raises(StorageError, match="closed before the commit"):
            await commits.result(dropped)

    on_a_loop(work)


def test_who_goes_away_neither_cancels_the_commit_nor_keeps_the_others_waiting() -> None:
    async def work(commits: Commits) -> None:
        futures: list[Future[int]] = [Future() for _ in range(2)]
        gone, stays = (asyncio.create_task(commits.result(each)) for each in futures)
        await begun(gone, stays)
        gone.cancel()
        elsewhere(*[partial(each.set_result, 1) for each in futures])
        assert await stays == 1
        assert gone.cancelled()
        assert not futures[0].cancelled()

    on_a_loop(work)


def test_a_commit_that_ends_after_its_loop_does_no_harm() -> None:
    late: Future[int] = Future()

    async def work(commits: Commits) -> None:
        task = asyncio.create_task(commits.result(late))
        await begun(task)
        task.cancel()

    on_a_loop(work)
    late.set_result(1)
