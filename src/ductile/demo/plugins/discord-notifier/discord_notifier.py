#!/usr/bin/env python3
"""Post `summary.txt` and `keywords.txt` to a Discord channel."""

from __future__ import annotations

import json
import sys
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

DISCORD = "https://discord.com/api/v10"
#: Discord turns away programs that do not name themselves in this form.
AGENT = "DiscordBot (ductile-gateway, 1.0.0)"
#: Discord's limits, in characters.
MAX_CONTENT = 2000
MAX_NONCE = 25
TIMEOUT_SECONDS = 20
REMEDIES = {
    401: 'check "token" in the config',
    403: "let the bot see the channel and send messages there",
    404: 'check that the channel exists and that the bot is in its server, and check "base_url"',
}


class Failure(Exception):
    """What went wrong, and whether another attempt may go better."""

    def __init__(self, message: str, *, retry: bool = False) -> None:
        super().__init__(message)
        self.retry = retry


class NoRedirect(HTTPRedirectHandler):
    """A redirect would carry the token to another host, so it counts as an error."""

    def redirect_request(self, *_: Any) -> None:
        return None


def handle(request: dict[str, Any]) -> dict[str, Any]:
    """Post the message and answer with its id."""
    payload = request["event"]["payload"]
    channel = str(payload.get("channel_id") or "")
    # It becomes part of an address, so nothing but a number will do.
    if not (channel.isascii() and channel.isdigit()):
        raise Failure(
            f'expected a number as "channel_id", found "{channel}"; '
            "start the chain with an event that carries it"
        )
    message = {
        "content": compose(payload, read("summary.txt"), read("keywords.txt").split("\n")),
        # The text comes from strangers: it must not ring anybody.
        "allowed_mentions": {"parse": []},
        # Every attempt of a job has the same nonce: if the first one's answer was lost, Discord
        # gives back the message that it made instead of posting a second one.
        "nonce": request["job_id"].replace("-", "")[-MAX_NONCE:],
        "enforce_nonce": True,
    }
    posted = call(request["config"], f"/channels/{channel}/messages", message)
    return {
        "status": "ok",
        "result": f"posted message {posted.get('id')} to channel {channel}",
        "state_updates": {"message_id": posted.get("id")},
    }


def compose(payload: dict[str, Any], summary: str, keywords: list[str]) -> str:
    """The text of the message; where it would be too long, the summary gives way."""
    title = shorten(str(payload.get("title") or "Summary"), 200)
    head = f"**{title}**\n"
    url = str(payload.get("url") or "")
    if url and size(url) <= 400:
        # The angle brackets keep Discord from adding a preview.
        head += f"<{url}>\n"
    tail = shorten("\n**Keywords:** " + ", ".join(keywords), 500) if any(keywords) else ""
    quoted = "".join(f"> {line}\n" for line in summary.split("\n"))
    return head + shorten(quoted, MAX_CONTENT - size(head) - size(tail)) + tail


def shorten(text: str, limit: int) -> str:
    """The text, or as many of its words as fit, and an ellipsis."""
    if size(text) <= limit:
        return text
    text = text[:limit]
    while size(text) >= limit:
        text = text[:-1]
    return text.rsplit(" ", 1)[0] + "…"


def size(text: str) -> int:
    """How long Discord's clients take a text to be: characters like emoji count twice."""
    return len(text.encode("utf-16-le")) // 2


def read(name: str) -> str:
    """A file of the workspace."""
    try:
        with open(name, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except FileNotFoundError:
        raise Failure(
            f"expected {name} in the workspace, found none; "
            "put a step that writes it before this one"
        ) from None


def call(config: dict[str, Any], path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Discord's answer; with a body it is a POST."""
    token = str(config.get("token") or "")
    if not token or not token.isascii() or any(c.isspace() for c in token):
        raise Failure('expected a bot token as "token" in the config, found none or a broken one')
    url = str(config.get("base_url", DISCORD)).rstrip("/") + path
    if not url.startswith(("http://", "https://")):
        raise Failure(f'expected an http or https address, found "{url}"; check "base_url"')
    headers = {"Authorization": f"Bot {token}", "User-Agent": AGENT}
    if body is not None:
        headers["Content-Type"] = "application/json"
    data = None if body is None else json.dumps(body).encode()
    try:
        with build_opener(NoRedirect).open(Request(url, data, headers), None, TIMEOUT_SECONDS) as a:
            answer = json.load(a)
    except HTTPError as error:
        raise refusal(url, error) from error
    except (URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        message = f'no answer from {url}: {reason}; check the network and "base_url"'
        raise Failure(message, retry=True) from error
    except ValueError as error:
        raise Failure(f'expected JSON from {url}; check "base_url"', retry=True) from error
    return answer if isinstance(answer, dict) else {}


def refusal(url: str, error: HTTPError) -> Failure:
    """What Discord's refusal means."""
    try:
        details = json.load(error)
    except ValueError:
        details = {}
    details = details if isinstance(details, dict) else {}
    if error.code == 429:
        wait = details.get("retry_after", error.headers.get("Retry-After", "a few"))
        return Failure(f"Discord asks to wait {wait} seconds before the next message", retry=True)
    said = details.get("message") or error.reason
    if details.get("code"):
        said = f"{said} (code {details['code']})"
    retry = error.code == 408 or error.code >= 500
    remedy = REMEDIES.get(error.code, "it may pass" if retry else 'check "base_url" in the config')
    return Failure(f"expected 200 from {url}, found {error.code}: {said}; {remedy}", retry=retry)


def main() -> None:
    """One request on stdin, one response on stdout."""
    request = json.load(sys.stdin)
    response: dict[str, Any]
    try:
        if request["command"] == "health":
            bot = call(request["config"], "/users/@me")
            response = {"status": "ok", "result": f'the token belongs to "{bot.get("username")}"'}
        else:
            response = handle(request)
    except Failure as failure:
        response = {"status": "error", "error": str(failure), "retry": failure.retry}
    json.dump(response, sys.stdout)


if __name__ == "__main__":
    main()
