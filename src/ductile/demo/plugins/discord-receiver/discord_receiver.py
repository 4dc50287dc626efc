#!/usr/bin/env python3
"""Turn a Discord slash command that carries a video link into a `discord.video_shared` event."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

APPLICATION_COMMAND = 2
STRING_OPTION = 3
VIDEO_HOSTS = ["youtube.com", "youtu.be"]
URL = re.compile(r"https?://[^\s<>\"]+")
VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")


class Failure(Exception):
    """The interaction holds no video; trying again would find none either."""


def handle(payload: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The response to one interaction."""
    if payload.get("type") != APPLICATION_COMMAND:
        raise Failure(
            f"expected an application command (type {APPLICATION_COMMAND}), found type "
            f"{payload.get('type')!r}; point only a slash command at this endpoint"
        )
    data = payload.get("data")
    data = data if isinstance(data, dict) else {}
    wanted = str(config.get("option", "url"))
    hosts = config.get("hosts", VIDEO_HOSTS)
    # The option made for it comes first; a link in any other text is the second choice.
    options = sorted(string_options(data), key=lambda option: option[0] != wanted)
    urls = [url for _, text in options for url in URL.findall(text)]
    for url in urls:
        video_id = video_id_of(url, hosts)
        if video_id:
            video = {"url": url, "video_id": video_id}
            return {
                "status": "ok",
                "result": f"video {video_id} was shared",
                "events": [{"type": "discord.video_shared", "payload": video}],
            }
    found = f"found {urls[0]}" if urls else "found no link"
    raise Failure(
        f'expected a link to a video ({", ".join(hosts)}) in option "{wanted}" of command '
        f'"{data.get("name", "?")}", {found}; give the link of one video, such as '
        "https://youtu.be/<video id>"
    )


def string_options(holder: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and text of every string option, those of sub-commands included."""
    for option in holder.get("options") or []:
        if option.get("type") == STRING_OPTION:
            yield str(option.get("name")), str(option.get("value"))
        yield from string_options(option)


def video_id_of(url: str, hosts: list[str]) -> str | None:
    """The id in /watch?v=ID, /shorts/ID, /live/ID, /embed/ID or, for short links, /ID."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:  # such as a bracket that is never closed
        return None
    if not any(host == known or host.endswith("." + known) for known in hosts):
        return None
    folders = parts.path.strip("/").split("/")
    candidate = folders[-1]
    if candidate == "watch":
        candidate = parse_qs(parts.query).get("v", [""])[0]
    return candidate if VIDEO_ID.fullmatch(candidate) else None


def main() -> None:
    """One request on stdin, one response on stdout."""
    request = json.load(sys.stdin)
    try:
        response = handle(request["event"]["payload"], request["config"])
    except Failure as failure:
        response = {"status": "error", "error": str(failure), "retry": False}
    json.dump(response, sys.stdout)


if __name__ == "__main__":
    main()
