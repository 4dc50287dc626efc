"""What every plugin runner promises."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

import orjson
import pytest

from ductile.errors import PluginError
from ductile.model.clock import SystemClock
from ductile.plugin.interfaces import Ending, PluginRunner
from ductile.plugin.process import ProcessRunner
from ductile.plugin.stop import Stop

from .plugin_processes import (
    LONG,
    SHORT,
    a_script,
    an_invocation,
    in_background,
    invoke,
    is_running,
    started,
)
from .warmed import warmed


@contextmanager
def _without_posix_spawn(folder: Path) -> Iterator[PluginRunner]:
    """As on a machine whose C library lacks what it takes."""
    with patch("ductile.plugin.spawn.posix_spawn", return_value=None):
        yield ProcessRunner(SystemClock())


RUNNERS: dict[str, Callable[[Path], AbstractContextManager[PluginRunner]]] = {
    "process": lambda folder: nullcontext(ProcessRunner(SystemClock())),
    "process without posix_spawn": _without_posix_spawn,
    "warm": warmed,
}


@pytest.fixture(params=sorted(RUNNERS))
def runner(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PluginRunner]:
    with RUNNERS[request.param](tmp_path_factory.mktemp("runner")) as made:
        yield made


@pytest.fixture
def stop() -> Iterator[Stop]:
    with Stop() as token:
        yield token


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A folder with the FIFOs over which plugins and tests wait for each other."""
    folder = tmp_path / "gate"
    folder.mkdir()
    os.mkfifo(folder / "started")
    os.mkfifo(folder / "open")
    return folder


# Feeding and reading


