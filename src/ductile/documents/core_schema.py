"""Plain scalars as the core schema of YAML 1.2 reads them."""

from __future__ import annotations

import math
import re
from typing import Final

from ductile.documents.problems import BadValue, quoted
from ductile.model.json import Json

_NULL: Final = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_START: Final = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))"
    r"|\.(?:nan|NaN|NAN)"
)
_BASES: Final = {"0o": 8, "0x": 16}
#: More digits are out of range anyway, and Python refuses to read thousands of them.
_MOST_DIGITS: Final = 100


def resolve(text: str) -> Json:
    """The value of a plain scalar; `on`, `yes` and `no` are text.

    Raises BadValue for a number that JSON cannot hold.
    """
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if text[0] not in _NUMBER_START:
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    return text


def _integer(text: str) -> int:
    if len(text) <= _MOST_DIGITS:
        number = int(text, _BASES.get(text[:2], 10))
        if -(2**63) <= number < 2**64:
            return number
    raise BadValue(f"{quoted(text)} does not fit into 64 bits", "put it in quotes")


def _float(text: str) -> float:
    number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if math.isfinite(number):
        return number
    raise BadValue(f"{quoted(text)} is not a finite number", "put it in quotes")
