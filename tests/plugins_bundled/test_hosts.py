"""The stand-ins for the two hosts: they answer as the real ones do."""

from __future__ import annotations

import json
import re
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from ductile.demo.hosts import DiscordApi, VideoHost
from ductile.demo.hosts.loopback import LoopbackServer
from ductile.demo.speech import CAPTIONS, VIDEO_ID
from tests.plugins_bundled.conftest import BOT_TOKEN, CHANNEL, NOW

MESSAGES = f"/api/v10/channels/{CHANNEL}/messages"


def ask(
    server: LoopbackServer, method: str, path: str, body: object = None, token: str = BOT_TOKEN
) -> tuple[int, str, dict[str, str]]:
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    try:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, data, {"Authorization": f"Bot {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def post(discord: DiscordApi, body: object, path: str = MESSAGES) -> tuple[int, Any]:
    status, text, _ = ask(discord, "POST", path, body)
    return status, json.loads(text)


def player_of(page: str) -> dict[str, Any]:
    literal = re.search(r"var ytInitialPlayerResponse = (\{.*\});var", page)
    assert literal
    player: dict[str, Any] = json.loads(literal[1])
    return player


def test_a_watch_page_leads_to_the_captions(video_host: VideoHost) -> None:
    status, page, headers = ask(video_host, "GET", f"/watch?v={VIDEO_ID}")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    renderer = player_of(page)["captions"]["playerCaptionsTracklistRenderer"]
    [track] = renderer["captionTracks"]
    assert track["baseUrl"].startswith(video_host.url + "/api/timedtext?v=Lincoln1865&")
    path = track["baseUrl"].removeprefix(video_host.url)
    status, captions, headers = ask(video_host, "GET", path + "&fmt=vtt")
    assert (status, headers["Content-Type"]) == (200, "text/vtt; charset=UTF-8")
    assert captions == CAPTIONS.read_text(encoding="utf-8")


def test_captions_without_the_signature_are_empty(video_host: VideoHost) -> None:
    path = f"/api/timedtext?v={VIDEO_ID}&lang=en&fmt=vtt"
    assert ask(video_host, "GET", path)[:2] == (200, "")
    assert ask(video_host, "GET", path + "&signature=0")[:2] == (200, "")


def test_markup_in_a_title_stays_inside_its_script(video_host: VideoHost) -> None:
    _, page, _ = ask(video_host, "GET", "/watch?v=gated______")
    assert "<title>Gated &amp; &lt;guarded&gt; - YouTube</title>" in page
    assert player_of(page)["videoDetails"]["title"] == "Gated & <guarded>"


def test_an_unknown_video_is_a_page_that_says_so(video_host: VideoHost) -> None:
    status, page, _ = ask(video_host, "GET", "/watch?v=unknown")
    assert status == 200
    playability = {"status": "ERROR", "reason": "Video unavailable"}
    assert player_of(page) == {"playabilityStatus": playability}


def test_unknown_paths_of_the_video_host_are_404(video_host: VideoHost) -> None:
    assert ask(video_host, "GET", "/")[0] == 404
    assert ask(video_host, "POST", "/watch")[0] == 404
    assert ask(video_host, "POST", "/youtubei/v1/player", b"{")[0] == 400


def test_a_message_is_kept_and_answered_as_an_object(discord: DiscordApi) -> None:
    status, message = post(discord, {"content": "hello"})
    assert status == 200
    assert message["content"] == "hello"
    assert message["channel_id"] == CHANNEL
    assert message["author"]["bot"] is True
    assert message["timestamp"] == NOW.isoformat()
    [received] = discord.messages
    assert received.message == message
    assert received.body == {"content": "hello"}
    assert received.headers["authorization"] == f"Bot {BOT_TOKEN}"


def test_a_nonce_is_enforced_where_that_is_asked_for(discord: DiscordApi) -> None:
    once = {"content": "hello", "nonce": "n", "enforce_nonce": True}
    assert post(discord, once) == post(discord, once)
    assert len(discord.messages) == 1
    post(discord, {"content": "hello", "nonce": "n"})
    assert len(discord.messages) == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", 50109),
        (b"\xff", 50109),
        ([], 50035),
        ({"content": ""}, 50006),
        ({}, 50006),
        ({"content": 3}, 50035),
        ({"content": "x" * 2001}, 50035),
        ({"content": "x", "nonce": "n" * 26}, 50035),
    ],
)
def test_a_bad_message_is_refused(discord: DiscordApi, body: object, code: int) -> None:
    status, error = post(discord, body)
    assert (status, error["code"]) == (400, code)
    assert discord.messages == ()


def test_refusals_have_the_form_of_discord(discord: DiscordApi) -> None:
    status, text, _ = ask(discord, "POST", MESSAGES, {"content": "x"}, token="wrong")
    assert (status, json.loads(text)) == (401, {"message": "401: Unauthorized", "code": 0})
    assert post(discord, {}, "/api/v10/nowhere") == (404, {"message": "404: Not Found", "code": 0})
    unknown = {"message": "Unknown Channel", "code": 10003}
    assert post(discord, {}, "/api/v10/channels/4/messages") == (404, unknown)
    assert ask(discord, "GET", MESSAGES)[0] == 405
    assert ask(discord, "DELETE", MESSAGES)[0] == 405


def test_a_rate_limit_lasts_for_the_given_number_of_requests(discord: DiscordApi) -> None:
    discord.limit(1, retry_after=0.5)
    status, text, headers = ask(discord, "POST", MESSAGES, {"content": "x"})
    assert status == 429
    assert headers["Retry-After"] == "1"
    refusal = {"message": "You are being rate limited.", "retry_after": 0.5, "global": False}
    assert json.loads(text) == refusal
    assert post(discord, {"content": "x"})[0] == 200


def test_start_and_stop_may_come_in_any_number_and_order() -> None:
    api = DiscordApi(BOT_TOKEN, now=lambda: NOW)
    api.stop()
    with pytest.raises(RuntimeError, match="before it is started"):
        _ = api.url
    api.start()
    first = api.url
    api.start()
    assert api.url == first
    api.stop()
    api.stop()
    with api:
        assert (
            post(api, {"content": "any channel will do"}, "/api/v10/channels/4/messages")[0] == 200
        )
