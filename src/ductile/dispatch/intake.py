"""The intake: the one front door, for whatever comes from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime

from ductile.dispatch.conductor import Conductor, Moved, tell
from ductile.dispatch.dedupe import Key, keys_of_trigger
from ductile.dispatch.interfaces import Accepted, Trigger
from ductile.dispatch.plan import Plan
from ductile.dispatch.policies import Policies
from ductile.documents.suggest import hint
from ductile.dsl.catalogue import Catalogue
from ductile.dsl.graph import Pipeline
from ductile.errors import NotFound, Refused
from ductile.model.clock import Clock
from ductile.model.delivery import DeliveryVerdict
from ductile.storage.interfaces import First, Store, Transaction
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import EventAccepted, EventRepeated


class LedgerIntake:
    """Writes the event, its context, its runs and its first jobs in one transaction."""

    def __init__(
        self,
        store: Store,
        conductor: Conductor,
        policies: Policies,
        catalogue: Callable[[], Catalogue],
        clock: Clock,
        telemetry: Telemetry,
        queued: Callable[[], None],
    ) -> None:
        """`catalogue` gives the pipelines that are in force.

        `queued` is called after each commit that put jobs on the list.
        """
        self._store = store
        self._conductor = conductor
        self._policies = policies
        self._catalogue = catalogue
        self._clock = clock
        self._telemetry = telemetry
        self._queued = queued

    def submit(self, trigger: Trigger) -> Future[Accepted]:
        pipeline = self._pipeline(trigger)
        if trigger.plugin is not None:
            self._policies.require(trigger.plugin, trigger.command)
        now = self._clock.now()
        try:
            plan = self._conductor.entrance(trigger, pipeline, now)
        except Refused as refusal:
            refused: Future[Accepted] = Future()
            refused.set_exception(refusal)
            return refused
        return self._store.submit(lambda tx: self._write(tx, trigger, plan, now))

    def accept(self, trigger: Trigger) -> Accepted:
        return self.submit(trigger).result()

    def _write(self, tx: Transaction, trigger: Trigger, plan: Plan, now: datetime) -> Accepted:
        keys = keys_of_trigger(
            trigger, ttl=self._policies.dedupe_ttl(), window=self._policies.repeat_window()
        )
        first = _first(tx, keys, now)
        if first is not None:
            _list(tx, trigger, first, DeliveryVerdict.REPEATED)
            repeated = EventRepeated(first.event_id, plan.events[0].type, trigger.source)
            tx.after_commit(lambda: self._telemetry.emit(repeated))
            return Accepted(first.event_id, first.job_ids, first.run_ids, first.event_id)
        started = First(
            plan.events[0].id,
            tuple(job.id for job in plan.jobs),
            tuple(start.run.id for start in plan.starts),
        )
        moved = self._conductor.write(tx, plan, now)
        for key in keys:
            expires_at = now + key.ttl
            tx.dedupe.keep(key.scope, key.text, started, now=now, expires_at=expires_at)
        _list(tx, trigger, started)
        tx.after_commit(lambda: self._committed(plan, moved))
        return Accepted(started.event_id, started.job_ids, started.run_ids)

    def _pipeline(self, trigger: Trigger) -> Pipeline | None:
        if trigger.pipeline is None:
            return None
        catalogue = self._catalogue()
        found = catalogue.get(trigger.pipeline)
        if found is None:
            names = catalogue.pipelines
            remedy = hint(trigger.pipeline, names) or 'see "ductile pipeline list"'
            raise NotFound(f'no pipeline named "{trigger.pipeline}"; {remedy}')
        return found

    def _committed(self, plan: Plan, moved: Sequence[Moved]) -> None:
        if plan.jobs or moved:
            self._queued()
        event = plan.events[0]
        self._telemetry.emit(
            EventAccepted(event.id, event.type, event.source, len(plan.jobs), len(plan.starts))
        )
        tell(self._telemetry, moved)


def _first(tx: Transaction, keys: Sequence[Key], now: datetime) -> First | None:
    """What the first of the keys that counts stands for."""
    found = (tx.dedupe.first(key.scope, key.text, now=now) for key in keys)
    return next((first for first in found if first is not None), None)


def _list(
    tx: Transaction, trigger: Trigger, started: First, verdict: DeliveryVerdict | None = None
) -> None:
    """List what brought a trigger, if it was a delivery; with another verdict if there is one."""
    delivery = trigger.delivery
    if delivery is not None:
        verdict = verdict or delivery.verdict
        tx.deliveries.add(replace(delivery, verdict=verdict, event_id=started.event_id))
