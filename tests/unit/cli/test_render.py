"""Values and tables, as people read them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ductile.cli.render.delivery import delivery_text
from ductile.cli.render.lists import delivery_table, job_table
from ductile.cli.render.table import Cell, table
from ductile.cli.render.text import Style, cut, duration, one_line, plain, size, value
from ductile.model.delivery import DeliveryVerdict
from ductile.model.ids import JobId
from ductile.model.job import JobStatus
from tests.support.builders import a_delivery, a_job


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0421, "42 ms"),
        (-1, "0 ms"),
        (0.9997, "1.0 s"),
        (1.26, "1.3 s"),
        (59.94, "59.9 s"),
        (59.97, "1 min 0 s"),
        (3599.6, "1 h 0 min"),
        (3700, "1 h 1 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_a_duration_is_told_in_the_units_that_say_something(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1_048_575, "1.0 MiB"),
        (5 * 1024**3, "5.0 GiB"),
        (3 * 1024**4, "3.0 TiB"),
    ],
)
def test_a_size_is_told_in_the_largest_unit_that_it_fills(count: int, text: str) -> None:
    assert size(count) == text


def test_text_of_several_lines_becomes_one_without_control_characters() -> None:
    assert one_line("a\n  b\x1b[31m") == "a b\N{REPLACEMENT CHARACTER}[31m"


def test_what_is_cut_is_marked() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
    assert cut("abcd", 0) == ""


def test_a_short_value_is_shown_as_json() -> None:
    assert value({"a": [1, "ü"]}) == '{"a":[1,"ü"]}'


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    rows = [("a", "first"), ("longer", "second")]

    assert table(("id", "name"), rows, plain) == "ID      NAME\na       first\nlonger  second"


def test_a_table_is_cut_to_the_width_of_the_terminal() -> None:
    text = table(("id", "name", "more"), [("abc", "d" * 30, "e")], plain, width=12)

    assert text.splitlines()[1] == "abc  dddddd…"


def test_colours_do_not_shift_columns() -> None:
    def loud(text: str, style: Style | None) -> str:
        return f"<{text}>" if style is Style.BAD else text

    text = table(("a", "b"), [(Cell("x", Style.BAD), "y"), ("long", "z")], loud)

    assert text.splitlines()[1:] == ["<x>     y", "long  z"]


def test_a_job_is_listed_with_what_it_runs_and_when_it_was_queued() -> None:
    job = a_job(id=JobId("job-1"), step_id="greet", status=JobStatus.RUNNING)

    assert job_table([job], plain).splitlines()[1] == (
        "job-1  running  2026-02-14 12:00:00  echo.handle  greet"
    )


def test_a_delivery_is_one_line_with_its_reason_or_the_senders_id() -> None:
    refused = a_delivery()
    accepted = a_delivery(
        verdict=DeliveryVerdict.ACCEPTED, status=202, reason=None, delivery_id="d-1"
    )
    resent = a_delivery(verdict=DeliveryVerdict.RESENT, status=None, reason="resends it")
    _, *lines = delivery_table([refused, accepted, resent], plain).splitlines()
    assert [
        line.removeprefix(each.id)
        for line, each in zip(lines, (refused, accepted, resent), strict=True)
    ] == [
        "  refused   401     hook      2026-02-14 12:00:00  the signature is wrong",
        "  accepted  202     hook      2026-02-14 12:00:00  d-1",
        "  resent            hook      2026-02-14 12:00:00  resends it",
    ]


def test_what_a_sender_calls_a_delivery_cannot_move_the_cursor() -> None:
    shown = delivery_text(a_delivery(delivery_id="a\x1b[2Jb"), plain)
    assert "sender's id  a\N{REPLACEMENT CHARACTER}[2Jb" in shown
