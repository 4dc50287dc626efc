"""Webhook endpoints as `config.yaml` states them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema

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
_SCHEMES: Final = (
    *("hmac-sha256", "github", "stripe", "slack", "standard-webhooks", "shopify", "gitlab"),
    "discord",
)
_WHSEC: Final = "whsec_"
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


def _base64(secret: SecretStr) -> SecretStr:
    text = _secret(secret).get_secret_value()
    try:
        decoded = base64.b64decode(text.removeprefix(_WHSEC), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded:
        raise BadValue(
            f"expected a secret in base64, with or without {quoted(_WHSEC)} before it, found "
            "something else",
            "copy it as the sender shows it",
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


def _either(names: tuple[str, ...]) -> str:
    *most, last = map(quoted, names)
    return f"{', '.join(most)} or {last}"


def _known_scheme(value: Json) -> Json:
    """Before the scheme chooses the model, whose own words for a wrong one are no help."""
    if isinstance(value, dict):
        scheme = value.get("scheme")
        if scheme not in _SCHEMES:
            remedy = suggest.hint(scheme, _SCHEMES) if isinstance(scheme, str) else None
            raise BadValue(
                f"expected the signature's scheme to be {_either(_SCHEMES)}, "
                f"found {described(scheme)}",
                remedy,
            )
    return value


def _listed(value: Json) -> tuple[Json, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


#: A text, or a list of texts, is a tuple of texts.
_ONE_OR_MORE: Final = (
    Field(min_length=1),
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
)
Secret: TypeAlias = Annotated[SecretStr, AfterValidator(_secret)]
PublicKey: TypeAlias = Annotated[str, AfterValidator(_public_key)]
Base64Secret: TypeAlias = Annotated[SecretStr, AfterValidator(_base64)]


class SharedSecret(Schema):
    """A signature with what sender and gateway share."""

    noun: ClassVar[str] = "a signature"

    secret: Annotated[tuple[Secret, ...], *_ONE_OR_MORE]
    """What sender and gateway share; a list while the sender changes it, any of which counts."""

    @property
    def live(self) -> tuple[str, ...]:
        """Every secret that counts, the first one first."""
        return tuple(secret.get_secret_value() for secret in self.secret)


class HmacSignature(SharedSecret):
    """A keyed hash of the body in one header."""

    scheme: Literal["hmac-sha256"]
    header: Annotated[str, AfterValidator(_header)] = "X-Signature-256"
    """Holds the hash in hex, with or without `sha256=` before it."""


class SenderSignature(SharedSecret):
    """As the sender of that name signs, or shows its token."""

    scheme: Literal["github", "stripe", "slack", "shopify", "gitlab"]


class StandardSignature(SharedSecret):
    """Standard Webhooks, version `v1`."""

    scheme: Literal["standard-webhooks"]
    secret: Annotated[tuple[Base64Secret, ...], *_ONE_OR_MORE]
    """In base64, with or without `whsec_` before it; a list while the sender changes it."""


class DiscordSignature(Schema):
    """Ed25519 as Discord's interactions endpoint signs."""

    noun: ClassVar[str] = "a signature"

    scheme: Literal["discord"]
    public_key: Annotated[tuple[PublicKey, ...], *_ONE_OR_MORE]
    """64 hex digits, from the application's page in Discord's developer portal; or a list."""

    @property
    def live(self) -> tuple[str, ...]:
        """Every public key that counts."""
        return self.public_key


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
        HmacSignature | SenderSignature | StandardSignature | DiscordSignature,
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
