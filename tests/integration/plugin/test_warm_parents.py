"""The parents of warm plugins: when there is a new one, and what happens when one fails."""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from ductile.model.ids import JobId, new_id
from ductile.plugin import parent as parent_module
from ductile.plugin import warm as warm_module
from ductile.plugin.orphans import kill_orphans
from ductile.plugin.warm import IDLE
from ductile.telemetry.signals import WarmParentFailed
from tests.support.warm import WarmAndCold

# What changes


def test_a_changed_plugin_is_run_as_it_is_now(stage: WarmAndCold) -> None:
    for word in ("one", "two"):
        stage.write(f"print('{word}')")
        assert stage.warm().stdout.decode() == f"{word}\n"


def test_a_changed_module_of_those_that_were_preloaded_is_imported_anew(
    stage: WarmAndCold, tmp_path: Path
) -> None:
    stage.write("import helper; print(helper.word)")
    for word in ("one", "three"):
        (tmp_path / "helper.py").write_text(f"word = '{word}'")
        assert stage.warm("helper").stdout.decode() == f"{word}\n"
    assert stage.signals == []


def test_after_so_many_jobs_there_is_a_new_parent(
    stage: WarmAndCold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_module, "MAX_FORKS", 2)
    stage.write("import os; print(os.getppid())")
    parents = [stage.warm().stdout for _ in range(4)]
    assert parents[0] == parents[1] != parents[2] == parents[3]


def test_a_parent_that_nobody_needs_ends(stage: WarmAndCold) -> None:
    parent = stage.parent()
    assert stage.spawner.run_once() == 0
    stage.clock.advance(IDLE)
    assert stage.spawner.run_once() == 1
    with pytest.raises(ProcessLookupError):
        os.kill(parent, 0)


def test_there_are_only_so_many_parents(
    stage: WarmAndCold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_module, "MAX_PARENTS", 2)
    stage.write("import os; print(os.getppid())")
    parents = [int(stage.warm(name).stdout) for name in ("json", "decimal", "email")]
    with pytest.raises(ProcessLookupError):
        os.kill(parents[0], 0)
    assert stage.signals == []


# What goes wrong


@pytest.mark.parametrize(
    ("first", "preload", "reason"),
    [
        ("#!/bin/sh", "", "which is no Python found"),
        (f"#!{sys.executable} -u", "", 'has the option "-u"'),
        (f"#!{sys.executable}", "not_there", "cannot import not_there: ModuleNotFoundError"),
        (f"#!{sys.executable}", "threaded", "starts a thread"),
        (f"#!{sys.executable}", "leaver", "cannot import leaver: SystemExit: 3"),
    ],
)
def test_where_nothing_can_be_forked_it_is_started_and_the_reason_is_told(
    stage: WarmAndCold, tmp_path: Path, first: str, preload: str, reason: str
) -> None:
    (tmp_path / "leaver.py").write_text("raise SystemExit(3)")
    (tmp_path / "threaded.py").write_text(
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"
    )
    stage.write("echo out" if first == "#!/bin/sh" else "print('out')", first)
    for _ in range(2):
        assert stage.warm(*filter(None, [preload])).stdout == b"out\n"
    [told] = stage.reasons()
    assert reason in told


def test_a_failure_is_tried_again_later_and_rarer(stage: WarmAndCold) -> None:
    stage.write("pass")
    pauses = []
    for _ in range(3):
        stage.warm("not_there")
        [latest] = [each for each in stage.signals[-1:] if isinstance(each, WarmParentFailed)]
        assert latest.cold_for is not None
        pauses.append(latest.cold_for)
        stage.clock.advance(latest.cold_for)
    assert pauses[0] < pauses[1] < pauses[2]


def test_once_it_has_worked_the_pauses_begin_anew(stage: WarmAndCold, tmp_path: Path) -> None:
    stage.write("import sys")
    pauses = []
    for text in ("1 / 0", "1 / 0 # again", "pass", "1 / 0 # and again"):
        (tmp_path / "helper.py").write_text(text)
        stage.warm("helper")
        pauses += [each.cold_for for each in stage.signals if isinstance(each, WarmParentFailed)]
        stage.signals.clear()
        stage.clock.advance(timedelta(minutes=1))
    first, second, third = pauses
    assert first == third != second


def test_when_its_parent_is_killed_the_job_ends_and_the_next_one_runs(
    stage: WarmAndCold, tmp_path: Path
) -> None:
    parent = stage.parent()
    stage.write(f"import os, signal, time; os.kill({parent}, signal.SIGKILL); time.sleep(600)")
    assert stage.warm().exit_code == -signal.SIGKILL
    stage.write("print('well')")
    assert stage.warm().stdout == b"well\n"


def test_when_its_parent_does_not_answer_a_job_is_started_and_runs_once(
    stage: WarmAndCold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent_module, "_ANSWER_SECONDS", 0.2)
    parent = stage.parent()
    stage.write("with open('ran', 'a') as ran: print('once', file=ran)\nprint(open('ran').read())")
    os.kill(parent, signal.SIGSTOP)
    assert stage.warm().stdout == b"once\n\n"
    [told] = stage.reasons()
    assert "does not answer" in told


def test_when_the_parent_goes_so_does_what_it_forked(stage: WarmAndCold) -> None:
    stage.write("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    spawned = stage.spawner.spawn(stage.invocation())
    os.set_blocking(spawned.streams.stdout, True)
    pid = int(os.read(spawned.streams.stdout, 100))
    stage.spawner.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    spawned.close()


def test_a_job_that_was_left_over_is_found_and_killed(stage: WarmAndCold, tmp_path: Path) -> None:
    stage.write("import os, time; os.chdir('/'); print('up', flush=True); time.sleep(600)")
    job_id = JobId(new_id())
    spawned = stage.spawner.spawn(stage.invocation(job_id=job_id))
    os.set_blocking(spawned.streams.stdout, True)
    assert os.read(spawned.streams.stdout, 100) == b"up\n"
    assert kill_orphans({job_id}.__contains__, tmp_path) == {job_id: 1}
    assert spawned.reap() == -signal.SIGKILL
    spawned.close()


def test_after_the_end_everything_is_started_cold(stage: WarmAndCold) -> None:
    stage.write("import os; print(os.getppid())")
    stage.spawner.close()
    assert int(stage.warm().stdout) == os.getpid()
