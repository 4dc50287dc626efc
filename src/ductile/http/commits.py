"""Waiting on the event loop for commits, which end on the thread that writes."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from ductile.errors import StorageError

T = TypeVar("T")


class Commits:
    """Wakes the loop once for all commits that ended since it was woken before.

    They end in groups, and to wake the loop for each of them takes a system call, and a change
    of threads, too many. For one loop.
    """

    def __init__(self) -> None:
        self._ended: deque[tuple[Future[Any], asyncio.Future[Any]]] = deque()
        self._told = False
        """Whether the loop will look at what has ended."""

    async def result(self, commit: Future[T]) -> T:
        """What it came to, or its exception. To cancel this does not cancel a commit.

        Raises StorageError for one that never began because the database was closed.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()

        def ended(future: Future[T]) -> None:
            self._ended.append((future, waiter))
            if not self._told:
                self._told = True
                # A loop that is closed has nobody left who waits.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._look)

        commit.add_done_callback(ended)
        return await waiter

    def _look(self) -> None:
        # Before the look: whatever ends from now on asks for another one.
        self._told = False
        while self._ended:
            commit, waiter = self._ended.popleft()
            if waiter.done():
                continue
            if commit.cancelled():
                waiter.set_exception(StorageError("the database was closed before the commit"))
            elif (error := commit.exception()) is not None:
                waiter.set_exception(error)
            else:
                waiter.set_result(commit.result())
