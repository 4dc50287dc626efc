"""The trigger on the terminal: hand something in, watch what follows, tell how it ended."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from ductile.cli.commands import F, json_option
from ductile.cli.output import note, paint, say, say_json, width
from ductile.cli.render.chain import chain_tree, progress_line
from ductile.dispatch.interfaces import Accepted, Intake, Trigger
from ductile.documents.problems import BadValue
from ductile.documents.scalars import format_duration, parse_duration
from ductile.errors import UsageError
from ductile.expressions.values import is_unicode
from ductile.gateway.configuration import Configuration
from ductile.gateway.core import intake_into, open_ledger, serving
from ductile.gateway.gateway import Gateway
from ductile.insights.insights import Insights
from ductile.insights.shapes import chain_json
from ductile.insights.views import ChainView
from ductile.model.clock import Clock, SystemClock
from ductile.model.ids import ChainId, JobId
from ductile.model.json import Json, decode
from ductile.model.run import RunStatus
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.log import log_listener

#: Between two looks at a chain that another process works on.
_LOOK: Final = timedelta(milliseconds=200)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the options of a `run` action say together."""

    payload: Json
    wait: timedelta | None
    """How long to watch at the most; None: to the end."""
    watch: bool
    as_json: bool
    dedupe_key: str | None = None


def watch_options(function: F) -> F:
    """The options of an action that hands in what there is; `read_wish` reads them."""
    for option in (
        json_option,
        click.option(
            "--no-wait", is_flag=True, help="Only hand it in; do not wait for what follows."
        ),
        click.option(
            "--wait", metavar="DURATION", help="Watch no longer than this, such as 30s or 5m."
        ),
    ):
        function = option(function)
    return function


def trigger_options(function: F) -> F:
    """The options of an action that hands in what the user says; `read_wish` reads them."""
    function = watch_options(function)
    for option in (
        click.option(
            "--dedupe-key",
            metavar="KEY",
            help="Start nothing if this was started with this key before; show that instead.",
        ),
        click.option(
            "--payload",
            default="{}",
            metavar="JSON",
            help='The payload: JSON, "@FILE" for that of a file, "-" for that of stdin.',
        ),
    ):
        function = option(function)
    return function


def read_wish(
    *,
    wait: str | None,
    no_wait: bool,
    as_json: bool,
    payload: str = "{}",
    dedupe_key: str | None = None,
) -> Wish:
    """The options, read. Raises UsageError for what makes no sense."""
    if wait is not None and no_wait:
        raise UsageError("--wait and --no-wait contradict each other; leave one of them out")
    key = None if dedupe_key is None else _key(dedupe_key)
    return Wish(_payload(payload), _duration(wait), not no_wait, as_json, key)


def hand_in(found: Configuration, trigger: Trigger, wish: Wish) -> int:
    """Hand `trigger` in and watch its chain; returns the exit code.

    The gateway that serves the database works on it; where there is none, this process does,
    for as long as it watches. Raises NotFound for what there is none of.
    """
    settings, _, _ = found.parts()
    clock = SystemClock()
    if serving(settings) is None:
        place = _in_this_process(found, clock, work=wish.watch)
    else:
        place = _beside_gateway(found, clock)
    with place as here:
        accepted = here.intake.accept(trigger)
        _tell_accepted(accepted)
        chain_id = ChainId(accepted.event_id)
        if not wish.watch:
            chain = here.insights.chain(chain_id)
        else:
            chain = _watch(here, chain_id, clock, wish.wait)
    if wish.as_json:
        repeat = {"duplicate_of": accepted.duplicate_of} if accepted.duplicate_of else {}
        say_json({**chain_json(chain), **repeat})
    elif wish.watch:
        say(chain_tree(chain, paint(), width=width()))
    return _exit_code(chain, wish)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something is handed in, and how to hear of changes there."""

    intake: Intake
    insights: Insights
    changed: threading.Event
    """Set when something may have changed; never set by another process."""


@contextmanager
def _beside_gateway(found: Configuration, clock: Clock) -> Iterator[_Place]:
    settings, _, _ = found.parts()
    store = open_ledger(settings, clock, writing=True)
    try:
        intake = intake_into(found, store, clock)
        yield _Place(intake, Insights(store, clock), threading.Event())
    finally:
        store.close()


@contextmanager
def _in_this_process(found: Configuration, clock: Clock, *, work: bool) -> Iterator[_Place]:
    changed, telemetry = threading.Event(), Telemetry()
    telemetry.subscribe(log_listener(clock, level="warning"))
    telemetry.subscribe(lambda _: changed.set())
    # Told to stop, it gives back what it is at, as the gateway does.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    gateway = Gateway(found, clock=clock, telemetry=telemetry, doors=False)
    try:
        if work:
            gateway.start()
        yield _Place(gateway.intake, gateway.insights, changed)
    except KeyboardInterrupt:
        note("what is not done yet is kept, and goes on when a gateway runs")
        raise
    finally:
        gateway.stop()
        signal.signal(signal.SIGTERM, before)


def _watch(here: _Place, chain_id: ChainId, clock: Clock, patience: timedelta | None) -> ChainView:
    """Tell of each job as it changes, until the chain or the patience is at its end."""
    end = None if patience is None else clock.monotonic() + patience.total_seconds()
    told: dict[JobId, str] = {}
    while True:
        here.changed.clear()
        chain = here.insights.chain(chain_id)
        for view in chain.jobs:
            line = progress_line(view)
            if line is not None and told.get(view.job.id) != line:
                note(line)
                told[view.job.id] = line
        left = _LOOK.total_seconds()
        if end is not None:
            left = min(left, end - clock.monotonic())
        if chain.status is not RunStatus.RUNNING or left <= 0:
            return chain
        here.changed.wait(left)


def _tell_accepted(accepted: Accepted) -> None:
    if accepted.duplicate_of is not None:
        note("the dedupe key was used before; nothing was started, and this is the first:")
    note(f"event {accepted.event_id}")
    for run_id in accepted.run_ids:
        note(f"run {run_id}")
    for job_id in accepted.job_ids:
        note(f"job {job_id}")


def _exit_code(chain: ChainView, wish: Wish) -> int:
    if not wish.watch:
        return 0
    if chain.status is RunStatus.RUNNING and wish.wait is not None:
        note(
            f"not at its end after {format_duration(wish.wait)}; "
            f'look again with "ductile job inspect {chain.jobs[0].job.id}"'
        )
    return 0 if chain.status is RunStatus.SUCCEEDED else 1


def _key(text: str) -> str:
    if not text:
        raise UsageError("--dedupe-key: expected a key, found nothing; leave the option out")
    if not is_unicode(text):
        raise UsageError("--dedupe-key: expected UTF-8, found other bytes; write the key in UTF-8")
    return text


def _payload(text: str) -> Json:
    source = "--payload"
    try:
        if text == "-":
            source = "stdin"
            data = sys.stdin.buffer.read()
        elif text.startswith("@"):
            source = f'"{text[1:]}"'
            data = Path(text[1:]).read_bytes()
        else:
            data = text.encode("utf-8", "surrogateescape")
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror}") from error
    try:
        return decode(data)
    except ValueError as error:
        raise UsageError(
            f'{source} is not JSON: {error}; write for example \'{{"name": "world"}}\''
        ) from error


def _duration(text: str | None) -> timedelta | None:
    if text is None:
        return None
    try:
        return parse_duration(text)
    except BadValue as error:
        raise UsageError(f"--wait: {error}; {error.hint}") from error
