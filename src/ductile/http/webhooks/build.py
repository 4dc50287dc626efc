"""From the settings of an endpoint to the endpoint."""

from __future__ import annotations

from typing import Final

from ductile.config.endpoints import DiscordSignature, EndpointSettings, RespondSettings
from ductile.http.exchange import JSON
from ductile.http.webhooks.discord import ACCEPTED, CREDENTIALS, Discord, pong
from ductile.http.webhooks.endpoint import Endpoint, Handshake, Respond, no_handshake
from ductile.http.webhooks.hmac_sha256 import HmacSha256
from ductile.http.webhooks.signature import Scheme
from ductile.model.clock import Clock
from ductile.model.json import encode

_TEXT: Final = "text/plain; charset=utf-8"


def build_endpoint(settings: EndpointSettings, clock: Clock) -> Endpoint:
    """The endpoint that the settings describe; schemes that know time read it from `clock`."""
    respond = None if settings.respond is None else _respond(settings.respond)
    signature = settings.signature
    handshake: Handshake = no_handshake
    not_kept: frozenset[str] = frozenset()
    scheme: Scheme
    if isinstance(signature, DiscordSignature):
        scheme = Discord(signature.public_key, clock=clock)
        handshake = pong
        respond = respond or ACCEPTED
        not_kept = CREDENTIALS
    else:
        scheme = HmacSha256(signature.header, signature.secret.get_secret_value())
    return Endpoint(
        name=settings.name,
        scheme=scheme,
        max_body=settings.max_body,
        event=settings.event,
        plugin=settings.plugin,
        respond=respond,
        handshake=handshake,
        not_kept=not_kept,
    )


def _respond(settings: RespondSettings) -> Respond:
    match settings.body:
        case None:
            body, usual = b"", _TEXT
        case str(text):
            body, usual = text.encode("utf-8"), _TEXT
        case mapping:
            body, usual = encode(mapping), JSON
    return Respond(settings.status, body, settings.content_type or usual)
