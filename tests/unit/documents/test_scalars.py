from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.documents.problems import BadValue
from ductile.documents.scalars import (
    ByteSize,
    Duration,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)
from ductile.documents.validation import Schema


class Limits(Schema):
    timeout: Duration = timedelta(minutes=90)
    max_body: ByteSize = 1024**2


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        ("250ms", timedelta(milliseconds=250)),
        ("1h30m", timedelta(minutes=90)),
        ("1d2h3m4s5ms", timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5)),
        ("1m5ms", timedelta(minutes=1, milliseconds=5)),
        ("1.5h", timedelta(minutes=90)),
        ("0.5ms", timedelta(microseconds=500)),
        ("36500d", timedelta(days=36500)),
    ],
)
def test_a_duration_is_numbers_with_units(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "5 minuts",
        "5 m",
        "m",
        "-5s",
        "+5s",
        "1m1h",
        "1s1s",
        "1.s",
        ".5s",
        "1e3s",
        "5M",
        "nan",
        "infs",
        "٣s",
        "5s\n",
        "1h 30m",
    ],
)
def test_anything_else_is_not_a_duration(text: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_duration(text)
    assert str(caught.value) == f'"{text}" is not a duration'
    assert caught.value.hint == "write a number and a unit: 30s, 5m, 2h"


@pytest.mark.parametrize("text", ["0s", "0d0h", "0.0000001s"])
def test_no_time_is_no_duration(text: str) -> None:
    with pytest.raises(BadValue, match="is no time at all"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["36501d", f"{'9' * 50}d"])
def test_a_duration_that_overflows_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="is too long a duration"):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=36500)))
def test_a_formatted_duration_reads_back_as_the_same(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(hours=24), "1d"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(milliseconds=1500), "1s500ms"),
        (timedelta(microseconds=1500), "1.5ms"),
        (timedelta(0), "0ms"),
    ],
)
def test_a_duration_is_formatted_with_its_largest_units(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1B", 1),
        ("64KiB", 65536),
        ("64 KiB", 65536),
        ("10MiB", 10 * 1024**2),
        ("1.5GiB", 3 * 512 * 1024**2),
        ("2KB", 2000),
        ("3MB", 3_000_000),
        ("4GB", 4 * 10**9),
    ],
)
def test_a_size_is_a_number_with_a_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "5", "5 bytes", "1mib", "-1B", "1 TiB", "nanB", "KiB"])
def test_anything_else_is_not_a_size(text: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_size(text)
    assert str(caught.value) == f'"{text}" is not a size'


@pytest.mark.parametrize("text", ["0B", "0.4B"])
def test_nothing_is_no_size(text: str) -> None:
    with pytest.raises(BadValue, match="is no size at all"):
        parse_size(text)


def test_a_size_that_overflows_is_refused() -> None:
    assert parse_size("8589934591GiB") < 2**63
    with pytest.raises(BadValue, match="is too large a size"):
        parse_size("8589934592GiB")


@given(st.integers(1, 2**63 - 1))
def test_a_formatted_size_reads_back_as_the_same(size: int) -> None:
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("size", "text"), [(1024, "1KiB"), (1000, "1KB"), (10 * 1024**2, "10MiB"), (17, "17B")]
)
def test_a_size_is_formatted_in_its_largest_whole_unit(size: int, text: str) -> None:
    assert format_size(size) == text


def test_fields_hold_values_and_are_written_as_text() -> None:
    limits = Limits.model_validate_json('{"timeout": "5m", "max_body": "1KiB"}')
    assert (limits.timeout, limits.max_body) == (timedelta(minutes=5), 1024)
    assert limits.model_dump(mode="json") == {"timeout": "5m", "max_body": "1KiB"}


def test_the_json_schema_describes_both_as_text() -> None:
    schema = Limits.model_json_schema(mode="serialization")["properties"]
    assert [schema[name]["type"] for name in schema] == ["string", "string"]
    assert [schema[name]["default"] for name in schema] == ["1h30m", "1MiB"]
