"""What a keyed hash is made of: a text with the body, and perhaps time and id, filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ductile.documents import suggest
from ductile.documents.problems import BadValue, quoted

BODY: Final = "{body}"
TIMESTAMP: Final = "{timestamp}"
ID: Final = "{id}"

_PLACEHOLDERS: Final = (BODY, TIMESTAMP, ID)
_PART: Final = re.compile(r"(\{[^{}]*\})")
_EXAMPLE: Final = f'write what the sender hashes, "{TIMESTAMP}.{BODY}" for instance'


@dataclass(frozen=True, slots=True)
class SignedContent:
    """`{timestamp}.{body}` and the like.

    One content can be taken apart in one way only, or else what was signed as a piece of one
    value could be sent again as a piece of another. So an id has text around it of which it
    holds nothing (`outside_id`); a time near enough to be accepted has a known number of digits.
    """

    parts: tuple[str, ...]
    """Placeholders, and the texts between them."""

    @classmethod
    def parse(cls, text: str) -> SignedContent:
        """Raises BadValue for what is no such text."""
        parts = tuple(part for part in _PART.split(text) if part)
        for part in parts:
            _check_part(part)
        for each in _PLACEHOLDERS:
            if parts.count(each) > 1:
                raise BadValue(f"{quoted(each)} is there twice", "write it once")
        if BODY not in parts:
            raise BadValue(f"{quoted(text)} leaves out {quoted(BODY)}", _EXAMPLE)
        for one, other in pairwise(parts):
            if ID in (one, other) and {one, other} <= {*_PLACEHOLDERS}:
                raise BadValue(
                    f"nothing stands between {quoted(one)} and {quoted(other)}, so that a piece "
                    "of one could pass for a piece of the other",
                    f"if the sender puts a text there, write it; if not, leave {quoted(ID)} out",
                )
        return cls(parts)

    def __contains__(self, placeholder: str) -> bool:
        return placeholder in self.parts

    def outside_id(self) -> bytes:
        """The bytes next to the id, none of which an id may hold."""
        found = b""
        for one, other in pairwise(self.parts):
            if one == ID:
                found += other.encode("utf-8")[:1]
            elif other == ID:
                found += one.encode("utf-8")[-1:]
        return found

    def filled(self, values: Mapping[str, bytes]) -> bytes:
        """The bytes that are hashed, with a value for each placeholder."""
        return b"".join(
            values[part] if part in _PLACEHOLDERS else _text(part) for part in self.parts
        )


def _text(part: str) -> bytes:
    return part.encode("utf-8")


def _check_part(part: str) -> None:
    if part in _PLACEHOLDERS or not ("{" in part or "}" in part):
        return
    if part.startswith("{") and part.endswith("}"):
        remedy = suggest.hint(part, _PLACEHOLDERS)
        raise BadValue(f"there is no placeholder {quoted(part)} in a signature", remedy)
    raise BadValue(f"{quoted(part)} has a brace that is part of no placeholder", _EXAMPLE)
