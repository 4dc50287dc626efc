"""A gateway that takes in changed files while it works: told to, or by itself."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from ductile.model.job import JobStatus
from tests.support.line import Line, settled
from tests.support.process import Ended, GatewayProcess, run
from tests.support.process import process as spawned

RELOADED: Final = "configuration reloaded"
REFUSED: Final = "reload refused, nothing was changed"
CONFIGURATION: Final = 3


@pytest.fixture
def line(tmp_path: Path) -> Line:
    """One that reloads only when it is told to."""
    line = Line(tmp_path)
    line.site.config["service"] = {"watch": False}
    return line


@pytest.fixture
def process(line: Line) -> Iterator[GatewayProcess]:
    with line.running() as process:
        yield process


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Line, GatewayProcess]]:
    line = Line(tmp_path)
    with line.running() as process:
        process.wait_for("gateway started")
        yield line, process


def shorten(line: Line, *plugins: str) -> None:
    """Let the pipeline `line` have these steps only."""
    steps = "".join(f"\n    - uses: {plugin}" for plugin in plugins)
    line.site.pipeline(f"- name: line\n  on: line.begun\n  steps:{steps}", "line.yaml")


def reload(line: Line) -> Ended:
    return run("--config", str(line.site.root / "config"), "pipeline", "reload")


def plugins_of(line: Line, event_id: str) -> list[str]:
    return [job.plugin for job in line.chain(event_id).jobs]


# --- told to ---------------------------------------------------------------------------------


def test_on_sighup_the_next_event_runs_the_new_version(line: Line, process: GatewayProcess) -> None:
    shorten(line, "second", "fifth")
    process.send_signal(signal.SIGHUP)
    process.wait_for(f'{RELOADED}.* pipelines=2 plugins=6 changed="pipeline line"$')
    event_id = line.send(process)
    settled(process, event_id)
    assert plugins_of(line, event_id) == ["second", "fifth"]


def test_a_run_in_flight_ends_in_the_version_that_it_began_with(line: Line) -> None:
    gate = line.gate("third")
    with line.running() as process:
        event_id = line.send(process)
        gate.reached()
        shorten(line, "second")
        process.send_signal(signal.SIGHUP)
        process.wait_for(RELOADED)
        gate.let_through()
        settled(process, event_id)
    assert plugins_of(line, event_id) == ["first", "second", "third", "fourth", "fifth"]


def test_a_mistake_is_named_with_its_place_and_the_old_set_stays(
    line: Line, process: GatewayProcess
) -> None:
    shorten(line, "secnd")
    process.send_signal(signal.SIGHUP)
    process.wait_for(rf'{REFUSED}.* problems=1 .*line.yaml:5:\d+: no plugin named \\"secnd\\"')
    event_id = line.send(process)
    settled(process, event_id)
    assert len(plugins_of(line, event_id)) == 5


def test_a_mistake_in_one_file_keeps_all_others_out(line: Line, process: GatewayProcess) -> None:
    shorten(line, "second")
    line.site.pipeline("- name: broken", "broken.yaml")
    process.send_signal(signal.SIGHUP)
    process.wait_for(REFUSED)
    event_id = line.send(process)
    settled(process, event_id)
    assert len(plugins_of(line, event_id)) == 5


def test_settings_that_only_a_start_takes_in_are_named(line: Line, process: GatewayProcess) -> None:
    line.site.config["service"]["depth_limit"] = 7
    line.endpoint("another", event="line.begun")
    line.site.write()
    process.send_signal(signal.SIGHUP)
    process.wait_for(f'{RELOADED}.* at_next_start="service.depth_limit; webhooks.endpoints"$')


def test_a_stop_that_comes_with_a_reload_ends_the_gateway_cleanly(
    line: Line, process: GatewayProcess
) -> None:
    shorten(line, "second")
    process.send_signal(signal.SIGHUP)
    ended = process.stop()
    assert ended.code == 0
    assert "gateway stopped" in ended.errors


# --- the command -----------------------------------------------------------------------------


def test_the_command_tells_the_gateway_and_says_which(line: Line, process: GatewayProcess) -> None:
    shorten(line, "second")
    ended = reload(line)
    process.wait_for(RELOADED)
    assert ended.code == 0
    assert f"gateway {process.pid} was told to reload" in ended.output


def test_the_command_shows_every_problem_and_leaves_the_gateway_alone(
    line: Line, process: GatewayProcess
) -> None:
    shorten(line, "secnd", "thrid")
    ended = reload(line)
    assert ended.code == CONFIGURATION
    assert 'line.yaml:5:15: no plugin named "secnd"' in ended.errors
    assert 'line.yaml:6:15: no plugin named "thrid"' in ended.errors
    assert process.count(f"{REFUSED}|{RELOADED}") == 0


def test_without_a_gateway_the_command_says_so(line: Line) -> None:
    line.site.write()
    ended = reload(line)
    assert ended.code == 1
    assert f'no gateway serves "{line.database}"' in ended.errors


def test_the_command_does_not_end_a_process_that_only_runs_one_pipeline(line: Line) -> None:
    config = str(line.site.write())
    arguments = ("-m", "ductile", "--config", config, "pipeline", "run", "block")
    with spawned(arguments) as single:
        line.blocker.reached()
        ended = reload(line)
        line.blocker.let_through()
        assert single.ended().code == 0
    assert ended.code == 1
    assert f"process {single.pid}" in ended.errors
    assert "is no running gateway that could reload" in ended.errors


# --- by itself -------------------------------------------------------------------------------


def test_an_edited_pipeline_is_taken_in(watched: tuple[Line, GatewayProcess]) -> None:
    line, process = watched
    shorten(line, "second")
    process.wait_for(f'{RELOADED}.* changed="pipeline line"')
    event_id = line.send(process)
    settled(process, event_id)
    assert plugins_of(line, event_id) == ["second"]


def test_a_new_plugin_can_be_used_at_once(watched: tuple[Line, GatewayProcess]) -> None:
    line, process = watched
    line.site.plugin("sixth", """echo '{"status": "ok"}'""")
    process.wait_for(f'{RELOADED}.* changed="plugin sixth"')
    shorten(line, "sixth")
    process.wait_for(f'{RELOADED}.* changed="pipeline line"')
    event_id = line.send(process)
    settled(process, event_id)
    assert line.chain(event_id).job("sixth").status is JobStatus.SUCCEEDED


def test_a_mistake_is_told_and_its_correction_is_taken_in(
    watched: tuple[Line, GatewayProcess],
) -> None:
    line, process = watched
    shorten(line, "secnd")
    process.wait_for(REFUSED)
    shorten(line, "second")
    process.wait_for(RELOADED)


def test_a_watching_gateway_stops_cleanly(watched: tuple[Line, GatewayProcess]) -> None:
    _, process = watched
    assert process.stop().code == 0


def test_a_gateway_that_does_not_watch_takes_nothing_in_by_itself(
    line: Line, process: GatewayProcess
) -> None:
    shorten(line, "second")
    event_id = line.send(process)
    settled(process, event_id)
    assert len(plugins_of(line, event_id)) == 5
