"""A workspace, the two hosts, and an address where nobody answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ductile.demo.hosts import DiscordApi, Video, VideoHost
from ductile.demo.hosts.loopback import Answer, LoopbackServer, Request
from ductile.demo.speech import VIDEO_ID, speech
from tests.plugins_bundled.process import Bench

BOT_TOKEN = "bot-token-of-this-test"
CHANNEL = "1180000000000000001"
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
#: Captions that roll, as automatic ones do: the last line of a cue is the first of the next.
ROLLING = """WEBVTT
Kind: captions
Language: en

00:00:00.000 --> 00:00:02.000 align:start position:0%
\x20
four<00:00:00.500><c> score</c><00:00:01.000><c> and</c>

00:00:02.000 --> 00:00:02.010 align:start position:0%
four score and
\x20

00:00:02.010 --> 00:00:04.000 align:start position:0%
four score and
seven<00:00:02.500><c> years</c> &amp; more

00:00:03.500 --> 00:00:05.000 align:start position:0%
seven years &amp; more
no
no
"""


class Stubborn(LoopbackServer):
    """A host that answers everything with the same."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer
        self.requests: list[Request] = []

    def respond(self, request: Request) -> Answer:
        self.requests.append(request)
        return self.answer


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return Bench(workspace)


@pytest.fixture
def video_host() -> Iterator[VideoHost]:
    videos = {
        VIDEO_ID: speech(),
        "gated______": Video("Gated & <guarded>", "A", ROLLING, gated=True),
        "rolling____": Video("Rolling", "A", ROLLING),
        "deutsch____": Video("Rede", "B", ROLLING, language="de-AT"),
        "silent_____": Video("Silent", "C", None),
        "wordless___": Video("Wordless", "D", "WEBVTT\n\n00:00.000 --> 00:01.000\n<i> </i>\n"),
        "not_vtt____": Video("Not WebVTT", "E", "<transcript/>"),
    }
    with VideoHost(videos) as host:
        yield host


@pytest.fixture
def discord() -> Iterator[DiscordApi]:
    with DiscordApi(BOT_TOKEN, now=lambda: NOW, channels={CHANNEL}) as api:
        yield api


@pytest.fixture
def nobody() -> Iterator[str]:
    """The address of a port that is taken but does not listen."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
