"""discord-notifier: from two files to one message."""

from __future__ import annotations

from typing import Any

import pytest

from ductile.demo.hosts import DiscordApi
from ductile.demo.hosts.loopback import Answer, json_answer
from tests.plugins_bundled.conftest import BOT_TOKEN, CHANNEL, Stubborn
from tests.plugins_bundled.process import JOB_ID, Bench, Response


@pytest.fixture
def ready(bench: Bench) -> Bench:
    """A workspace with the two files that the plugin reads."""
    bench.write("summary.txt", "It began.\nIt ended.\n")
    bench.write("keywords.txt", "begin\nend\n")
    return bench


def run(bench: Bench, base_url: str, token: str = BOT_TOKEN, **payload: Any) -> Response:
    config = {"base_url": base_url, "token": token}
    response = bench.run("discord-notifier", {"channel_id": CHANNEL, **payload}, config=config)
    assert not token or token not in response.stdout
    return response


def test_a_message_has_title_link_summary_and_keywords(ready: Bench, discord: DiscordApi) -> None:
    response = run(ready, discord.base_url, title="A talk", url="https://youtu.be/x")
    [message] = discord.messages
    assert message.body["content"] == (
        "**A talk**\n<https://youtu.be/x>\n> It began.\n> It ended.\n\n**Keywords:** begin, end"
    )
    assert response.value["result"] == (
        f"posted message {message.message['id']} to channel {CHANNEL}"
    )
    assert response.updates == {"message_id": message.message["id"]}


def test_a_message_without_title_and_keywords_still_has_a_summary(
    ready: Bench, discord: DiscordApi
) -> None:
    ready.write("keywords.txt", "")
    run(ready, discord.base_url)
    [message] = discord.messages
    assert message.body["content"] == "**Summary**\n> It began.\n> It ended.\n"


@pytest.mark.parametrize("letter", ["a", "é", "🙂"])
def test_a_long_summary_gives_way_and_the_rest_stays(
    ready: Bench, discord: DiscordApi, letter: str
) -> None:
    ready.write("summary.txt", f"{letter * 20} " * 500)
    run(ready, discord.base_url, title="T" * 1000, url="https://x/" + "u" * 5000)
    [message] = discord.messages
    content = message.body["content"]
    assert 1900 < len(content.encode("utf-16-le")) / 2 <= 2000
    assert content.startswith("**TTT")
    assert f"{letter * 20}…\n**Keywords:** begin, end" in content
    assert "https://x/" not in content


def test_the_attempts_of_a_job_post_one_message(ready: Bench, discord: DiscordApi) -> None:
    first, second = run(ready, discord.base_url), run(ready, discord.base_url)
    assert first.value == second.value
    [message] = discord.messages
    assert JOB_ID.replace("-", "").endswith(message.body["nonce"])
    assert len(message.body["nonce"]) == 25


def test_a_rate_limit_is_tried_again(ready: Bench, discord: DiscordApi) -> None:
    discord.limit(1, retry_after=1.5)
    refused = run(ready, discord.base_url)
    assert refused.error == "Discord asks to wait 1.5 seconds before the next message"
    assert refused.retry
    assert run(ready, discord.base_url).value["status"] == "ok"


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("another-token", 'found 401: 401: Unauthorized; check "token"'),
        ("", 'expected a bot token as "token" in the config'),
        ("with\nline-break", 'expected a bot token as "token" in the config'),
        ("with-umlaut-ü", 'expected a bot token as "token" in the config'),
    ],
)
def test_a_bad_token_fails_for_good_and_is_not_repeated(
    ready: Bench, discord: DiscordApi, token: str, words: str
) -> None:
    response = run(ready, discord.base_url, token)
    assert words in response.error
    assert not response.retry


@pytest.mark.parametrize("channel", ["", "../../users/1", "12a", "١٢", None])
def test_a_channel_that_is_no_number_fails_for_good(
    ready: Bench, discord: DiscordApi, channel: str | None
) -> None:
    response = run(ready, discord.base_url, channel_id=channel)
    assert f'expected a number as "channel_id", found "{channel or ""}"' in response.error
    assert not response.retry
    assert discord.messages == ()


def test_a_channel_that_does_not_exist_fails_for_good(ready: Bench, discord: DiscordApi) -> None:
    response = run(ready, discord.base_url, channel_id="4")
    assert "found 404: Unknown Channel (code 10003); check that the channel" in response.error
    assert not response.retry


def test_a_wrong_base_url_fails_for_good(ready: Bench, discord: DiscordApi) -> None:
    response = run(ready, discord.url)
    assert "404: Not Found" in response.error
    assert not response.retry
    assert "expected an http or https address" in run(ready, "ftp://x").error


@pytest.mark.parametrize(
    ("answer", "words", "retry"),
    [
        (json_answer(500, {"message": "oops", "code": 0}), "found 500: oops; it may pass", True),
        (Answer(502, b"<html>", "text/html"), "found 502: Bad Gateway; it may pass", True),
        (Answer(408, b"", "text/plain"), "found 408: Request Timeout", True),
        (Answer(429, b"", "text/plain", {"Retry-After": "7"}), "wait 7 seconds", True),
        (json_answer(403, {"message": "Missing Access", "code": 50001}), "let the bot see", False),
        (json_answer(400, []), 'found 400: Bad Request; check "base_url"', False),
        (Answer(200, b"<html>", "text/html"), "expected JSON from", True),
    ],
)
def test_a_refusal_is_tried_again_where_it_may_pass(
    ready: Bench, answer: Answer, words: str, retry: bool
) -> None:
    with Stubborn(answer) as host:
        response = run(ready, host.url)
    assert words in response.error
    assert response.retry is retry


def test_a_redirect_does_not_carry_the_token_away(ready: Bench) -> None:
    with Stubborn(json_answer(200, {})) as elsewhere:
        moved = Answer(307, b"", "text/plain", {"Location": f"{elsewhere.url}/x"})
        found = Answer(302, b"", "text/plain", {"Location": f"{elsewhere.url}/x"})
        for answer in (moved, found):
            with Stubborn(answer) as host:
                response = run(ready, host.url)
            assert f"found {answer.status}" in response.error
            assert not response.retry
        assert elsewhere.requests == []


@pytest.mark.parametrize("name", ["summary.txt", "keywords.txt"])
def test_a_missing_file_fails_for_good(ready: Bench, discord: DiscordApi, name: str) -> None:
    (ready.workspace / name).unlink()
    response = run(ready, discord.base_url)
    assert f"expected {name} in the workspace, found none" in response.error
    assert not response.retry


def test_a_host_that_does_not_answer_is_tried_again(ready: Bench, nobody: str) -> None:
    response = run(ready, nobody)
    assert f"no answer from {nobody}/channels/{CHANNEL}/messages: " in response.error
    assert response.retry


def test_health_names_the_bot(ready: Bench, discord: DiscordApi) -> None:
    config = {"base_url": discord.base_url, "token": BOT_TOKEN}
    response = ready.run("discord-notifier", config=config, command="health")
    assert response.value == {"status": "ok", "result": 'the token belongs to "wisdom"'}
    config["token"] = "wrong"
    assert not ready.run("discord-notifier", config=config, command="health").retry
