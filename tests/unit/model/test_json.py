"""What may be kept as JSON."""

from __future__ import annotations

import pytest

from ductile.errors import Refused
from ductile.model.json import MAX_NESTING, Json, decode, encode, encode_kept


def nested(levels: int, bracket: str = "[") -> Json:
    closing = {"[": "]", '{"a":': "}"}[bracket]
    return decode(f"{bracket * levels}1{closing * levels}")


@pytest.mark.parametrize("bracket", ["[", '{"a":'])
def test_what_is_nested_up_to_the_limit_is_kept_and_can_be_told_inside_of_other_objects(
    bracket: str,
) -> None:
    value = nested(MAX_NESTING, bracket)
    assert encode_kept(value, "it") == encode(value)
    encode({"jobs": [{"baggage": {"added": value}}]})


@pytest.mark.parametrize("levels", [MAX_NESTING + 1, 254, 255, 1000])
@pytest.mark.parametrize("bracket", ["[", '{"a":'])
def test_deeper_nesting_is_refused_with_what_to_do(bracket: str, levels: int) -> None:
    with pytest.raises(Refused, match=r"it may be nested 200 levels deep, and is deeper; keep"):
        encode_kept(nested(levels, bracket), "it")


def test_many_brackets_that_are_not_nested_are_kept() -> None:
    encode_kept([[{}]] * 1000 + ["[{" * 1000], "it")


def test_text_that_is_not_unicode_is_refused_as_such() -> None:
    with pytest.raises(Refused, match=r"^it cannot be written as JSON: .*surrogates"):
        encode_kept({"a": "\ud800"}, "it")
