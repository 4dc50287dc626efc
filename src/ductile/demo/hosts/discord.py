"""A Discord API that takes messages from one bot, answering as Discord does."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from ductile.demo.hosts.loopback import Answer, LoopbackServer, Request, json_answer
from ductile.demo.interaction import snowflake

API = "/api/v10"
MESSAGES = re.compile(API + r"/channels/(\d+)/messages")
MAX_CONTENT = 2000
MAX_NONCE = 25


@dataclass(frozen=True)
class ReceivedMessage:
    """One message that was posted."""

    channel_id: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Mapping[str, Any]
    """The request's JSON."""
    message: Mapping[str, Any]
    """The message object that was answered."""


class DiscordApi(LoopbackServer):
    """`POST /api/v10/channels/ID/messages` and `GET /api/v10/users/@me`.

    `channels`: the channels that exist; all do if it is left out.
    """

    def __init__(
        self, token: str, *, now: Callable[[], datetime], channels: Collection[str] | None = None
    ) -> None:
        super().__init__()
        self._token = token
        self._now = now
        self._channels = channels
        self._changes = Lock()
        self._messages: list[ReceivedMessage] = []
        self._refusals = 0
        self._retry_after = 0.0
        self._bot_user = {
            "id": snowflake(now()),
            "username": "wisdom",
            "discriminator": "0000",
            "global_name": None,
            "avatar": None,
            "bot": True,
        }

    @property
    def base_url(self) -> str:
        """What a client sets in place of https://discord.com/api/v10."""
        return self.url + API

    @property
    def messages(self) -> tuple[ReceivedMessage, ...]:
        """What was posted up to now, oldest first."""
        with self._changes:
            return tuple(self._messages)

    def limit(self, requests: int, *, retry_after: float) -> None:
        """Answer the next `requests` with 429."""
        with self._changes:
            self._refusals = requests
            self._retry_after = retry_after

    def respond(self, request: Request) -> Answer:
        channel = MESSAGES.fullmatch(request.path)
        if channel is None and request.path != f"{API}/users/@me":
            return _error(404, "404: Not Found")
        if request.method != ("POST" if channel else "GET"):
            return _error(405, "405: Method Not Allowed")
        authorization = request.headers.get("authorization", "").encode("latin-1", "replace")
        if not secrets.compare_digest(authorization, f"Bot {self._token}".encode()):
            return _error(401, "401: Unauthorized")
        if channel is None:
            return json_answer(200, self._bot_user)
        with self._changes:
            if self._refusals:
                self._refusals -= 1
                return _rate_limited(self._retry_after)
            return self._post(channel[1], request)

    def _post(self, channel_id: str, request: Request) -> Answer:
        if self._channels is not None and channel_id not in self._channels:
            return _error(404, "Unknown Channel", 10003)
        try:
            body = json.loads(request.body)
        except ValueError:
            return _error(400, "The request body contains invalid JSON.", 50109)
        if not isinstance(body, dict):
            return _error(400, "Invalid Form Body", 50035)
        problem = _problem(body)
        if problem:
            return problem
        for earlier in self._messages:
            same = earlier.body.get("nonce") == body.get("nonce")
            if body.get("enforce_nonce") and same and earlier.channel_id == channel_id:
                return json_answer(200, earlier.message)
        message = self._message(channel_id, body)
        self._messages.append(ReceivedMessage(channel_id, request.headers, body, message))
        limits = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "4"}
        return json_answer(200, message, limits)

    def _message(self, channel_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        now = self._now()
        message = {
            "id": snowflake(now),
            "type": 0,
            "channel_id": channel_id,
            "author": self._bot_user,
            "content": body.get("content") or "",
            "timestamp": now.isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": body.get("embeds") or [],
            "components": [],
            "pinned": False,
            "flags": 0,
        }
        return {**message, "nonce": body["nonce"]} if "nonce" in body else message


def _problem(body: Mapping[str, Any]) -> Answer | None:
    content = body.get("content")
    if content is not None and not isinstance(content, str):
        return _invalid("content", "STRING_TYPE_CONVERT", "Could not interpret as string.")
    if len(content or "") > MAX_CONTENT:
        text = f"Must be {MAX_CONTENT} or fewer in length."
        return _invalid("content", "BASE_TYPE_MAX_LENGTH", text)
    if len(str(body.get("nonce", ""))) > MAX_NONCE:
        return _invalid("nonce", "NONCE_TYPE_TOO_LONG", "Nonce is too long.")
    if not content and not body.get("embeds"):
        return _error(400, "Cannot send an empty message", 50006)
    return None


def _error(status: int, message: str, code: int = 0) -> Answer:
    return json_answer(status, {"message": message, "code": code})


def _invalid(name: str, code: str, message: str) -> Answer:
    errors = {name: {"_errors": [{"code": code, "message": message}]}}
    return json_answer(400, {"message": "Invalid Form Body", "code": 50035, "errors": errors})


def _rate_limited(retry_after: float) -> Answer:
    body = {"message": "You are being rate limited.", "retry_after": retry_after, "global": False}
    headers = {"Retry-After": str(int(retry_after) + 1), "X-RateLimit-Scope": "user"}
    return json_answer(429, body, headers)
