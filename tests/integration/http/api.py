"""The API on a real server and a real database, with an intake that leaves the work to tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ductile.config.loader import load_settings
from ductile.dispatch.current import InForce
from ductile.dispatch.interfaces import Accepted, Trigger
from ductile.dsl.catalogue import Catalogue
from ductile.dsl.graph import Pipeline, Step
from ductile.errors import NotFound
from ductile.http.api.app import ROOT, make_app
from ductile.http.api.build import build_api
from ductile.http.api.parts import ApiParts
from ductile.http.api.waiting import Waits
from ductile.http.app import HttpApp
from ductile.http.health import HealthDoor
from ductile.http.interfaces import Health
from ductile.http.webhooks.app import WebhookDoor
from ductile.http.webhooks.notes import Notes
from ductile.insights.insights import Insights
from ductile.model.context import Context
from ductile.model.ids import RunId
from ductile.model.job import Job, JobStatus
from ductile.model.outcome import Failed, Response, Succeeded
from ductile.model.run import Run, RunStatus
from ductile.plugin.registry import discover
from ductile.router.graph_router import GraphRouter
from ductile.storage.interfaces import Store, Transaction
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import RunSettled
from tests.integration.http.client import PATIENCE, Answer, Client
from tests.integration.http.doubles import HandClock, ListInbox, Stage
from tests.support.builders import (
    HASH,
    LEASE,
    WORKER,
    a_context,
    a_job,
    a_run,
    an_attempt,
    an_event,
)
from tests.support.clock import START
from tests.support.signals import Signals

TOKEN = "a-token-that-is-long-enough"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PLUGINS = Path(__file__).parents[2] / "plugins"
GREET = Pipeline(
    name="greet",
    hash=HASH,
    on=("greeting.asked",),
    entries=("say",),
    nodes={"say": Step("say", "echo", "handle")},
    definition="{}",
)


@dataclass(frozen=True)
class Started:
    """What one trigger left in the database: a run with one job."""

    run: Run
    job: Job
    root: Context


@dataclass
class StoringIntake:
    """Keeps a run of one job for each trigger; what becomes of it is up to the test."""

    store: Store
    triggers: list[Trigger] = field(default_factory=list)
    started: list[Started] = field(default_factory=list)
    arrivals: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released when something was kept."""
    failure: Exception | None = None
    starts_runs: bool = True
    at_once: Callable[[Started], None] = lambda started: None
    """Called with what was started, before the commit is known."""
    repeats: bool = False
    """Whether all that comes from now on repeats the first."""

    def submit(self, trigger: Trigger) -> Future[Accepted]:
        if trigger.pipeline not in (None, GREET.name):
            raise NotFound(f'no pipeline named "{trigger.pipeline}"; did you mean "greet"?')
        commit: Future[Accepted] = Future()
        if self.failure is not None:
            commit.set_exception(self.failure)
            return commit
        self.triggers.append(trigger)
        if self.repeats:
            [first, *_] = self.started
            event_id = first.run.event_id
            commit.set_result(Accepted(event_id, (first.job.id,), (first.run.id,), event_id))
            self.arrivals.release()
            return commit
        event = an_event(type=trigger.type, payload=trigger.payload, source=trigger.source)
        if not self.starts_runs:
            self.store.write(lambda tx: tx.events.add(event))
            commit.set_result(Accepted(event.id))
            return commit
        root, run = a_context(baggage=dict(trigger.payload)), a_run(event, pipeline_name="greet")
        job = a_job(event, root, run_id=run.id, step_id="say")

        def work(tx: Transaction) -> None:
            tx.versions.add(HASH, "greet", GREET.definition, START)
            tx.events.add(event)
            tx.contexts.add(root)
            tx.runs.add(run)
            tx.jobs.add(job)

        self.store.write(work)
        self.started.append(Started(run, job, root))
        self.at_once(self.started[-1])
        commit.set_result(Accepted(event.id, (job.id,), (run.id,)))
        self.arrivals.release()
        return commit

    def accept(self, trigger: Trigger) -> Accepted:
        return self.submit(trigger).result()


def all_routes(parts: ApiParts) -> set[tuple[str, str]]:
    """Every route that the application has, described or not: method and path."""
    app = make_app(parts, Waits(parts.telemetry))
    found = set(_walk(app.routes, ""))
    described = app.openapi()["paths"]
    assert found >= {(verb.upper(), path) for path, verbs in described.items() for verb in verbs}
    return found


