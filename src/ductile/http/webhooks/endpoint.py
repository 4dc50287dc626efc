"""The endpoint: one webhook address, who may send to it, and what it starts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from ductile.dispatch.interfaces import Trigger
from ductile.errors import ConfigurationError
from ductile.http.exchange import JSON
from ductile.http.interfaces import Headers
from ductile.http.webhooks.bodies import ReadBody, json_body
from ductile.http.webhooks.named import NamedByHeader
from ductile.http.webhooks.signature import Scheme
from ductile.model.delivery import Delivery
from ductile.model.json import Json, JsonObject

#: What to answer to a payload that only asks whether somebody is there; None for all others.
Handshake: TypeAlias = Callable[[Json], JsonObject | None]

#: The status of an answer with the ids.
ACCEPTED: Final = 202

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
_CONTENT_TYPE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class Respond:
    """An answer to an accepted webhook that the sender insists on."""

    status: int
    body: bytes = b""
    content_type: str = JSON

    def __post_init__(self) -> None:
        if not 200 <= self.status <= 299:
            raise ConfigurationError(
                f"expected a status from 200 to 299, found {self.status}; the answer is for "
                "what was accepted, and any other status says that it was not"
            )
        if self.status in (204, 205) and self.body:
            raise ConfigurationError(
                f"a status of {self.status} cannot have a body; leave it out, or set 200"
            )
        if not _CONTENT_TYPE.fullmatch(self.content_type):
            raise ConfigurationError(
                f'expected a content type, found "{self.content_type!a}"; write one such as '
                "text/plain"
            )


def no_handshake(payload: Json) -> None:
    """No payload is special."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`POST /webhooks/<name>`."""

    name: str
    """One segment of a path, in characters that are never percent-encoded."""
    scheme: Scheme
    max_body: int
    """Bytes."""
    event: str | NamedByHeader | None = None
    """The type of the events it makes, or whence they have it; either this …"""
    plugin: str | None = None
    """… or the plugin whose `handle` is the first job, on an event `webhook.<name>`."""
    respond: Respond | None = None
    """None: status 202 with the ids."""
    read_body: ReadBody = json_body
    """Makes the payload of a body; only of one whose signature is right."""
    handshake: Handshake = no_handshake
    not_kept: frozenset[str] = frozenset()
    """Top-level keys of the payload that hold secrets; they are dropped at the door."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigurationError(
                f'expected a name for /webhooks/<name>, found "{self.name}"; use letters, '
                "digits, and after the first one also . _ ~ -"
            )
        if (self.event is None) == (self.plugin is None):
            found = "neither" if self.event is None else "both"
            raise ConfigurationError(
                f'expected either event or plugin for endpoint "{self.name}", found {found}'
            )

    @property
    def accepted_status(self) -> int:
        """The status that says that something was accepted."""
        return ACCEPTED if self.respond is None else self.respond.status

    def trigger(self, headers: Headers, payload: Json, delivery: Delivery | None = None) -> Trigger:
        """What the intake is asked to accept.

        Raises Rejection 400 if the sender has to say what has happened, and does not.
        """
        if self.not_kept and isinstance(payload, dict):
            payload = {key: value for key, value in payload.items() if key not in self.not_kept}
        return Trigger(
            type=self._type(headers),
            payload=payload,
            source=self.name,
            plugin=self.plugin,
            delivery=delivery,
        )

    def _type(self, headers: Headers) -> str:
        if isinstance(self.event, NamedByHeader):
            return self.event.of(headers)
        return self.event or f"webhook.{self.name}"
