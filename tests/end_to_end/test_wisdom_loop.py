"""The wisdom loop: from a signed webhook to a finished chain of five, and the day after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from ductile.demo.hosts import DiscordApi, ReceivedMessage, VideoHost
from ductile.demo.interaction import InteractionSigner, slash_command, snowflake
from ductile.demo.layout import Layout, write_layout
from ductile.demo.speech import VIDEO_ID, VIDEO_URL, speech
from ductile.model.artifact import Change
from ductile.model.clock import SystemClock
from ductile.model.job import JobStatus
from tests.support.client import Answer, post
from tests.support.clock import START
from tests.support.ledger import chain
from tests.support.process import GatewayProcess, gateway
from tests.support.site import Chain

CHAIN: Final = ("discord-receiver", "captions", "summary", "keywords", "discord-notifier")
TOKEN: Final = "a-token-of-a-bot"
#: Notes what a plugin is asked and what it answers, beside its program.
RECORDER: Final = """\
#!/bin/sh
tee "${{0%/*}}/asked.json" | "${{0%/*}}/{program}" | tee "${{0%/*}}/answered.json"
"""
ALMOST_A_DAY: Final = 23 * 3600 + 59 * 60
A_MINUTE: Final = 60


@dataclass(frozen=True)
class Loop:
    """One chain, finished, with all that can be looked at afterwards."""

    process: GatewayProcess
    layout: Layout
    channel_id: str
    answer: Answer
    messages: tuple[ReceivedMessage, ...]

    @property
    def chain(self) -> Chain:
        event_id = self.answer.headers["x-ductile-event-id"]
        return chain(self.layout.data_dir / "ductile.db", event_id)

    def workspace(self, plugin: str) -> Path:
        return self.layout.data_dir / "ws" / self.chain.job(plugin).id

    def asked(self, plugin: str) -> dict[str, Any]:
        """The request that the plugin read from its stdin."""
        return self._note(plugin, "asked.json")

    def answered(self, plugin: str) -> dict[str, Any]:
        return self._note(plugin, "answered.json")

    def _note(self, plugin: str, name: str) -> dict[str, Any]:
        text = (self.layout.config_dir / "plugins" / plugin / name).read_text()
        note: dict[str, Any] = json.loads(text)
        return note


def record_requests(plugins: Path) -> None:
    """Put a program before each plugin's own that notes what goes in and out."""
    for manifest in plugins.glob("*/manifest.yaml"):
        [line] = [each for each in manifest.read_text().splitlines() if "entrypoint:" in each]
        recorder = manifest.with_name("recorder")
        recorder.write_text(RECORDER.format(program=line.split()[1]))
        recorder.chmod(0o755)
        manifest.write_text(manifest.read_text().replace(line, "entrypoint: recorder"))


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """A chain that ran on the demo's plugins and hosts, at a time that stands still."""
    signer, channel_id = InteractionSigner(), snowflake(START)
    with (
        VideoHost({VIDEO_ID: speech()}) as host,
        DiscordApi(TOKEN, now=SystemClock().now) as discord,
    ):
        layout = write_layout(
            tmp_path_factory.mktemp("loop"),
            video_base_url=host.url,
            discord_base_url=discord.base_url,
            discord_token=TOKEN,
            public_key_hex=signer.public_key_hex,
            ttl="24h",
            janitor_interval="100ms",
        )
        record_requests(layout.config_dir / "plugins")
        with gateway(
            layout.config_dir,
            environment=layout.environment,
            program=("-m", "tests.support.gateway_with_clock", "{}"),
        ) as process:
            command = slash_command(VIDEO_URL, at=START, channel_id=channel_id)
            request = signer.sign(command, at=START)
            answer = post(process.address, "/webhooks/discord", request.body, request.headers)
            process.wait_for("run settled")
            yield Loop(process, layout, channel_id, answer, discord.messages)


def test_the_webhook_is_accepted_with_the_answer_that_discord_shows(loop: Loop) -> None:
    assert (loop.answer.status, loop.answer.json["data"]["content"]) == (200, "Accepted.")


def test_the_event_holds_the_link(loop: Loop) -> None:
    assert loop.chain.records.events[0].payload["data"]["options"][0]["value"] == VIDEO_URL


def test_the_ledger_shows_a_chain_of_five_distinct_jobs(loop: Loop) -> None:
    assert tuple(job.plugin for job in loop.chain.jobs) == CHAIN
    assert len({job.id for job in loop.chain.jobs}) == 5


def test_each_job_succeeded_at_the_first_attempt(loop: Loop) -> None:
    ended = [(job.status, job.attempt, job.last_error) for job in loop.chain.jobs]
    assert ended == 5 * [(JobStatus.SUCCEEDED, 1, None)]


def test_each_job_is_the_child_of_the_one_before(loop: Loop) -> None:
    ids = [job.id for job in loop.chain.jobs]
    assert [job.parent_job_id for job in loop.chain.jobs] == [None, *ids[:-1]]


def test_the_notifier_is_asked_with_the_channel_of_the_first_job(loop: Loop) -> None:
    assert loop.asked("discord-notifier")["event"]["payload"]["channel_id"] == loop.channel_id


@pytest.mark.parametrize("plugin", CHAIN[1:-1])
def test_the_plugins_between_do_not_know_of_a_channel(loop: Loop, plugin: str) -> None:
    folder = loop.layout.config_dir / "plugins" / plugin
    programs = [path for path in folder.iterdir() if path.suffix in {".py", ".sh"}]
    assert programs
    assert not any("channel" in path.read_text() for path in programs)
    assert "channel" not in json.dumps(loop.answered(plugin))


def test_the_message_reaches_the_channel(loop: Loop) -> None:
    assert [message.channel_id for message in loop.messages] == [loop.channel_id]


def test_the_last_job_reads_the_summary_written_two_steps_before(loop: Loop) -> None:
    summary = loop.workspace("discord-notifier") / "summary.txt"
    first_sentence = summary.read_text().splitlines()[0]
    assert first_sentence in loop.messages[0].body["content"]


def test_the_summary_was_written_by_the_third_job_and_by_no_other(loop: Loop) -> None:
    changes = {
        job.plugin: artifact.change
        for job in loop.chain.jobs
        for artifact in loop.chain.records.artifacts.get(job.id, ())
        if artifact.path == "summary.txt"
    }
    assert changes == {"summary": Change.ADDED}


def test_the_summary_was_handed_on_without_a_copy(loop: Loop) -> None:
    files = [loop.workspace(plugin) / "summary.txt" for plugin in CHAIN[2:]]
    assert len({file.stat().st_ino for file in files}) == 1


def test_workspaces_go_after_a_day_and_not_before_and_the_ledger_stays(loop: Loop) -> None:
    before, directories = loop.chain.records, [loop.workspace(plugin) for plugin in CHAIN]

    loop.process.tell(f"advance {ALMOST_A_DAY}")
    loop.process.tell("clean")
    loop.process.wait_for("^deleted 0$")
    assert all(directory.is_dir() for directory in directories)

    loop.process.tell(f"advance {A_MINUTE}")
    # By itself: nobody tells the janitor to come.
    loop.process.wait_for("workspaces deleted.* directories=5")
    assert not any(directory.exists() for directory in directories)
    assert loop.chain.records == before
