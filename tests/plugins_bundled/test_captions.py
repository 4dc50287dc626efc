"""captions: from a video to WebVTT and text."""

from __future__ import annotations

import re

import pytest

from ductile.demo.hosts import VideoHost
from ductile.demo.hosts.loopback import Answer
from ductile.demo.speech import CAPTIONS, VIDEO_ID
from tests.plugins_bundled.conftest import Stubborn
from tests.plugins_bundled.process import Bench, Response


def run(bench: Bench, base_url: str, video_id: str, **config: str) -> Response:
    config["base_url"] = base_url
    return bench.run("captions", {"video_id": video_id}, config=config)


def test_the_captions_are_kept_as_they_are_and_as_text(bench: Bench, video_host: VideoHost) -> None:
    response = run(bench, video_host.url, VIDEO_ID)
    assert bench.read("captions.vtt") == CAPTIONS.read_text(encoding="utf-8")
    transcript = bench.read("transcript.txt")
    assert transcript.startswith("Fellow-Countrymen:\nAt this second appearing to take the\noath")
    assert transcript.endswith("a just\nand lasting peace among ourselves and\nwith all nations.\n")
    assert "-->" not in transcript
    assert response.updates == {
        "title": "Abraham Lincoln: Second Inaugural Address (March 4, 1865)",
        "author": "Public Domain Speeches",
        "language": "en",
        "word_count": 698,
    }


def test_the_shipped_captions_are_the_whole_speech_in_the_order_of_time() -> None:
    text = CAPTIONS.read_text(encoding="utf-8")
    times = re.findall(r"(\d\d:\d\d:\d\d\.\d{3})", text)
    assert times == sorted(times)
    cues = [block.split("\n", 1)[1] for block in text.strip().split("\n\n") if "-->" in block]
    words = " ".join(cues).split()
    assert len(words) == 698
    assert words[0] == "Fellow-Countrymen:"
    assert words[-1] == "nations."
    # Sentences run over several cues, as they do in captions that somebody made by hand.
    assert sum(not cue.endswith((".", "?", '"')) for cue in cues) > len(cues) / 2


def test_lines_of_rolling_and_overlapping_cues_are_taken_once(
    bench: Bench, video_host: VideoHost
) -> None:
    run(bench, video_host.url, "rolling____")
    expected = ["four score and", "seven years & more", "no", "no"]
    assert bench.read("transcript.txt").splitlines() == expected


def test_captions_that_only_the_android_client_may_see_are_found(
    bench: Bench, video_host: VideoHost
) -> None:
    response = run(bench, video_host.url, "gated______")
    assert response.updates["title"] == "Gated & <guarded>"
    assert bench.read("captions.vtt").startswith("WEBVTT")


def test_a_regional_variant_of_the_language_will_do(bench: Bench, video_host: VideoHost) -> None:
    assert run(bench, video_host.url, "deutsch____", lang="de").updates["word_count"] == 9


@pytest.mark.parametrize(
    ("video_id", "words"),
    [
        ("missing____", "video missing____ can not be played: Video unavailable"),
        ("silent_____", "video silent_____ has no captions"),
        ("deutsch____", 'has no captions in "en", it has de-AT; set "lang"'),
        ("wordless___", "hold no text"),
        ("", 'expected "video_id" in the payload, found none'),
    ],
)
def test_what_the_host_does_not_have_fails_for_good(
    bench: Bench, video_host: VideoHost, video_id: str, words: str
) -> None:
    response = run(bench, video_host.url, video_id)
    assert words in response.error
    assert not response.retry
    assert bench.files() == set()


def test_a_404_fails_for_good(bench: Bench, video_host: VideoHost) -> None:
    response = run(bench, video_host.url + "/elsewhere", VIDEO_ID)
    assert "/elsewhere/watch, found 404 Not Found; check" in response.error
    assert not response.retry


@pytest.mark.parametrize(
    ("status", "retry"), [(400, False), (403, False), (408, True), (429, True), (503, True)]
)
def test_a_refusal_is_tried_again_where_it_may_pass(bench: Bench, status: int, retry: bool) -> None:
    with Stubborn(Answer(status, b"", "text/plain")) as host:
        response = run(bench, host.url, VIDEO_ID)
    assert re.search(rf"expected 200 from \S+/watch, found {status} ", response.error)
    assert response.retry is retry


def test_a_page_of_another_kind_is_named_by_its_title(bench: Bench) -> None:
    page = Answer(200, b"<html><title>Before you continue &amp; go</title>", "text/html")
    with Stubborn(page) as host:
        response = run(bench, host.url, VIDEO_ID)
    assert f"expected the watch page of video {VIDEO_ID}" in response.error
    assert 'found a page titled "Before you continue & go"' in response.error
    assert not response.retry


def test_a_page_that_is_cut_off_is_tried_again(bench: Bench) -> None:
    page = Answer(200, b'ytInitialPlayerResponse = {"captions": {', "text/html")
    with Stubborn(page) as host:
        response = run(bench, host.url, VIDEO_ID)
    assert f"expected JSON in the watch page of video {VIDEO_ID}" in response.error
    assert response.retry


def test_captions_in_another_form_are_tried_again(bench: Bench, video_host: VideoHost) -> None:
    response = run(bench, video_host.url, "not_vtt____")
    assert 'expected WebVTT as captions of video not_vtt____, found "<transcript/>"' in (
        response.error
    )
    assert response.retry


def test_a_host_that_does_not_answer_is_tried_again(bench: Bench, nobody: str) -> None:
    response = run(bench, nobody, VIDEO_ID)
    assert f"no answer from {nobody}/watch: " in response.error
    assert "refused" in response.error
    assert response.retry


def test_only_the_web_is_read(bench: Bench) -> None:
    response = run(bench, "file:///etc/passwd?", VIDEO_ID)
    assert 'expected an http or https address, found "file:///etc/passwd"' in response.error
    assert not response.retry


def test_health_asks_the_host(bench: Bench, video_host: VideoHost, nobody: str) -> None:
    config = {"base_url": video_host.url}
    healthy = bench.run("captions", config=config, command="health")
    assert healthy.value == {"status": "ok", "result": f"{video_host.url} answers"}
    assert bench.run("captions", config={"base_url": nobody}, command="health").retry
