"""An intake that remembers, a clock that is moved by hand, and a stage for one application."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from threading import Semaphore

from ductile.dispatch.interfaces import Accepted, Trigger
from ductile.http.interfaces import Application, Receive, Scope, Send
from ductile.model.delivery import Delivery
from ductile.model.ids import EventId, JobId, RunId, new_id


def an_acceptance(jobs: int = 2, runs: int = 1) -> Accepted:
    return Accepted(
        EventId(new_id()),
        tuple(JobId(new_id()) for _ in range(jobs)),
        tuple(RunId(new_id()) for _ in range(runs)),
    )


@dataclass
class RememberingIntake:
    """Accepts at once; `held`, it leaves each commit to the test."""

    acceptance: Accepted = field(default_factory=an_acceptance)
    held: bool = False
    refusal: Exception | None = None
    """Raised at once instead of accepting."""
    triggers: list[Trigger] = field(default_factory=list)
    commits: SimpleQueue[Future[Accepted]] = field(default_factory=SimpleQueue)

    def submit(self, trigger: Trigger) -> Future[Accepted]:
        if self.refusal is not None:
            raise self.refusal
        self.triggers.append(trigger)
        commit: Future[Accepted] = Future()
        if not self.held:
            commit.set_result(self.acceptance)
        self.commits.put(commit)
        return commit

    def accept(self, trigger: Trigger) -> Accepted:
        return self.submit(trigger).result()


@dataclass
class ListInbox:
    """An inbox that is a list; `held`, it leaves each commit to the test."""

    held: bool = False
    failure: Exception | None = None
    """What each commit fails with."""
    deliveries: list[Delivery] = field(default_factory=list)
    commits: list[Future[None]] = field(default_factory=list)

    def keep(self, deliveries: Sequence[Delivery]) -> Future[None]:
        commit: Future[None] = Future()
        self.deliveries += deliveries
        self.commits.append(commit)
        if self.failure is not None:
            commit.set_exception(self.failure)
        elif not self.held:
            commit.set_result(None)
        return commit


@dataclass
class HandClock:
    """Stands still unless it is moved."""

    moment: datetime = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
    elapsed: float = 1000.0
    readings: Semaphore = field(default_factory=lambda: Semaphore(0))
    """Released whenever somebody measures."""

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        self.readings.release()
        return self.elapsed

    def advance(self, by: timedelta) -> None:
        self.moment += by
        self.elapsed += by.total_seconds()


@dataclass
class Stage:
    """Lets every test put its own application behind the one server."""

    app: Application | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
        elif self.app is not None:
            await self.app(scope, receive, send)
