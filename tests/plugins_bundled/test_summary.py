"""summary: sentences of the transcript, and fewer of them."""

from __future__ import annotations

import pytest

from ductile.demo.speech import CAPTIONS
from tests.plugins_bundled.process import Bench


@pytest.fixture
def speech(bench: Bench) -> str:
    """The speech as transcript.txt; the same on one line is given back."""
    blocks = CAPTIONS.read_text(encoding="utf-8").strip().split("\n\n")
    text = "\n".join(block.split("\n", 1)[1] for block in blocks if "-->" in block)
    bench.write("transcript.txt", text + "\n")
    return " ".join(text.split())


def test_a_summary_is_made_of_sentences_of_the_transcript_in_their_order(
    bench: Bench, speech: str
) -> None:
    response = bench.run("summary", {}, config={"sentences": 4})
    sentences = bench.read("summary.txt").splitlines()
    assert len(sentences) == 4
    places = [speech.index(sentence) for sentence in sentences]
    assert places == sorted(places)
    assert all(sentence.endswith((".", "?", '"')) for sentence in sentences)
    assert all(speech[place - 2] in '.?:"' for place in places if place)
    assert response.updates == {"summary": " ".join(sentences)}


def test_a_summary_is_shorter_than_the_transcript_and_always_the_same(
    bench: Bench, speech: str
) -> None:
    first = bench.run("summary", {})
    summary = bench.read("summary.txt")
    second = bench.run("summary", {})
    assert first.stdout == second.stdout
    assert bench.read("summary.txt") == summary
    assert len(summary.splitlines()) == 3
    assert len(summary) < len(speech) / 3


def test_abbreviations_and_quotations_do_not_end_a_sentence_early(bench: Bench) -> None:
    text = 'Dr. J. Smith came. "Was it late?" No! He said it was. Then, e.g. at noon, he left.'
    bench.write("transcript.txt", text)
    bench.run("summary", {}, config={"sentences": 99})
    assert bench.read("summary.txt").splitlines() == [
        "Dr. J. Smith came.",
        '"Was it late?"',
        "No!",
        "He said it was.",
        "Then, e.g. at noon, he left.",
    ]


def test_captions_without_full_stops_are_cut_into_pieces(bench: Bench) -> None:
    bench.write("transcript.txt", "\n".join(f"word{n} and more" for n in range(400)))
    bench.run("summary", {})
    assert [len(line.split()) for line in bench.read("summary.txt").splitlines()] == [25, 25, 25]


def test_a_text_of_one_sentence_is_its_own_summary(bench: Bench) -> None:
    bench.write("transcript.txt", "Only\nthis.")
    bench.run("summary", {})
    assert bench.read("summary.txt") == "Only this.\n"


@pytest.mark.parametrize(
    ("transcript", "sentences", "words"),
    [
        (None, 3, "expected transcript.txt in the workspace, found none; put a step"),
        (" \n", 3, "expected text in transcript.txt, found none"),
        ("Fine.", 0, 'expected a number above 0 as "sentences", found 0'),
        ("Fine.", "three", "found 'three'"),
        ("Fine.", True, "found True"),
    ],
)
def test_what_can_not_be_summarised_fails_for_good(
    bench: Bench, transcript: str | None, sentences: object, words: str
) -> None:
    if transcript is not None:
        bench.write("transcript.txt", transcript)
    response = bench.run("summary", {}, config={"sentences": sentences})
    assert words in response.error
    assert not response.retry
    assert "summary.txt" not in bench.files()
