"""The five plugins after one another, as the demo's pipeline runs them."""

from __future__ import annotations

import os
import stat
from typing import Any

import pytest

from ductile.demo.hosts import DiscordApi, VideoHost
from ductile.demo.interaction import slash_command
from ductile.demo.layout import PLUGINS
from ductile.demo.speech import VIDEO_ID, VIDEO_URL
from tests.plugins_bundled.conftest import BOT_TOKEN, CHANNEL, NOW
from tests.plugins_bundled.process import Bench, executable, manifest

NAMES = ["discord-receiver", "captions", "summary", "keywords", "discord-notifier"]


def run_chain(bench: Bench, video_host: VideoHost, discord: DiscordApi) -> dict[str, Any]:
    """The baggage at the end, put together as the gateway does it."""
    baggage = slash_command(VIDEO_URL, at=NOW, channel_id=CHANNEL)
    [event] = bench.run("discord-receiver", baggage).events
    assert event["type"] == "discord.video_shared"
    baggage |= event["payload"]
    baggage |= bench.run("captions", baggage, config={"base_url": video_host.url}).updates
    baggage |= bench.run("summary", baggage).updates
    baggage |= bench.run("keywords", baggage).updates
    config = {"base_url": discord.base_url, "token": BOT_TOKEN}
    return baggage | bench.run("discord-notifier", baggage, config=config).updates


def test_a_shared_link_becomes_a_message_in_its_channel(
    bench: Bench, video_host: VideoHost, discord: DiscordApi
) -> None:
    baggage = run_chain(bench, video_host, discord)
    [message] = discord.messages
    assert message.channel_id == CHANNEL
    assert message.headers["authorization"] == f"Bot {BOT_TOKEN}"
    content = message.body["content"]
    assert "Abraham Lincoln: Second Inaugural Address" in content
    assert VIDEO_URL in content
    assert "> With malice toward none, with charity for all" in content
    assert "**Keywords:** war, god, union" in content
    assert message.body["allowed_mentions"] == {"parse": []}
    assert baggage["video_id"] == VIDEO_ID
    assert baggage["message_id"] == message.message["id"]
    assert bench.files() == {"captions.vtt", "transcript.txt", "summary.txt", "keywords.txt"}


def test_a_second_run_in_the_same_workspace_replaces_files_and_posts_once(
    bench: Bench, video_host: VideoHost, discord: DiscordApi
) -> None:
    run_chain(bench, video_host, discord)
    # As in a cloned workspace: the file is sealed and shared with the parent by a hard link.
    before = {name: os.stat(bench.workspace / name).st_ino for name in bench.files()}
    for name in bench.files():
        (bench.workspace / name).chmod(0o444)
        os.link(bench.workspace / name, bench.workspace.parent / name)
    run_chain(bench, video_host, discord)
    after = {name: os.stat(bench.workspace / name).st_ino for name in bench.files()}
    assert after.keys() == before.keys()
    assert all(after[name] != before[name] for name in before)
    assert len(discord.messages) == 1


def test_the_token_is_in_no_answer_and_no_file(
    bench: Bench, video_host: VideoHost, discord: DiscordApi
) -> None:
    baggage = run_chain(bench, video_host, discord)
    del baggage["token"]  # the interaction's own
    assert BOT_TOKEN not in str(baggage)
    assert all(BOT_TOKEN not in bench.read(name) for name in bench.files())


@pytest.mark.parametrize("name", ["captions", "summary", "keywords"])
def test_the_plugins_in_the_middle_know_nothing_of_channels(name: str) -> None:
    for path in (PLUGINS / name).iterdir():
        assert "channel" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_says_what_is_there(name: str) -> None:
    said = manifest(name)
    assert said["manifest_spec"] == "ductile.plugin"
    assert said["manifest_version"] == 1
    assert said["name"] == name
    assert said["protocol"] == 2
    assert {command["name"] for command in said["commands"]} <= {"handle", "health"}
    assert all(command["type"] in {"read", "write"} for command in said["commands"])
    mode = executable(name).stat().st_mode
    assert mode & stat.S_IXUSR
    assert not (PLUGINS / name).stat().st_mode & stat.S_IWOTH


def test_every_plugin_has_a_test_here() -> None:
    assert sorted(NAMES) == sorted(path.name for path in PLUGINS.iterdir())
