"""What an endpoint calls its events: one type for all, or one that its sender has a part in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ductile.documents import suggest
from ductile.documents.problems import BadValue, quoted

EVENT: Final = "{event}"

_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")
_RESERVED: Final = "ductile."
#: What senders write: push, pull_request, orders/create, Push Hook.
_SAID: Final = re.compile(rb"[A-Za-z0-9_-]+(?:[./ ][A-Za-z0-9_-]+)*")
_MOST: Final = 100
#: A path becomes a type of several words, a phrase one word.
_WRITTEN: Final = bytes.maketrans(b"/ ", b"._")


def event_type(text: str) -> str:
    """A type that what comes from outside may have. Raises BadValue for any other."""
    if not text or re.search(r"\s", text):
        raise BadValue(f"{quoted(text)} is not an event type", "write one such as order.placed")
    if text.startswith(_RESERVED):
        raise BadValue(
            f'event types that begin with "{_RESERVED}" are the core\'s, found {quoted(text)}',
            "choose another one",
        )
    return text


@dataclass(frozen=True, slots=True)
class TypePattern:
    """`order.placed`, or `github.{event}`, where the sender says what stands for `{event}`.

    There is always a text of the endpoint's own before it: no sender can name just any type.
    """

    before: str
    after: str | None = None
    """None where the sender has no part in it."""

    @classmethod
    def parse(cls, text: str) -> TypePattern:
        """Raises BadValue for what cannot be the type of an event from outside."""
        before, placeholder, after = event_type(text).partition(EVENT)
        if EVENT in after:
            raise BadValue(f"{quoted(EVENT)} is there twice", "write it once")
        _check_braces(before + after)
        if not placeholder:
            return cls(text)
        if not before:
            raise BadValue(
                f"{quoted(text)} lets its sender name any type of event",
                f'put a word of yours before it, "shop.{EVENT}" for instance',
            )
        return cls(before, after)

    @property
    def open(self) -> bool:
        """Whether the sender has a part in it."""
        return self.after is not None

    def filled(self, said: bytes) -> str | None:
        """The type, with what the sender said in it; None if that has not the form of a name, or
        makes it one of the core's."""
        if len(said) > _MOST or not _SAID.fullmatch(said):
            return None
        middle = said.translate(_WRITTEN).decode("ascii").lower()
        made = f"{self.before}{middle}{self.after or ''}"
        return None if made.startswith(_RESERVED) else made

    def matches(self, event_type: str) -> bool:
        """Whether some sender could make it that type."""
        if self.after is None:
            return event_type == self.before
        middle = event_type.removeprefix(self.before).removesuffix(self.after)
        return self.filled(middle.encode()) == event_type


def _check_braces(text: str) -> None:
    found = _PLACEHOLDER.search(text)
    if found is not None:
        remedy = suggest.hint(found[0], (EVENT,)) or f"the only placeholder is {quoted(EVENT)}"
        raise BadValue(f"there is no placeholder {quoted(found[0])} in an event type", remedy)
    if "{" in text or "}" in text:
        raise BadValue(
            f"{quoted(text)} has a brace that is part of no placeholder",
            f'write one such as order.placed, or "github.{EVENT}"',
        )
