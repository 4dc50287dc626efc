"""The front door, and how jobs are handed to those who do them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from ductile.dispatch.assignment import Claimed
from ductile.model.delivery import Delivery
from ductile.model.ids import EventId, JobId, RunId
from ductile.model.job import Job
from ductile.model.json import Json
from ductile.plugin.interfaces import StopToken
from ductile.storage.interfaces import Transaction


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something from outside that is to become an event.

    With neither `plugin` nor `pipeline`, it starts the pipelines whose `on` is its type.
    """

    type: str
    payload: Json
    source: str
    plugin: str | None = None
    """Start with one job of this plugin, outside any pipeline."""
    command: str = "handle"
    pipeline: str | None = None
    """Start a run of this pipeline, with an event of the first type of its `on`."""
    dedupe_key: str | None = None
    """With it, another trigger that is to start the same with the same key starts nothing."""
    delivery: Delivery | None = None
    """What brings it, as it will be listed if it starts something. Another one to its endpoint
    with its `delivery_id` starts nothing."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is on disk now because of one trigger."""

    event_id: EventId
    job_ids: tuple[JobId, ...] = ()
    run_ids: tuple[RunId, ...] = ()
    duplicate_of: EventId | None = None
    """The first event with that dedupe key or id, if this trigger repeats it. Then nothing was
    kept of this one but its delivery, and all ids are those of the first."""


class Intake(Protocol):
    """Everything that enters comes through here."""

    def submit(self, trigger: Trigger) -> Future[Accepted]:
        """Turn a trigger into an event and what follows from it, in one transaction.

        The future ends after the commit; it fails with StorageError when nothing was kept,
        and with Refused when a rule forbids what the trigger asks for. A dedupe key, or the
        id of a delivery, that still counts is found in that transaction too: of several
        triggers at once, one starts something. Raises NotFound at once for a plugin, command
        or pipeline that there is none of.
        """

    def accept(self, trigger: Trigger) -> Accepted:
        """Like `submit`, waiting for the commit."""


class Inbox(Protocol):
    """The list of deliveries to webhook endpoints, for those that started nothing.

    The others are listed by the intake, with what they started.
    """

    def keep(self, deliveries: Sequence[Delivery]) -> Future[None]:
        """List them, in one transaction. The future fails with StorageError when none was kept;
        raises that at once when the database is closed."""


class Follow(Protocol):
    """Claims the next job in the transaction that settles the one before it."""

    def __call__(self, tx: Transaction, *, queued: int, waiting: bool) -> Claimed | None:
        """The next job for the thread that settles; None if there is none for it.

        The settlement put `queued` jobs on the list; with `waiting`, its own job went back to
        it. Never raises: what goes wrong here must not undo the settlement.
        """


class Performer(Protocol):
    """Does jobs, each on the thread that calls it."""

    def look_up(self, tx: Transaction, job: Job) -> Claimed:
        """Read what a job needs in the transaction that claimed it; never raises."""

    def perform(self, claimed: Claimed, stop: StopToken, follow: Follow) -> Claimed | None:
        """Attempt a job and settle it, with `follow` in the same transaction.

        Returns the job that `follow` claimed. Never raises.
        """
