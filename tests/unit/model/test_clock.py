"""How moments are written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from ductile.model.clock import SystemClock, from_text, to_text

MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1), timezones=st.just(UTC)
)


@given(MOMENTS)
def test_what_is_written_can_be_read_again(moment: datetime) -> None:
    assert from_text(to_text(moment)) == moment


@given(MOMENTS, MOMENTS)
def test_texts_sort_as_the_moments_do(one: datetime, other: datetime) -> None:
    assert (to_text(one) < to_text(other)) == (one < other)


@given(MOMENTS)
def test_every_text_has_the_same_width_and_ends_in_z(moment: datetime) -> None:
    text = to_text(moment)
    assert (len(text), text[-1]) == (27, "Z")


def test_another_time_zone_is_written_in_utc() -> None:
    moment = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    assert to_text(moment) == "2026-03-01T10:00:00.000000Z"


def test_the_system_clock_knows_its_time_zone_and_never_measures_backwards() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
