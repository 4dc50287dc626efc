"""The trigger on the network for programs: start a run, hand in an event."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ductile.config.event_types import event_type
from ductile.dispatch.interfaces import Accepted, Trigger
from ductile.documents.problems import BadValue, described
from ductile.documents.scalars import Duration, format_duration
from ductile.errors import StorageError, UsageError
from ductile.http.api.answers import answer
from ductile.http.api.parts import ApiParts
from ductile.http.api.shapes import accepted_json, result_json
from ductile.http.api.waiting import Waits
from ductile.http.commits import Commits
from ductile.http.exchange import TRY_LATER, Rejection
from ductile.model.ids import RunId
from ductile.model.json import Json, JsonObject, decode
from ductile.model.run import RunStatus
from ductile.telemetry.signals import PartFailed

LONGEST_WAIT: Final = timedelta(minutes=5)
#: Of every event that comes in here.
SOURCE: Final = "api"


def _wait(wait: timedelta) -> timedelta:
    if wait > LONGEST_WAIT:
        raise BadValue(
            f"a wait of {format_duration(wait)} is too long",
            f"write {format_duration(LONGEST_WAIT)} or less, and ask GET /api/v1/runs/ID later",
        )
    return wait


#: An event that repeats one of the last `service.dedupe_ttl` starts nothing.
DedupeKey = Annotated[str, Field(min_length=1)]


class StartQuery(BaseModel):
    """How a run is started."""

    model_config = ConfigDict(extra="forbid")

    wait: Annotated[Duration, AfterValidator(_wait)] | None = None
    """How long to wait for its end, 5m at the most."""
    dedupe_key: DedupeKey | None = None
    """A second run of the pipeline with this key is not started; the first one is named."""


class EventBody(BaseModel):
    """An event from outside."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Annotated[str, AfterValidator(event_type)]
    payload: dict[str, Any] = Field(default_factory=dict)
    dedupe_key: DedupeKey | None = None


def _body(schema: JsonObject, *, required: bool) -> dict[str, Json]:
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": required, "content": content}}


_ACCEPTED: Final = (
    "On disk, and running: `{event_id, run_ids, job_ids}`. With `duplicate_of` nothing was "
    "started, for the dedupe key was used before: the ids are those of the first event."
)
_START_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The run has succeeded: `{event_id, run, status, context, results}`; or "
        "the `if` of the pipeline does not hold: `status` is `skipped`, `run` is null."
    },
    202: {"description": f"{_ACCEPTED} After a wait that was too short, with `status`."},
    404: {"description": "There is no such pipeline."},
    424: {"description": "The run has ended, and not well: as with 200, and `error`."},
    503: {"description": "Nothing was accepted; try again after `Retry-After` seconds."},
}


class Triggers:
    """The routes that hand something in; each is answered after the commit."""

    def __init__(self, parts: ApiParts, waits: Waits) -> None:
        self._intake = parts.intake
        self._commits = Commits()
        self._insights = parts.insights
        self._telemetry = parts.telemetry
        self._waits = waits

    def router(self) -> APIRouter:
        """All of them."""
        router = APIRouter(redirect_slashes=False)
        router.post(
            "/pipelines/{name}/runs",
            tags=["pipelines"],
            status_code=202,
            responses=_START_ANSWERS,
            openapi_extra=_body({"type": "object"}, required=False),
        )(self.start)
        router.post(
            "/events",
            tags=["events"],
            status_code=202,
            response_description=_ACCEPTED,
            openapi_extra=_body(EventBody.model_json_schema(), required=True),
        )(self.event)
        return router

    async def start(
        self, name: str, request: Request, query: Annotated[StartQuery, Query()]
    ) -> Response:
        """Start a run of a pipeline with the body as its payload; with `wait`, see it end."""
        payload = await _payload(request)
        trigger = Trigger(
            f"{SOURCE}.{name}", payload, SOURCE, pipeline=name, dedupe_key=query.dedupe_key
        )
        if query.wait is None:
            return answer(accepted_json(await self._commit(trigger)), 202)
        # Before the commit: nothing tells of an end that came before somebody listened.
        with self._waits.watch() as watch:
            accepted = await self._commit(trigger)
            if not accepted.run_ids:
                return answer(_skipped(accepted))
            [run_id] = accepted.run_ids
            try:
                if not await self._ended(run_id):
                    await watch.wait(run_id, query.wait, request.receive)
                return await run_in_threadpool(self._conclude, accepted, run_id)
            except StorageError as error:
                # It is accepted, and nobody may be led to send it again.
                self._telemetry.emit(PartFailed("http", f"the end of run {run_id}: {error}"))
                return answer(accepted_json(accepted), 202)

    async def event(self, request: Request) -> Response:
        """Hand in an event, which starts the pipelines whose `on` is its type."""
        try:
            body = EventBody.model_validate(_decoded(await request.body()))
        except ValidationError as error:
            raise RequestValidationError(
                [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
            ) from None
        trigger = Trigger(body.type, body.payload, SOURCE, dedupe_key=body.dedupe_key)
        return answer(accepted_json(await self._commit(trigger)), 202)

    async def _commit(self, trigger: Trigger) -> Accepted:
        try:
            return await self._commits.result(self._intake.submit(trigger))
        except StorageError as error:
            self._telemetry.emit(PartFailed("http", f"an event was not accepted: {error}"))
            raise Rejection(
                503,
                "the event was not accepted: the gateway cannot keep it at the moment; "
                "send it again later",
                TRY_LATER,
            ) from None

    async def _ended(self, run_id: RunId) -> bool:
        """Whether nothing had to be done, so that the run ended with the commit itself."""
        run = await run_in_threadpool(self._insights.run, run_id)
        return run.status is not RunStatus.RUNNING

    def _conclude(self, accepted: Accepted, run_id: RunId) -> Response:
        chain = self._insights.chain_of_run(run_id)
        [run] = [each.run for each in chain.runs if each.run.id == run_id]
        if run.status is RunStatus.RUNNING:
            return answer({**accepted_json(accepted), "status": run.status.value}, 202)
        ended = {**_identity(accepted), **result_json(chain, run_id)}
        if run.status is RunStatus.SUCCEEDED:
            return answer(ended)
        reason = run.reason or "no reason was given"
        error = f"the run of {run.pipeline_name} ended as {run.status.value}: {reason}"
        return answer({"error": error, **ended}, 424)


def _identity(accepted: Accepted) -> dict[str, Json]:
    ids = accepted_json(accepted)
    return {key: ids[key] for key in ("event_id", "duplicate_of") if key in ids}


def _skipped(accepted: Accepted) -> dict[str, Json]:
    return {
        **_identity(accepted),
        "run": None,
        "status": "skipped",
        "context": None,
        "results": [],
    }


async def _payload(request: Request) -> JsonObject:
    body = await request.body()
    payload = _decoded(body) if body else {}
    if not isinstance(payload, dict):
        raise UsageError(f"expected an object as payload, found {described(payload)}")
    return payload


def _decoded(body: bytes) -> Json:
    try:
        return decode(body)
    except ValueError as error:
        raise UsageError(
            f"expected a body of one JSON document: {error}; nothing was accepted"
        ) from None
