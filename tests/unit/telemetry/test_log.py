"""How signals read in the log."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

from ductile.model.ids import ChainId, EventId, JobId
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.log import log_listener
from ductile.telemetry.signals import EventAccepted, JobSettled, PartFailed, Signal
from tests.support.clock import FakeClock

SETTLED = JobSettled(
    job=JobId("j1"),
    plugin="fetch",
    step="get it",
    outcome="failed",
    attempt="2/4",
    took=timedelta(seconds=1.8),
    chain=ChainId("c1"),
    next_try=datetime(2026, 1, 31, 14, 3, 20, tzinfo=UTC),
    error='no answer from "host"\nat all',
)


def line(signal: Signal, *, level: str = "info", as_json: bool = False) -> str:
    stream = io.StringIO()
    log_listener(FakeClock(), level=level, as_json=as_json, stream=stream)(signal)
    return stream.getvalue()


def test_a_line_is_a_time_a_level_a_sentence_and_fields() -> None:
    time, level, rest = line(SETTLED).split(maxsplit=2)
    assert (len(time), time[-1], level) == (27, "Z", "info")
    assert rest.startswith('job settled  job=j1 plugin=fetch step="get it" outcome=failed')
    assert "took=1.800s" in rest
    assert "next_try=2026-01-31T14:03:20.000000Z" in rest


def test_a_signal_is_one_line_whatever_its_fields_hold() -> None:
    assert line(SETTLED).count("\n") == 1


def test_no_field_can_make_a_line_of_its_own_or_steer_a_terminal() -> None:
    text = line(PartFailed("janitor", "a\r2026 forged \x1b[2J \x9b2J \\ \u00e9"))
    assert text.endswith('error="a\\r2026 forged \\u001b[2J \\u009b2J \\\\ \u00e9"\n')


def test_fields_without_a_value_are_left_out() -> None:
    text = line(PartFailed("janitor", "no such directory"))
    assert 'part=janitor error="no such directory"' in text
    settled = JobSettled(JobId("j"), "p", None, "succeeded", "1/4", timedelta(0), ChainId("c"))
    assert "step" not in line(settled)


def test_less_important_signals_are_not_written() -> None:
    accepted = EventAccepted(EventId("e1"), "note.written", "cli", 1, 1)
    assert line(accepted) == ""
    assert line(accepted, level="debug") != ""


def test_json_has_the_same_fields() -> None:
    record = json.loads(line(SETTLED, as_json=True))
    assert record["level"] == "info"
    assert record["event"] == "job settled"
    assert record["plugin"] == "fetch"
    assert record["took"] == "1.800s"


def test_a_listener_that_fails_does_not_keep_the_others_from_hearing() -> None:
    heard: list[Signal] = []

    def broken(signal: Signal) -> None:
        raise RuntimeError("broken")

    telemetry = Telemetry()
    telemetry.subscribe(broken)
    telemetry.subscribe(heard.append)
    telemetry.emit(SETTLED)
    assert heard == [SETTLED]


def test_who_unsubscribes_hears_nothing_more() -> None:
    heard: list[Signal] = []
    telemetry = Telemetry()
    unsubscribe = telemetry.subscribe(heard.append)
    unsubscribe()
    telemetry.emit(SETTLED)
    assert heard == []
