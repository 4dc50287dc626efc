"""A slash command as Discord sends it to an interactions endpoint, and Discord's signature."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: Where Discord's ids start counting: 2015-01-01 in milliseconds.
DISCORD_EPOCH = 1_420_070_400_000
PERMISSIONS = "2251799813685247"


@dataclass(frozen=True)
class SignedRequest:
    """What is posted to the endpoint."""

    headers: dict[str, str]
    body: bytes


class InteractionSigner:
    """Signs as Discord signs for one application, with a key made for the occasion."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    @property
    def public_key_hex(self) -> str:
        """The key that Discord's developer portal shows for the application."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, interaction: dict[str, Any], *, at: datetime) -> SignedRequest:
        """The request that carries an interaction; signed is the timestamp before the body."""
        body = json.dumps(interaction, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = str(int(at.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Discord-Interactions/1.0 (+https://discord.com)",
            "X-Signature-Ed25519": self._key.sign(timestamp.encode() + body).hex(),
            "X-Signature-Timestamp": timestamp,
        }
        return SignedRequest(headers, body)


def snowflake(at: datetime) -> str:
    """An id as Discord makes them: the time it was made, and bits that make it unique."""
    milliseconds = int(at.timestamp() * 1000) - DISCORD_EPOCH
    return str(milliseconds << 22 | secrets.randbits(22))


def ping(*, at: datetime) -> dict[str, Any]:
    """What Discord sends to see whether an endpoint answers and checks signatures."""
    interaction_id = snowflake(at)
    return {
        "id": interaction_id,
        "application_id": snowflake(at),
        "type": 1,
        "token": _token(interaction_id),
        "version": 1,
    }


def slash_command(
    video_url: str, *, at: datetime, channel_id: str | None = None, option: str = "url"
) -> dict[str, Any]:
    """What Discord sends when somebody types `/wisdom url: <video_url>` in a channel."""
    interaction_id, guild_id = snowflake(at), snowflake(at)
    channel_id = channel_id or snowflake(at)
    return {
        "id": interaction_id,
        "application_id": snowflake(at),
        "type": 2,
        "token": _token(interaction_id),
        "version": 1,
        "guild_id": guild_id,
        "guild": {"id": guild_id, "locale": "en-US", "features": []},
        "guild_locale": "en-US",
        "locale": "en-US",
        "channel_id": channel_id,
        "channel": _channel(channel_id, guild_id),
        "member": _member(snowflake(at)),
        "app_permissions": PERMISSIONS,
        "entitlements": [],
        "authorizing_integration_owners": {"0": guild_id},
        "context": 0,
        "attachment_size_limit": 10485760,
        "data": {
            "id": snowflake(at),
            "name": "wisdom",
            "type": 1,
            "guild_id": guild_id,
            "options": [{"name": option, "type": 3, "value": video_url}],
        },
    }


def _channel(channel_id: str, guild_id: str) -> dict[str, Any]:
    return {
        "id": channel_id,
        "type": 0,
        "name": "speeches",
        "guild_id": guild_id,
        "parent_id": None,
        "position": 1,
        "nsfw": False,
        "topic": None,
        "permissions": PERMISSIONS,
        "flags": 0,
    }


def _member(user_id: str) -> dict[str, Any]:
    return {
        "user": {
            "id": user_id,
            "username": "reader",
            "global_name": "Reader",
            "discriminator": "0",
            "avatar": None,
            "public_flags": 0,
        },
        "nick": None,
        "roles": [],
        "joined_at": "2024-03-04T12:00:00.000000+00:00",
        "permissions": PERMISSIONS,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
    }


def _token(interaction_id: str) -> str:
    """With the real one a program may answer for 15 minutes; this one opens nothing."""
    secret = secrets.token_urlsafe(96)
    return base64.b64encode(f"interaction:{interaction_id}:{secret}".encode()).decode()