def test_a_plugin_gets_the_request_and_the_end_of_its_input(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    ended = runner.run(an_invocation("echo", tmp_path, request=b'{"a":1}'), stop)

    answer = orjson.loads(ended.stdout)
    assert answer["events"][0]["payload"]["request"] == {"a": 1}
    assert (ended.ending, ended.exit_code, ended.stderr) == (Ending.EXITED, 0, b"")
    assert ended.started_at <= ended.completed_at


def test_a_request_of_ten_mebibytes_passes_through(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    request = b'"' + b"x" * 10 * 1024 * 1024 + b'"'

    ended = runner.run(
        an_invocation("echo", tmp_path, request=request, max_stdout=2 * len(request)), stop
    )

    assert request in ended.stdout


def test_a_plugin_that_writes_before_it_reads_does_not_lock_up(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    request = b'"' + b"x" * 1024 * 1024 + b'"'

    ended = runner.run(an_invocation("write_first", tmp_path, request=request), stop)

    assert ended.stdout.endswith(b'"listened at last"}\n')


def test_a_plugin_that_ends_without_reading_its_input_is_no_error(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    request = b'"' + b"x" * 1024 * 1024 + b'"'

    ended = runner.run(an_invocation("no_input", tmp_path, request=request), stop)

    assert (ended.ending, ended.exit_code) == (Ending.EXITED, 0)
    assert b"did not listen" in ended.stdout


def test_only_the_start_of_a_flood_on_stderr_is_kept(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    ended = runner.run(an_invocation("flood_stderr", tmp_path), stop)

    assert (ended.ending, ended.exit_code) == (Ending.EXITED, 0)
    assert ended.stderr == (b"e\n" * 64 * 1024)[: 64 * 1024]


def test_a_flood_on_stdout_stops_the_plugin(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    ended = runner.run(an_invocation("flood_stdout", tmp_path, max_stdout=1024 * 1024), stop)

    assert (ended.ending, ended.exit_code) == (Ending.FLOODED, -signal.SIGTERM)
    assert len(ended.stdout) == 1024 * 1024


@pytest.mark.parametrize(
    ("limit", "ending"), [(16, Ending.EXITED), (15, Ending.FLOODED)], ids=["reached", "passed"]
)
def test_the_limit_on_stdout_is_exact(
    runner: PluginRunner, tmp_path: Path, stop: Stop, limit: int, ending: Ending
) -> None:
    assert len(b'{"status":"ok"}\n') == 16

    ended = runner.run(an_invocation("sink", tmp_path, max_stdout=limit), stop)

    assert ended.ending is ending


# Ending


def test_a_plugin_is_told_apart_by_its_exit_code(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    ended = runner.run(an_invocation("exit_78", tmp_path), stop)

    assert (ended.ending, ended.exit_code) == (Ending.EXITED, 78)
    assert ended.stderr == b"no token is configured\n"


def test_a_plugin_that_a_signal_ended_has_its_number_as_negative_exit_code(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    ended = runner.run(an_invocation("crash", tmp_path), stop)

    assert (ended.ending, ended.exit_code) == (Ending.EXITED, -signal.SIGSEGV)


def test_a_plugin_that_hangs_is_asked_to_end_when_its_time_is_up(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    ended = runner.run(an_invocation("hang", tmp_path, timeout=SHORT), stop)

    assert (ended.ending, ended.exit_code) == (Ending.TIMED_OUT, -signal.SIGTERM)
    assert ended.completed_at - ended.started_at >= SHORT


def test_a_plugin_that_ignores_sigterm_is_killed_after_the_grace_period(
    runner: PluginRunner, tmp_path: Path, stop: Stop, gate: Path
) -> None:
    invocation = an_invocation("ignore_sigterm", tmp_path, grace=SHORT, gate=gate)
    running = in_background(runner, invocation, stop)
    started(gate)

    stop.set()

    ended = running.result(timeout=LONG.total_seconds())
    assert (ended.ending, ended.exit_code) == (Ending.STOPPED, -signal.SIGKILL)


def test_a_hanging_plugin_that_ignores_sigterm_is_killed_too(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    invocation = an_invocation("ignore_sigterm", tmp_path, timeout=2 * SHORT, grace=SHORT)

    ended = runner.run(invocation, stop)

    assert ended.ending is Ending.TIMED_OUT
    assert ended.completed_at - ended.started_at < LONG / 2


def test_an_answer_that_comes_after_the_plugin_was_asked_to_end_does_not_count_as_its_own_end(
    runner: PluginRunner, tmp_path: Path, stop: Stop, gate: Path
) -> None:
    running = in_background(runner, an_invocation("end_on_sigterm", tmp_path, gate=gate), stop)
    started(gate)

    stop.set()

    ended = running.result(timeout=LONG.total_seconds())
    assert (ended.ending, ended.exit_code) == (Ending.STOPPED, 0)


def test_one_stop_token_stops_all_that_run(
    runner: PluginRunner, tmp_path: Path, stop: Stop, gate: Path
) -> None:
    running = [
        in_background(runner, an_invocation("hang", tmp_path, gate=gate), stop) for _ in range(3)
    ]
    with (gate / "started").open() as lines:
        seen = ""
        while seen.count("up") < 3:
            seen += lines.readline()

    stop.set()

    endings = [each.result(timeout=LONG.total_seconds()).ending for each in running]
    assert endings == [Ending.STOPPED] * 3


def test_nothing_is_started_once_it_was_asked_to_stop(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    stop.set()
    script = a_script(tmp_path, "#!/bin/sh\ntouch ran\n")

    ended = runner.run(invoke(script), stop)

    assert ended.ending is Ending.STOPPED
    assert not (tmp_path / "ran").exists()


def test_a_plugin_that_waits_is_let_through(
    runner: PluginRunner, tmp_path: Path, stop: Stop, gate: Path
) -> None:
    running = in_background(runner, an_invocation("gated", tmp_path, gate=gate), stop)
    started(gate)

    (gate / "open").write_text("go\n")

    ended = running.result(timeout=LONG.total_seconds())
    assert (ended.ending, ended.stdout) == (
        Ending.EXITED,
        b'{"status":"ok","result":"let through"}\n',
    )


# The group


def test_a_grandchild_that_holds_stdout_neither_delays_the_result_nor_survives_it(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    ended = runner.run(an_invocation("grandchild", tmp_path), stop)

    assert (ended.ending, ended.exit_code) == (Ending.EXITED, 0)
    assert not is_running(int(orjson.loads(ended.stdout)["result"]))
    assert ended.completed_at - ended.started_at < LONG / 10


def test_a_descendant_that_left_the_group_is_not_waited_for(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    ended = runner.run(an_invocation("runaway", tmp_path), stop)

    pid = int(orjson.loads(ended.stdout)["result"])
    try:
        assert (ended.ending, ended.exit_code) == (Ending.EXITED, 0)
        assert is_running(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_no_process_of_the_group_is_left_when_the_run_is_over(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    script = a_script(
        tmp_path,
        "#!/bin/sh\n"
        "for _ in 1 2 3 4; do\n"
        "    (trap '' TERM; while :; do echo x >>busy; done) &\n"
        "    echo $!\n"
        "done\n"
        "until [ -s busy ]; do :; done\n",
    )

    ended = runner.run(invoke(script), stop)

    pids = [int(line) for line in ended.stdout.split()]
    assert len(pids) == 4
    assert not [pid for pid in pids if is_running(pid)]


def test_a_plugin_leads_a_session_of_its_own_in_its_directory(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    script = a_script(tmp_path, "#!/bin/sh\npwd -P; cut -d ' ' -f 1,5,6 /proc/$$/stat\n")

    lines = runner.run(invoke(script), stop).stdout.decode().split("\n")

    pid, group, session = lines[1].split()
    assert (lines[0], group, session) == (str(tmp_path.resolve()), pid, pid)


def test_a_plugin_sees_the_given_environment_and_no_other(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    script = a_script(tmp_path, "#!/bin/sh\nexec env\n")

    lines = runner.run(invoke(script, COLOUR="blue"), stop).stdout.decode().split("\n")

    assert {line.split("=")[0] for line in lines if line} <= {
        "PATH",
        "COLOUR",
        "PWD",
        "_",
        "OLDPWD",
    }
    assert "COLOUR=blue" in lines


def test_a_plugin_inherits_nothing_but_its_three_streams(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    script = a_script(tmp_path, "#!/bin/sh\nexec ls /proc/self/fd\n")
    held = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(held, True)

    ended = runner.run(invoke(script), stop)

    os.close(held)
    # ls itself opens the folder that it lists.
    assert ended.stdout.split() == [b"0", b"1", b"2", b"3"]


# Resources


def test_many_runs_at_once_and_in_turn_leak_no_descriptor(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    missing = invoke(tmp_path / "missing")

    def some(plugin: str) -> None:
        runner.run(an_invocation(plugin, tmp_path, timeout=LONG, max_stdout=100_000), stop)

    def failing() -> None:
        with pytest.raises(PluginError):
            runner.run(missing, stop)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(some, ["sink"] * 4))
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(10):
            list(pool.map(some, ["sink", "no_input", "flood_stdout", "grandchild", "crash"]))
            failing()
        after = len(os.listdir("/proc/self/fd"))

    assert after == before


# What cannot be started


def test_a_plugin_that_cannot_be_started_is_an_error_that_names_its_file_and_no_path(
    runner: PluginRunner, tmp_path: Path, stop: Stop
) -> None:
    with pytest.raises(PluginError) as caught:
        runner.run(invoke(tmp_path / "missing"), stop)

    assert '"missing"' in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
