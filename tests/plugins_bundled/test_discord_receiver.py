"""discord-receiver: from an interaction to a video."""

from __future__ import annotations

from typing import Any

import pytest

from ductile.demo.interaction import ping, slash_command
from tests.plugins_bundled.conftest import NOW
from tests.plugins_bundled.process import Bench

ID = "Lincoln1865"


def command(*options: dict[str, Any]) -> dict[str, Any]:
    interaction = slash_command("", at=NOW)
    interaction["data"]["options"] = list(options)
    return interaction


def text(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "type": 3, "value": value}


@pytest.mark.parametrize(
    "url",
    [
        f"https://www.youtube.com/watch?v={ID}",
        f"https://m.youtube.com/watch?list=PL1&v={ID}&t=10s",
        f"http://youtube.com/watch/?v={ID}",
        f"https://youtu.be/{ID}?si=x",
        f"https://www.youtube.com/shorts/{ID}",
        f"https://www.youtube.com/live/{ID}?feature=share",
        f"https://www.youtube.com/embed/{ID}",
    ],
)
def test_every_form_of_link_is_understood(bench: Bench, url: str) -> None:
    response = bench.run("discord-receiver", slash_command(url, at=NOW))
    assert response.events == [
        {"type": "discord.video_shared", "payload": {"url": url, "video_id": ID}}
    ]
    assert response.updates == {}


def test_the_option_for_the_link_wins_over_links_in_other_options(bench: Bench) -> None:
    other, wanted = "https://youtu.be/otherother1", f"https://youtu.be/{ID}"
    payload = command(text("note", f"like {other}"), text("url", wanted))
    [event] = bench.run("discord-receiver", payload).events
    assert event["payload"]["video_id"] == ID
    [event] = bench.run("discord-receiver", payload, config={"option": "note"}).events
    assert event["payload"] == {"url": other, "video_id": "otherother1"}


def test_a_link_in_the_text_of_a_sub_command_is_found(bench: Bench) -> None:
    inner = {"name": "add", "type": 1, "options": [text("words", f"see <https://youtu.be/{ID}>")]}
    number = {"name": "n", "type": 4, "value": 3}
    [event] = bench.run("discord-receiver", command(number, inner)).events
    assert event["payload"] == {"url": f"https://youtu.be/{ID}", "video_id": ID}


def test_hosts_can_be_added(bench: Bench) -> None:
    url = f"https://videos.example/watch?v={ID}"
    response = bench.run("discord-receiver", slash_command(url, at=NOW))
    assert f"found {url}" in response.error
    config = {"hosts": ["videos.example"]}
    response = bench.run("discord-receiver", slash_command(url, at=NOW), config=config)
    assert response.events[0]["payload"]["video_id"] == ID


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (command(), "found no link"),
        (command(text("url", "not a link")), "found no link"),
        (slash_command("https://www.youtube.com/watch?v=short", at=NOW), "watch?v=short"),
        (slash_command("https://www.youtube.com/feed/library", at=NOW), "/feed/library"),
        (slash_command("https://notyoutube.com/watch?v=Lincoln1865", at=NOW), "notyoutube.com"),
        (slash_command("https://[youtu.be/Lincoln1865", at=NOW), "found https://[youtu.be/"),
        ({"type": 2}, "found no link"),
        (ping(at=NOW), "expected an application command (type 2), found type 1"),
        ({"hello": "world"}, "found type None"),
    ],
)
def test_without_a_video_it_fails_for_good(
    bench: Bench, payload: dict[str, Any], words: str
) -> None:
    response = bench.run("discord-receiver", payload)
    assert words in response.error
    assert not response.retry
