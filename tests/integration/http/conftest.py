"""One server for all tests of this room, and a door of its own for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from ductile.http.app import HttpApp
from ductile.http.exchange import Room
from ductile.http.health import HealthDoor
from ductile.http.interfaces import Health
from ductile.http.server import HttpServer
from ductile.http.webhooks.app import WebhookDoor
from ductile.http.webhooks.endpoint import Endpoint
from ductile.http.webhooks.keyed_hash import hmac_sha256
from ductile.http.webhooks.notes import Notes
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import Signal
from tests.integration.http.client import SECRET, Client
from tests.integration.http.doubles import HandClock, ListInbox, RememberingIntake, Stage

MAX_BODY = 1000
HOOK = Endpoint(
    name="hook", scheme=hmac_sha256("X-Sig", SECRET), max_body=MAX_BODY, event="test.event"
)


@dataclass
class House:
    """All that one test has to do with."""

    stage: Stage
    client: Client
    intake: RememberingIntake = field(default_factory=RememberingIntake)
    inbox: ListInbox = field(default_factory=ListInbox)
    pauses: list[Callable[[], None]] = field(default_factory=list)
    """What ends each pause between two writes of the inbox."""
    clock: HandClock = field(default_factory=HandClock)
    signals: list[Signal] = field(default_factory=list)

    def open(
        self,
        endpoints: Sequence[Endpoint] = (HOOK,),
        *,
        check: Callable[[], Health] = lambda: Health({}),
        body_timeout: float = 30.0,
        room: Room | None = None,
    ) -> HttpApp:
        """Put a new application on the stage."""
        telemetry = Telemetry()
        telemetry.subscribe(self.signals.append)
        app = HttpApp(
            WebhookDoor(
                endpoints,
                self.intake,
                telemetry,
                self.notes(telemetry),
                self.clock,
                body_timeout=body_timeout,
            ),
            HealthDoor(check, self.clock, telemetry),
            telemetry,
            room=room,
        )
        self.stage.app = app
        return app

    def notes(self, telemetry: Telemetry | None = None) -> Notes:
        """What lists in `inbox`, the later ones of a second when `pauses` are over."""
        return Notes(
            self.inbox,
            telemetry or Telemetry(),
            later=lambda delay, action: self.pauses.append(action),
        )


@pytest.fixture(scope="session")
def stage_and_client() -> Iterator[tuple[Stage, Client]]:
    stage = Stage()
    server = HttpServer(stage, "127.0.0.1", 0)
    server.start()
    yield stage, Client(server.address)
    server.stop()


@pytest.fixture
def house(stage_and_client: tuple[Stage, Client]) -> House:
    """With one endpoint, `hook`."""
    house = House(*stage_and_client)
    house.open()
    return house


@pytest.fixture
def client(house: House) -> Client:
    return house.client
