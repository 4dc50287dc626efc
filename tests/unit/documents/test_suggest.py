from __future__ import annotations

import pytest

from ductile.documents.suggest import did_you_mean, hint


@pytest.mark.parametrize(
    ("word", "meant"),
    [("whit", "with"), ("With", "with"), ("timout", "timeout"), ("xyzzy", None), ("", None)],
)
def test_the_closest_known_word_is_suggested(word: str, meant: str | None) -> None:
    assert did_you_mean(word, ["with", "timeout", "uses"]) == meant


def test_the_known_word_is_suggested_as_it_is_written() -> None:
    assert did_you_mean("discord_token", {"DISCORD_TOKEN"}) == "DISCORD_TOKEN"


def test_a_very_long_word_is_no_typing_mistake() -> None:
    assert did_you_mean("a" * 100_000, ["a" * 99_999]) is None


def test_the_hint_asks_for_the_closest_word() -> None:
    assert hint("whit", ["with", "uses"]) == 'did you mean "with"?'


def test_without_a_close_word_the_hint_lists_what_is_known() -> None:
    assert hint("x", ["uses", "call"]) == 'known are "call", "uses"'


def test_a_long_list_of_known_words_is_cut() -> None:
    text = hint("x", [f"plugin-{n}" for n in range(10)])
    assert text is not None
    assert text.endswith('"plugin-7" and 2 more')


def test_there_is_no_hint_where_nothing_is_known() -> None:
    assert hint("x", []) is None
