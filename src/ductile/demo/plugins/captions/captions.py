#!/usr/bin/env python3
"""Download the captions of a YouTube video: `captions.vtt` and `transcript.txt`."""

from __future__ import annotations

import html
import json
import os
import re
import sys
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit
from urllib.request import Request, urlopen

MAX_BYTES = 20 * 1024 * 1024
TIMEOUT_SECONDS = 30
BROWSER = "Mozilla/5.0 (X11; Linux x64; rv:128.0) Gecko/20100101 Firefox/128.0"
ANDROID = {"client": {"clientName": "ANDROID", "clientVersion": "20.10.38"}}


class Failure(Exception):
    """What went wrong, and whether another attempt may go better."""

    def __init__(self, message: str, *, retry: bool = False) -> None:
        super().__init__(message)
        self.retry = retry


def handle(payload: dict[str, Any], base_url: str, lang: str) -> dict[str, Any]:
    """Write both files and say what was found."""
    video_id = str(payload.get("video_id") or "")
    if not video_id:
        raise Failure('expected "video_id" in the payload, found none; start with a video event')
    video, vtt = download(base_url, video_id, lang)
    transcript = "\n".join(text_lines(vtt))
    if not transcript:
        raise Failure(f"the captions of video {video_id} hold no text; choose another video")
    write("captions.vtt", vtt)
    write("transcript.txt", transcript + "\n")
    words = len(transcript.split())
    title = video.get("title") or video_id
    return {
        "status": "ok",
        "result": f'{words} words of captions of "{title}"',
        "state_updates": {
            "title": title,
            "author": video.get("author") or "",
            "language": lang,
            "word_count": words,
        },
    }


# --- the video host -------------------------------------------------------------------------


def download(base_url: str, video_id: str, lang: str) -> tuple[dict[str, Any], str]:
    """The video's details and its captions as WebVTT."""
    page = fetch(f"{base_url}/watch?v={quote(video_id, safe='')}")
    player = embedded_player(page, video_id)
    vtt = fetch(track_url(player, base_url, video_id, lang))
    if not vtt.strip():
        # YouTube answers with an empty body when it wants proof that a browser asks. The
        # caption addresses that it gives to its Android client need no such proof.
        player = android_player(base_url, page, video_id)
        vtt = fetch(track_url(player, base_url, video_id, lang))
    if not vtt.lstrip("\ufeff").startswith("WEBVTT"):
        found = f'"{vtt[:40].strip()}"' if vtt.strip() else "an empty answer"
        raise Failure(
            f"expected WebVTT as captions of video {video_id}, found {found}; "
            "the host may be refusing programs, try again later",
            retry=True,
        )
    details: dict[str, Any] = player.get("videoDetails") or {}
    return details, vtt


def embedded_player(page: str, video_id: str) -> dict[str, Any]:
    """The player's data, which the watch page carries as a JavaScript literal."""
    start = re.search(r"ytInitialPlayerResponse\s*=\s*(?=\{)", page)
    if start is None:
        title = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
        found = f'a page titled "{html.unescape(title[1]).strip()}"' if title else "another page"
        raise Failure(
            f"expected the watch page of video {video_id}, found {found}; "
            "open it in a browser to see what the host asks for"
        )
    return parsed(page[start.end() :], f"the watch page of video {video_id}")


def android_player(base_url: str, page: str, video_id: str) -> dict[str, Any]:
    """The player's data as the host gives it to its Android client."""
    key = re.search(r'"INNERTUBE_API_KEY":\s*"([\w-]+)"', page)
    url = f"{base_url}/youtubei/v1/player" + (f"?key={key[1]}" if key else "")
    question = json.dumps({"context": ANDROID, "videoId": video_id}).encode()
    return parsed(fetch(url, question), url.split("?")[0])


def parsed(text: str, where: str) -> dict[str, Any]:
    """The JSON object that `text` begins with."""
    try:
        value = json.JSONDecoder().raw_decode(text)[0]
    except ValueError as error:
        raise Failure(f"expected JSON in {where}, found {text[:40]!r}", retry=True) from error
    return value if isinstance(value, dict) else {}


