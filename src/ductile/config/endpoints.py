"""Webhook endpoints as `config.yaml` states them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, Field

from ductile.config import signatures
from ductile.config.event_types import EVENT, TypePattern
from ductile.config.http import open_to_network
from ductile.config.signatures import HeaderName, Signature
from ductile.config.values import PluginName
from ductile.documents.problems import BadValue, Problem, quoted
from ductile.documents.scalars import ByteSize, Duration
from ductile.documents.validation import Schema
from ductile.documents.yaml import Document, Path
from ductile.model.json import Json

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
_CONTENT_TYPE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
#: Statuses of HTTP whose answers have no body.
_BODILESS: Final = (204, 205)
#: Where senders that say so in a header say what has happened.
EVENT_HEADERS: Final[Mapping[str, str]] = {
    "github": "X-GitHub-Event",
    "gitlab": "X-Gitlab-Event",
    "shopify": "X-Shopify-Topic",
}


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise BadValue(
            f"{quoted(text)} cannot stand in /webhooks/<name>",
            "use letters, digits, and after the first one also . _ ~ -",
        )
    return text


def _event(text: str) -> str:
    TypePattern.parse(text)
    return text


def _content_type(text: str) -> str:
    if not _CONTENT_TYPE.fullmatch(text):
        raise BadValue(f"{quoted(text)} is not a content type", "write one such as text/plain")
    return text


class RespondSettings(Schema):
    """An answer to an accepted webhook that the sender insists on."""

    noun: ClassVar[str] = "respond"

    status: Annotated[int, Field(ge=200, le=299)] = 200
    """Anything else would say that it was not accepted."""
    body: str | dict[str, Json] | None = None
    """A text as it is, or a mapping as JSON; nothing if left out."""
    content_type: Annotated[str, AfterValidator(_content_type)] | None = None
    """If left out: text/plain for a text, application/json for a mapping."""


class EndpointSettings(Schema):
    """`POST /webhooks/<name>`: who may send to it, and what it starts."""

    noun: ClassVar[str] = "an endpoint"

    name: Annotated[str, AfterValidator(_name)]
    event: Annotated[str, AfterValidator(_event)] | None = None
    """The type of the events that it makes, `{event}` in it what the sender says; either this …"""
    plugin: PluginName | None = None
    """… or the plugin whose `handle` is the first job."""
    event_header: HeaderName | None = None
    """The header that says what `{event}` is; if left out, that of the scheme's sender."""
    signature: Signature
    """How senders prove who they are."""
    max_body: ByteSize = 1024 * 1024
    """A larger body is refused while it arrives."""
    respond: RespondSettings | None = None
    """If left out: 202 with the ids; for `discord` and `slack` what they want to hear."""

    @property
    def says_event(self) -> str | None:
        """The header that says what `{event}` is; None if the type has no room for it."""
        if self.event is None or EVENT not in self.event:
            return None
        return self.event_header or EVENT_HEADERS.get(self.signature.scheme)


class InboxSettings(Schema):
    """What is remembered of deliveries to all endpoints."""

    noun: ClassVar[str] = "inbox"

    window: Duration = timedelta(hours=24)
    """How long a delivery keeps others to its endpoint with its id from starting anything."""
    ttl: Duration = timedelta(days=30)
    """How long deliveries are listed."""
    limit: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000
    """Of the deliveries to one endpoint that started nothing, so many are listed, the newest."""


class WebhookSettings(Schema):
    """All endpoints."""

    noun: ClassVar[str] = "webhooks"

    endpoints: tuple[EndpointSettings, ...] = ()
    inbox: InboxSettings = Field(default_factory=InboxSettings)


def contradictions(document: Document) -> list[Problem]:
    """What is wrong between values of `config.yaml` that may all be right by themselves.

    Looks at what is written, so that it finds its share even when other values are wrong.
    """
    at = ("webhooks", "endpoints")
    endpoints = document.get(at)
    if not isinstance(endpoints, list):
        return []
    problems: list[Problem] = []
    names: set[str] = set()
    for index, endpoint in enumerate(endpoints):
        if not isinstance(endpoint, dict):
            continue
        problems += _contradictions(document, (*at, index), endpoint)
        name = endpoint.get("name")
        if isinstance(name, str):
            if name in names:
                place = document.place((*at, index, "name"))
                message = f"two endpoints are named {quoted(name)}"
                problems.append(Problem(message, place, "rename one of them, or remove it"))
            names.add(name)
    return problems


def _contradictions(document: Document, at: Path, endpoint: dict[str, Json]) -> Iterator[Problem]:
    has_event = endpoint.get("event") is not None
    if has_event == (endpoint.get("plugin") is not None):
        found = "both" if has_event else "neither"
        message = f"expected either event or plugin in an endpoint, found {found}"
        hint = "an event starts pipelines, a plugin runs as one job"
        yield Problem(message, document.key_place((*at, "plugin")), hint)
    yield from _event_and_header(document, at, endpoint)
    respond = endpoint.get("respond")
    if isinstance(respond, dict) and respond.get("status") in _BODILESS and "body" in respond:
        message = f"an answer with status {respond['status']} cannot have a body"
        hint = "leave it out, or set status 200"
        yield Problem(message, document.key_place((*at, "respond", "body")), hint)
    yield from signatures.contradictions(document, (*at, "signature"))
    signature = endpoint.get("signature")
    if isinstance(signature, dict) and signature.get("scheme") == "none":
        yield _unsigned(document, (*at, "signature", "scheme"))


def _event_and_header(document: Document, at: Path, endpoint: dict[str, Json]) -> Iterator[Problem]:
    event, header = endpoint.get("event"), endpoint.get("event_header")
    asked = isinstance(event, str) and EVENT in event
    if header is not None and not asked:
        message = f"event_header is set, but {quoted(EVENT)} is not part of event"
        hint = f'write "hook.{EVENT}" for instance, or leave event_header out'
        yield Problem(message, document.key_place((*at, "event_header")), hint)
    signature = endpoint.get("signature")
    scheme = signature.get("scheme") if isinstance(signature, dict) else None
    if asked and header is None and isinstance(scheme, str) and scheme not in EVENT_HEADERS:
        message = f"the scheme {quoted(scheme)} has no header that says what {quoted(EVENT)} is"
        hint = "name it with event_header; what the body says, ask for with if in the pipeline"
        yield Problem(message, document.place((*at, "event")), hint)


def _unsigned(document: Document, at: Path) -> Problem:
    place = document.place(at)
    listen = open_to_network(document)
    if listen is not None:
        return Problem(
            f'{quoted(listen)} is open to the network, and the scheme "none" lets anybody in',
            place,
            "choose a scheme that the sender knows, or listen on 127.0.0.1",
        )
    return Problem(
        "every program on this machine can send to this endpoint, for nothing is signed",
        place,
        "choose a scheme, unless its sender knows none",
        warning=True,
    )
