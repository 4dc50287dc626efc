"""A video host that serves watch pages and captions as YouTube does."""

from __future__ import annotations

import html
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ductile.demo.hosts.loopback import Answer, LoopbackServer, Request, json_answer

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>{title} - YouTube</title>
<script nonce="{nonce}">var ytInitialPlayerResponse = null;</script>
<script nonce="{nonce}">ytcfg.set({{"INNERTUBE_API_KEY":"{key}","HL":"en"}});</script></head>
<body dir="ltr"><div id="player"></div>
<script nonce="{nonce}">var ytInitialPlayerResponse = {player};var meta = 1;</script>
</body></html>
"""


@dataclass(frozen=True)
class Video:
    """One video of the host."""

    title: str
    author: str
    captions: str | None
    """WebVTT; None for a video without captions."""
    language: str = "en"
    gated: bool = False
    """The caption addresses of the watch page lead to an empty body, as they often do on
    YouTube; those that the Android client is given work."""


class VideoHost(LoopbackServer):
    """`/watch?v=ID`, `/youtubei/v1/player` and `/api/timedtext`, for the videos it is given."""

    def __init__(self, videos: Mapping[str, Video]) -> None:
        super().__init__()
        self._videos = dict(videos)
        self._api_key = "AIza" + secrets.token_urlsafe(26)
        self._signature = secrets.token_hex(20).upper()

    def respond(self, request: Request) -> Answer:
        match request.method, request.path:
            case "GET", "/watch":
                return self._watch(request.query.get("v", ""))
            case "POST", "/youtubei/v1/player":
                return self._player_api(request)
            case "GET", "/api/timedtext":
                return self._timedtext(request.query)
            case "GET", "/robots.txt":
                return Answer(200, b"User-agent: *\nDisallow: /api/\n", "text/plain")
            case _:
                page = b"<!DOCTYPE html><title>404 Not Found</title>"
                return Answer(404, page, "text/html; charset=utf-8")

    def _watch(self, video_id: str) -> Answer:
        video = self._videos.get(video_id)
        player = self._player(video_id, client="WEB")
        page = PAGE.format(
            title=html.escape(video.title) if video else "",
            nonce=secrets.token_urlsafe(16),
            key=self._api_key,
            # As in a real page: `&` is written out, and no text can end the script.
            player=json.dumps(player).replace("&", "\\u0026").replace("<", "\\u003c"),
        )
        # A video that does not exist is a 200 as well; the player says what is wrong.
        return Answer(200, page.encode(), "text/html; charset=utf-8")

    def _player_api(self, request: Request) -> Answer:
        try:
            question = json.loads(request.body)
            client, video_id = question["context"]["client"]["clientName"], question["videoId"]
        except (ValueError, KeyError, TypeError):
            error = {"code": 400, "message": "Invalid JSON payload", "status": "INVALID_ARGUMENT"}
            return json_answer(400, {"error": error})
        return json_answer(200, self._player(str(video_id), client=str(client)))

    def _player(self, video_id: str, *, client: str) -> dict[str, Any]:
        video = self._videos.get(video_id)
        if video is None:
            return {"playabilityStatus": {"status": "ERROR", "reason": "Video unavailable"}}
        player: dict[str, Any] = {
            "playabilityStatus": {"status": "OK", "playableInEmbed": True},
            "videoDetails": {
                "videoId": video_id,
                "title": video.title,
                "author": video.author,
                "isLiveContent": False,
            },
        }
        if video.captions is not None:
            track = {
                "baseUrl": self._track_url(video_id, video, client),
                "name": {"simpleText": video.language},
                "vssId": f".{video.language}",
                "languageCode": video.language,
                "isTranslatable": True,
                "trackName": "",
            }
            player["captions"] = {"playerCaptionsTracklistRenderer": {"captionTracks": [track]}}
        return player

    def _track_url(self, video_id: str, video: Video, client: str) -> str:
        gate = {"exp": "xpe"} if video.gated and client == "WEB" else {}
        query = {
            "v": video_id,
            "ip": "0.0.0.0",
            "ipbits": "0",
            "sparams": "ip,ipbits,v",
            "signature": self._signature,
            "key": "yt8",
            "lang": video.language,
            **gate,
        }
        return f"{self.url}/api/timedtext?{urlencode(query)}"

    def _timedtext(self, query: Mapping[str, str]) -> Answer:
        video = self._videos.get(query.get("v", ""))
        served = (
            video is not None
            and video.captions is not None
            and query.get("lang") == video.language
            and query.get("fmt") == "vtt"
            and query.get("exp") != "xpe"
            and secrets.compare_digest(query.get("signature", ""), self._signature)
        )
        # The real host refuses captions with an empty 200.
        text = video.captions if served and video and video.captions else ""
        return Answer(200, text.encode(), "text/vtt; charset=UTF-8")