def _walk(routes: Iterable[Any], prefix: str) -> Iterator[tuple[str, str]]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _walk(included.routes, prefix + ROOT)
        else:
            yield from ((method, prefix + route.path) for method in route.methods)


class ApiHouse:
    """A gateway as the API sees it."""

    def __init__(
        self, stage: Stage, client: Client, store: Store, folder: Path, tokens: Sequence[str]
    ) -> None:
        self._client = client
        self.store = store
        self.telemetry = Telemetry()
        self.signals = Signals()
        self.telemetry.subscribe(self.signals)
        self.intake = StoringIntake(store)
        clock = HandClock()
        (folder / "config.yaml").write_text("plugins: {fail: {enabled: false}}\n")
        settings, _, _ = load_settings(folder, {"HOME": "/home/ada"})
        registry, _ = discover([PLUGINS])
        assert settings is not None
        catalogue = Catalogue({GREET.name: GREET})
        current = InForce(settings, registry, catalogue, GraphRouter(catalogue))
        self.parts = ApiParts(self.intake, Insights(store, clock), self.telemetry, lambda: current)
        stage.app = HttpApp(
            WebhookDoor([], self.intake, self.telemetry, Notes(ListInbox(), self.telemetry), clock),
            HealthDoor(lambda: Health({}), clock, self.telemetry),
            self.telemetry,
            build_api(self.parts, tokens),
        )

    @property
    def client(self) -> Client:
        """For requests that are not as they should be."""
        return self._client

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self._client.request("GET", f"/api/v1{path}", headers=headers)

    def post(
        self, path: str, value: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """JSON, or nothing at all for None."""
        body = None if value is None else json.dumps(value).encode()
        kind = {} if value is None else {"Content-Type": "application/json"}
        return self._client.request("POST", f"/api/v1{path}", body, {**kind, **(headers or {})})

    def begin(self, path: str, value: Any = None) -> Future[Answer]:
        """A request on a thread of its own; returns when it has been kept."""
        answer: Future[Answer] = Future()

        def work() -> None:
            try:
                answer.set_result(self.post(path, value))
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        assert self.intake.arrivals.acquire(timeout=PATIENCE)
        return answer

    def end(self, started: Started, error: str | None = None, **updates: Any) -> None:
        """Let the job of a run, and with it the run, come to its end; the signal tells of it."""
        self.end_silently(started, error, **updates)
        self.tell(started.run.id, RunStatus.FAILED if error else RunStatus.SUCCEEDED)

    def end_silently(self, started: Started, error: str | None = None, **updates: Any) -> None:
        """The same, without the signal."""
        ended = Failed(error) if error else Succeeded(Response(result="said"))
        status = RunStatus.FAILED if error else RunStatus.SUCCEEDED
        self.store.write(lambda tx: _finish(tx, started, ended, updates))
        self.store.write(lambda tx: tx.runs.finish(started.run.id, status, now=START, reason=error))

    def tell(self, run_id: RunId, status: RunStatus) -> None:
        """The signal that a run has ended."""
        run = self.store.read(lambda tx: tx.runs.get(run_id))
        assert run is not None
        self.telemetry.emit(RunSettled(run_id, "greet", status.value, run.chain_id))


def _finish(
    tx: Transaction, started: Started, outcome: Succeeded | Failed, updates: Mapping[str, Any]
) -> None:
    [job] = tx.jobs.claim(WORKER, limit=1, lease=LEASE, now=START, parallelism={})
    if isinstance(outcome, Succeeded):
        status = JobStatus.SUCCEEDED
        baggage = {**started.root.baggage, **updates}
        context = a_context(started.root, baggage=baggage, run_id=started.run.id, step_id="say")
        tx.contexts.add(context)
        tx.jobs.finish(job.claim, status, now=START, wrote=context.id)
    else:
        status = JobStatus.FAILED
        tx.jobs.finish(job.claim, status, now=START, error=outcome.error)
    result = outcome.response.result if isinstance(outcome, Succeeded) else None
    tx.jobs.log(job.claim, an_attempt(outcome, result=result), status=status.value)
    tx.runs.advance(started.run.id, by=-1)
