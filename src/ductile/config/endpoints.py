"""Webhook endpoints as `config.yaml` states them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from ductile.config.values import PluginName
from ductile.documents import suggest
from ductile.documents.problems import BadValue, Problem, described, quoted
from ductile.documents.scalars import ByteSize
from ductile.documents.validation import Schema
from ductile.documents.yaml import Document, Path
from ductile.model.json import Json

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PUBLIC_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
_CONTENT_TYPE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_SCHEMES: Final = ("hmac-sha256", "discord")
#: Statuses of HTTP whose answers have no body.
_BODILESS: Final = (204, 205)
_RESERVED: Final = "ductile."


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise BadValue(
            f"{quoted(text)} cannot stand in /webhooks/<name>",
            "use letters, digits, and after the first one also . _ ~ -",
        )
    return text


def event_type(text: str) -> str:
    """A type that what comes from outside may have. Raises BadValue for any other."""
    if not text or re.search(r"\s", text):
        raise BadValue(f"{quoted(text)} is not an event type", "write one such as order.placed")
    if text.startswith(_RESERVED):
        raise BadValue(
            f'event types that begin with "{_RESERVED}" are the core\'s, found {quoted(text)}',
            "choose another one",
        )
    return text


def _header(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise BadValue(
            f"{quoted(text)} is not the name of an HTTP header",
            "write what the sender documents, X-Hub-Signature-256 for instance",
        )
    return text


def _secret(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value():
        raise BadValue(
            "the secret is empty, so that anybody could sign", "set the one that the sender uses"
        )
    return secret


def _public_key(text: str) -> str:
    if not _PUBLIC_KEY.fullmatch(text):
        raise BadValue(
            f"expected a public key of 64 hex digits, found {len(text)} characters",
            "copy it from the application's page in Discord's developer portal",
        )
    return text


def _content_type(text: str) -> str:
    if not _CONTENT_TYPE.fullmatch(text):
        raise BadValue(f"{quoted(text)} is not a content type", "write one such as text/plain")
    return text


def _known_scheme(value: Json) -> Json:
    """Before the scheme chooses the model, whose own words for a wrong one are no help."""
    if isinstance(value, dict):
        scheme = value.get("scheme")
        if scheme not in _SCHEMES:
            remedy = suggest.hint(scheme, _SCHEMES) if isinstance(scheme, str) else None
            raise BadValue(
                f"expected the signature's scheme to be {' or '.join(map(quoted, _SCHEMES))}, "
                f"found {described(scheme)}",
                remedy,
            )
    return value


class HmacSignature(Schema):
    """A keyed hash of the body in one header."""

    noun: ClassVar[str] = "a signature"

    scheme: Literal["hmac-sha256"]
    header: Annotated[str, AfterValidator(_header)] = "X-Signature-256"
    """Holds the hash in hex, with or without `sha256=` before it."""
    secret: Annotated[SecretStr, AfterValidator(_secret)]
    """What sender and gateway share."""


class DiscordSignature(Schema):
    """Ed25519 as Discord's interactions endpoint signs."""

    scheme: Literal["discord"]
    public_key: Annotated[str, AfterValidator(_public_key)]
    """64 hex digits, from the application's page in Discord's developer portal."""


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
    event: Annotated[str, AfterValidator(event_type)] | None = None
    """The type of the events that it makes; either this …"""
    plugin: PluginName | None = None
    """… or the plugin whose `handle` is the first job."""
    signature: Annotated[
        HmacSignature | DiscordSignature,
        Field(discriminator="scheme"),
        BeforeValidator(_known_scheme),
    ]
    """How senders prove who they are."""
    max_body: ByteSize = 1024 * 1024
    """A larger body is refused while it arrives."""
    respond: RespondSettings | None = None
    """If left out: 202 with the ids, and for `discord` what Discord wants to hear."""


class WebhookSettings(Schema):
    """All endpoints."""

    noun: ClassVar[str] = "webhooks"

    endpoints: tuple[EndpointSettings, ...] = ()


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
    respond = endpoint.get("respond")
    if isinstance(respond, dict) and respond.get("status") in _BODILESS and "body" in respond:
        message = f"an answer with status {respond['status']} cannot have a body"
        hint = "leave it out, or set status 200"
        yield Problem(message, document.key_place((*at, "respond", "body")), hint)