def track_url(player: dict[str, Any], base_url: str, video_id: str, lang: str) -> str:
    """Where the captions in `lang` are, as WebVTT; those made by people before automatic ones."""
    playability = player.get("playabilityStatus") or {}
    if playability.get("status", "OK") != "OK":
        reason = playability.get("reason") or playability["status"]
        raise Failure(f"video {video_id} can not be played: {reason}; check the link")
    renderer = (player.get("captions") or {}).get("playerCaptionsTracklistRenderer") or {}
    tracks = renderer.get("captionTracks") or []
    if not tracks:
        raise Failure(f"video {video_id} has no captions; choose a video that has")
    codes = [track["languageCode"] for track in tracks]
    fitting = [track for track in tracks if track["languageCode"].split("-")[0] == lang]
    fitting = [track for track in tracks if track["languageCode"] == lang] or fitting
    if not fitting:
        raise Failure(
            f'video {video_id} has no captions in "{lang}", it has {", ".join(codes)}; '
            'set "lang" to one of these'
        )
    best = min(fitting, key=lambda track: track.get("kind") == "asr")
    parts = urlsplit(urljoin(base_url, str(best["baseUrl"])))
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "fmt"]
    query.append(("fmt", "vtt"))
    return parts._replace(query=urlencode(query)).geturl()


def fetch(url: str, body: bytes | None = None) -> str:
    """The text at `url`; with a body it is a POST of JSON."""
    where = url.split("?")[0]
    # urlopen would also read files, and an address may come out of a page.
    if not where.startswith(("http://", "https://")):
        raise Failure(f'expected an http or https address, found "{where}"; check "base_url"')
    headers = {"User-Agent": BROWSER, "Accept-Language": "en"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        with urlopen(Request(url, body, headers), timeout=TIMEOUT_SECONDS) as answer:
            data: bytes = answer.read(MAX_BYTES + 1)
    except HTTPError as error:
        again = error.code in (408, 429) or error.code >= 500
        remedy = "it may pass" if again else 'check the video and "base_url"'
        message = f"expected 200 from {where}, found {error.code} {error.reason}; {remedy}"
        raise Failure(message, retry=again) from error
    except (URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        message = f'no answer from {where}: {reason}; check the network and "base_url"'
        raise Failure(message, retry=True) from error
    if len(data) > MAX_BYTES:
        raise Failure(f"expected at most {MAX_BYTES} bytes from {where}, found more")
    return data.decode("utf-8", "replace")


# --- WebVTT ---------------------------------------------------------------------------------


def text_lines(vtt: str) -> list[str]:
    """What is said, line by line.

    Captions that roll repeat the last lines of one cue at the top of the next: such lines are
    taken once.
    """
    said: list[str] = []
    shown: list[str] = []
    # Only an empty line ends a cue: rolling captions hold lines of one space.
    for block in re.split("\n{2,}", vtt.replace("\r\n", "\n").replace("\r", "\n")):
        lines = cue_lines(block)
        if lines is None:
            continue
        repeated = max(n for n in range(len(lines) + 1) if not n or shown[-n:] == lines[:n])
        said += lines[repeated:]
        shown = lines
    return said


def cue_lines(block: str) -> list[str] | None:
    """The text of a cue; None for a header, a note, a style or a region: they hold no arrow."""
    _, timing, after = block.partition("-->")
    if not timing:
        return None
    plain = (html.unescape(re.sub(r"<[^>]*>", "", line)) for line in after.split("\n")[1:])
    return [" ".join(line.split()) for line in plain if line.strip()]


def write(name: str, text: str) -> None:
    """A new file under the old name: a file that came with the workspace is never written to."""
    with open(name + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(name + ".new", name)


def main() -> None:
    """One request on stdin, one response on stdout."""
    request = json.load(sys.stdin)
    base_url = str(request["config"].get("base_url", "https://www.youtube.com")).rstrip("/")
    lang = str(request["config"].get("lang", "en"))
    response: dict[str, Any]
    try:
        if request["command"] == "health":
            fetch(f"{base_url}/robots.txt")
            response = {"status": "ok", "result": f"{base_url} answers"}
        else:
            response = handle(request["event"]["payload"], base_url, lang)
    except Failure as failure:
        response = {"status": "error", "error": str(failure), "retry": failure.retry}
    json.dump(response, sys.stdout)


if __name__ == "__main__":
    main()
