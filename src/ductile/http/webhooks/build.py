"""From the settings of an endpoint to the endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ductile.config.endpoints import EndpointSettings, RespondSettings
from ductile.config.event_types import TypePattern
from ductile.config.signatures import HmacSignature
from ductile.config.signed import SignedContent
from ductile.http.exchange import JSON
from ductile.http.webhooks.bodies import ReadBody, json_body, json_or_form, json_or_payload
from ductile.http.webhooks.discord import ACCEPTED, CREDENTIALS, Discord, pong
from ductile.http.webhooks.endpoint import Endpoint, Handshake, Respond, no_handshake
from ductile.http.webhooks.gitlab import GitLab
from ductile.http.webhooks.keyed_hash import Digest, HashForm, KeyedHash, github
from ductile.http.webhooks.named import NamedByHeader
from ductile.http.webhooks.shopify import Shopify
from ductile.http.webhooks.signature import Scheme
from ductile.http.webhooks.slack import SEEN, VERIFICATION_TOKEN, Slack, url_verification
from ductile.http.webhooks.standard import StandardWebhooks
from ductile.http.webhooks.stripe import Stripe
from ductile.http.webhooks.unsigned import Unsigned
from ductile.model.clock import Clock
from ductile.model.json import encode

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_TEXT: Final = "text/plain; charset=utf-8"

_BODIES: Final[Mapping[str, ReadBody]] = {"github": json_or_payload, "slack": json_or_form}
_HANDSHAKES: Final[Mapping[str, Handshake]] = {"discord": pong, "slack": url_verification}
_NOT_KEPT: Final = {"discord": CREDENTIALS, "slack": VERIFICATION_TOKEN}
_ANSWERS: Final = {"discord": ACCEPTED, "slack": SEEN}


def build_endpoint(settings: EndpointSettings, clock: Clock) -> Endpoint:
    """The endpoint that the settings describe; schemes that know time read it from `clock`."""
    scheme = build_scheme(settings, clock)
    respond = None if settings.respond is None else _respond(settings.respond)
    return Endpoint(
        name=settings.name,
        scheme=scheme,
        max_body=settings.max_body,
        event=_event(settings),
        plugin=settings.plugin,
        respond=respond or _ANSWERS.get(scheme.name),
        read_body=_BODIES.get(scheme.name, json_body),
        handshake=_HANDSHAKES.get(scheme.name, no_handshake),
        not_kept=_NOT_KEPT.get(scheme.name, frozenset()),
    )


def build_scheme(
    settings: EndpointSettings, clock: Clock, *, private_key: Ed25519PrivateKey | None = None
) -> Scheme:
    """The scheme alone, with every key that is live.

    `private_key` is for schemes that verify with a public one, and lets them sign.
    """
    signature = settings.signature
    match signature.scheme:
        case "hmac-sha256" | "hmac-sha512":
            return _keyed_hash(signature, clock)
        case "github":
            return github(*signature.live)
        case "stripe":
            return Stripe(*signature.live, clock=clock)
        case "slack":
            return Slack(*signature.live, clock=clock)
        case "shopify":
            return Shopify(*signature.live)
        case "gitlab":
            return GitLab(*signature.live)
        case "standard-webhooks":
            return StandardWebhooks(
                *signature.live,
                public_keys=signature.public_key,
                clock=clock,
                private_key=private_key,
            )
        case "discord":
            return Discord(*signature.live, clock=clock, private_key=private_key)
        case "none":
            return Unsigned()


def _event(settings: EndpointSettings) -> str | NamedByHeader | None:
    header = settings.says_event
    if settings.event is None or header is None:
        return settings.event
    return NamedByHeader(TypePattern.parse(settings.event), header)


def _keyed_hash(signature: HmacSignature, clock: Clock) -> KeyedHash:
    digest: Digest = "sha256" if signature.scheme == "hmac-sha256" else "sha512"
    form = HashForm(
        signature.header or f"X-Signature-{digest.removeprefix('sha')}",
        digest,
        SignedContent.parse(signature.signed),
        signature.encoding,
        signature.prefix,
        signature.timestamp_header,
        signature.id_header,
    )
    return KeyedHash(form, *signature.live, clock=clock)


def _respond(settings: RespondSettings) -> Respond:
    match settings.body:
        case None:
            body, usual = b"", _TEXT
        case str(text):
            body, usual = text.encode("utf-8"), _TEXT
        case mapping:
            body, usual = encode(mapping), JSON
    return Respond(settings.status, body, settings.content_type or usual)
