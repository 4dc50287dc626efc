"""Words for messages: what a value, or several, are called, and which word was meant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final

from ductile.expressions.values import check_member
from ductile.model.json import Json, encode

#: Characters of a text, and members of a list, that a message shows.
_SHOWN_TEXT: Final = 40
_SHOWN_MEMBERS: Final = 3
#: Longer words are not typing mistakes, and comparing them takes quadratic time.
_LONGEST_WORD: Final = 100


def quoted(text: str) -> str:
    """`text` in double quotes on one line; a long one is cut."""
    cut = text if len(text) <= _SHOWN_TEXT else f"{text[: _SHOWN_TEXT - 1]}…"
    escaped = "".join(each if each.isprintable() else _escaped(each) for each in cut)
    return f'"{escaped}"'


def kind(value: Json) -> str:
    """What sort of value it is: `text`, `a list`."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "text"
        case list():
            return "a list"
        case Mapping():
            return "an object"
    return "a number"


def shown(value: Json) -> str:
    """The value if it is short, otherwise what sort of value it is and how large."""
    match value:
        case str() if len(value) > _SHOWN_TEXT:
            return f"{quoted(value)} ({len(value)} characters)"
        case str():
            return quoted(value)
        case list():
            return f"a list of {len(value)}" if value else "an empty list"
        case Mapping():
            return f"an object of {count(len(value), 'key')}" if value else "an empty object"
    return encode(value).decode() if check_member(value, 0) is None else kind(value)


def several(words: list[str], none: str) -> str:
    """The first few of some words for things, and how many more there are."""
    rest = len(words) - _SHOWN_MEMBERS
    more = f" and {rest} more" if rest > 0 else ""
    return ", ".join(words[:_SHOWN_MEMBERS]) + more if words else none


def count(number: int, noun: str) -> str:
    """`1 key`, `2 keys`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def did_you_mean(word: Json, known: Collection[str]) -> str | None:
    """A question for the known word that is closest to a wrong one, if one is close."""
    if not isinstance(word, str) or len(word) > _LONGEST_WORD:
        return None
    close = get_close_matches(word, sorted(known), n=1)
    return f'did you mean "{close[0]}"?' if close else None


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
