"""The door for signed webhooks: every request is verified, kept, and then answered."""

from __future__ import annotations

from collections.abc import Iterable

from ductile.dispatch.interfaces import Accepted, Intake, Trigger
from ductile.errors import ConfigurationError, DuctileError, Refused
from ductile.http.commits import Commits
from ductile.http.exchange import TRY_LATER, Exchange, Rejection
from ductile.http.interfaces import Headers
from ductile.http.webhooks.endpoint import ACCEPTED, Endpoint
from ductile.http.webhooks.notes import Notes
from ductile.http.webhooks.received import Received
from ductile.http.webhooks.refusals import Refusals
from ductile.http.webhooks.signature import Verdict
from ductile.model.clock import Clock
from ductile.telemetry.hub import Telemetry


class WebhookDoor:
    """`POST /webhooks/<name>`, answered after the commit.

    The order of the checks is part of the promise: nothing of a body is looked at before its
    signature was found right, and every signature failure gets one and the same answer.
    """

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        intake: Intake,
        telemetry: Telemetry,
        notes: Notes,
        clock: Clock,
        *,
        body_timeout: float = 30.0,
        refusals: Refusals | None = None,
    ) -> None:
        """`notes` lists what was not let in; what is let in is listed by the intake.

        `body_timeout` is the seconds that a body may take to arrive. `refusals` tells the
        operator of what was not let in; None: as often as usual. Raises ConfigurationError if
        two endpoints share a name.
        """
        self._endpoints: dict[str, Endpoint] = {}
        for endpoint in endpoints:
            if endpoint.name in self._endpoints:
                raise ConfigurationError(
                    f'two webhook endpoints are named "{endpoint.name}"; rename one'
                )
            self._endpoints[endpoint.name] = endpoint
        self._intake = intake
        self._refusals = refusals or Refusals(telemetry)
        self._notes = notes
        self._clock = clock
        self._body_timeout = body_timeout
        self._commits = Commits()

    def close(self) -> None:
        """Tell what is still to be told; nothing comes in any more."""
        self._refusals.close()
        self._notes.close()

    async def handle(self, exchange: Exchange, name: str) -> None:
        """Let one request in, or raise Rejection or Disconnected."""
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            raise Rejection(404, "no webhook endpoint goes by that name")
        exchange.allow("POST")
        received = Received(endpoint, self._clock.now())
        try:
            await self._deliver(received, exchange)
        except Rejection as rejection:
            self._refusals.add(name, rejection.status, rejection.reason)
            self._notes.add(received.refused(rejection))
            raise

    async def _deliver(self, received: Received, exchange: Exchange) -> None:
        endpoint, headers = received.endpoint, exchange.headers
        body = await exchange.body(limit=endpoint.max_body, within=self._body_timeout)
        received.size = len(body)
        _verify(endpoint, headers, body)
        try:
            payload = endpoint.read_body(headers, body)
        except Rejection:
            # Some senders have the id in a header, and then a body that is no good has one too.
            received.delivery_id = endpoint.scheme.delivery_id(headers, None)
            raise
        received.delivery_id = endpoint.scheme.delivery_id(headers, payload)
        greeting = endpoint.handshake(payload)
        if greeting is not None:
            self._notes.add(received.handshake(200))
            await exchange.answer_json(200, greeting)
            return
        trigger = endpoint.trigger(headers, payload, received.accepted())
        await _confirm(exchange, endpoint, await self._accept(trigger))

    async def _accept(self, trigger: Trigger) -> Accepted:
        try:
            return await self._commits.result(self._intake.submit(trigger))
        except Refused as refused:
            raise Rejection(422, f"the event was not accepted: {refused}") from None
        except DuctileError as error:
            raise Rejection(
                503,
                "the event was not accepted: the gateway cannot keep it at the moment; "
                "send it again later",
                TRY_LATER,
                reason=str(error),
            ) from None


def _verify(endpoint: Endpoint, headers: Headers, body: bytes) -> None:
    verdict = endpoint.scheme.verify(headers, body)
    if verdict is not Verdict.GENUINE:
        raise Rejection(
            401, "the signature is missing or wrong; nothing was accepted", reason=verdict.value
        )


async def _confirm(exchange: Exchange, endpoint: Endpoint, accepted: Accepted) -> None:
    headers: Headers = [
        (b"x-ductile-event-id", accepted.event_id.encode("ascii")),
        (b"x-ductile-job-ids", ",".join(accepted.job_ids).encode("ascii")),
        (b"x-ductile-run-ids", ",".join(accepted.run_ids).encode("ascii")),
    ]
    respond = endpoint.respond
    if respond is None:
        ids = {
            "event_id": accepted.event_id,
            "job_ids": accepted.job_ids,
            "run_ids": accepted.run_ids,
        }
        await exchange.answer_json(ACCEPTED, ids, headers)
        return
    await exchange.answer(
        respond.status, respond.body, content_type=respond.content_type, headers=headers
    )
