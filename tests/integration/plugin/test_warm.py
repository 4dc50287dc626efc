"""Python plugins forked from a warm parent: as if started, and nothing carried over."""

from __future__ import annotations

import gzip
import os
import re
import signal
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ductile.model.clock import SystemClock
from ductile.model.ids import JobId, new_id
from ductile.plugin import parent as parent_module
from ductile.plugin import warm as warm_module
from ductile.plugin.interfaces import Ended, Invocation
from ductile.plugin.orphans import JOB_ID_VARIABLE, kill_orphans
from ductile.plugin.process import ProcessRunner
from ductile.plugin.stop import Stop
from ductile.plugin.warm import IDLE, WarmSpawner
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import Signal, WarmParentFailed
from tests.support.clock import FakeClock

LONG = timedelta(seconds=50)
#: What a plugin can find out about itself and where it runs.
LOOK = """\
import os, resource, signal, sys, threading
print(__name__, __file__, __doc__, __spec__, sorted(globals()))
print(sys.argv, sys.orig_argv, sys.path, sys.flags, sys.executable, sys.prefix)
print(sys.modules["__main__"].__dict__ is globals())
print(os.getcwd(), sorted(os.environ.items()), oct(os.umask(0)), os.nice(0))
print(sorted(os.listdir("/proc/self/fd")))
print([signal.getsignal(each) for each in sorted(signal.valid_signals())])
print([(n, resource.getrlimit(getattr(resource, n))) for n in dir(resource) if n[:7] == "RLIMIT_"])
print([threading.current_thread().name, threading.active_count(), os.getpid() == os.getsid(0)])
for stream in (sys.stdin, sys.stdout, sys.stderr):
    print(stream.name, stream.mode, stream.encoding, stream.errors, stream.line_buffering)
    print(stream.isatty(), stream.seekable())
print(repr(sys.stdin.read()))
"""
#: Ways to end, each with a text that is not flushed.
ENDS = {
    "well": "print('out')",
    "exit": "import sys; print('out'); sys.exit(3)",
    "exit with words": "import sys; sys.exit('words')",
    "exception": "def f():\n    1 / 0\nprint('out')\nf()",
    "chained": "try:\n    1 / 0\nexcept Exception:\n    raise ValueError('x')",
    "group": "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])",
    "syntax": "print('out'\n",
    "syntax warning": "assert (1, 2)\nprint('out')",
    "not utf-8": "# \udcff",
    "interrupt": "raise KeyboardInterrupt",
    "at exit": "import atexit; atexit.register(print, 'bye'); print('out')",
    "thread": "import threading; threading.Thread(target=lambda: 1 / 0).start()",
    "thread that works on": "import threading, time\n"
    "threading.Thread(target=lambda: (time.sleep(0.05), print('late'))).start()",
    "hard": "import os; print('out', flush=True); os._exit(4)",
    "signal": "import os, signal; os.kill(0, signal.SIGTERM)",
    "own hook": "import sys; sys.excepthook = lambda *a: print('hook', a[0]); 1 / 0",
    "number that is none": "import sys; sys.exit(True)",
    "large number": "import sys; sys.exit(2**70)",
    "other number": "import sys; sys.exit(-1)",
    "last words": "class Last:\n    def __del__(self): print('deleted')\nlast = Last()",
    "last words of a circle": "class Last:\n    def __del__(self): print('deleted', json)\n"
    "import json\nlast = Last(); last.itself = last",
    "finalizer": "import weakref\nclass C: pass\nc = C()\nweakref.finalize(c, print, 'final')",
    "handlers in turn": "import atexit\n[atexit.register(print, n) for n in range(3)]",
    "failing handler": "import atexit; atexit.register(lambda: 1 / 0); print('out')",
    "daemon": "import threading\n"
    "threading.Thread(target=threading.Event().wait, daemon=True).start(); print('out')",
    "executor": "from concurrent.futures import ThreadPoolExecutor\n"
    "ThreadPoolExecutor(1).submit(print, 'out')",
    "other stdout": "import io, sys; print('out'); sys.stdout = io.StringIO(); print('lost')",
    "stdout without a reader": "import os, sys; r, w = os.pipe(); os.close(r); os.dup2(w, 1)\n"
    "print('out')",
    "no stdout": "import sys; sys.stdout = None",
    "full disk": "import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1); print('out')",
    "forked": "import os, sys\nprint('out', flush=True)\n"
    "if os.fork(): os.wait(); print('parent')\nelse: print('child')",
    "asyncio": "import asyncio\nasync def main(): print(await asyncio.to_thread(str, 1))\n"
    "asyncio.run(main())",
    "closed stdout": "import sys; sys.stdout.close()",
    "child": "import subprocess; print(subprocess.run(['echo', 'hi'], capture_output=True).stdout)",
    "pool": "import multiprocessing as m\n"
    "if __name__ == '__main__':\n    print(m.get_context('fork').Pool(2).map(abs, [-1, 2]))",
}


class Stage:
    """Plugins in a folder, run warm and cold."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.signals: list[Signal] = []
        self._work = folder / "ws"
        self._work.mkdir()
        self._script = folder / "plugin.py"
        telemetry = Telemetry()
        telemetry.subscribe(self.signals.append)
        self.spawner = WarmSpawner(self.clock, telemetry)
        self._warm = ProcessRunner(SystemClock(), self.spawner)
        self._cold = ProcessRunner(SystemClock())

    def write(self, text: str, first: str = f"#!{sys.executable}") -> None:
        """Let the plugin be this from now on."""
        new = self._script.with_suffix(".new")
        new.write_bytes(f"{first}\n{text}".encode("utf-8", "surrogateescape"))
        new.chmod(0o755)
        new.rename(self._script)

    def invocation(self, *preload: str, job_id: str | None = None) -> Invocation:
        return Invocation(
            entrypoint=self._script,
            request=b"{}",
            directory=self._work,
            environment={
                "PATH": os.environ["PATH"],
                "LANG": "C.UTF-8",
                JOB_ID_VARIABLE: job_id or new_id(),
            },
            timeout=LONG,
            preload=preload,
        )

    def warm(self, *preload: str, job_id: str | None = None) -> Ended:
        with Stop() as stop:
            return self._warm.run(self.invocation(*preload, job_id=job_id), stop)

    def cold(self, job_id: str) -> Ended:
        with Stop() as stop:
            return self._cold.run(self.invocation(job_id=job_id), stop)

    def both(self, *preload: str) -> tuple[Ended, Ended]:
        """The same job warm and cold; it must really have been forked."""
        job_id = new_id()
        warm, cold = self.warm(*preload, job_id=job_id), self.cold(job_id)
        assert self.signals == []
        return warm, cold

    def reasons(self) -> list[str]:
        """Why something was started cold."""
        return [each.reason for each in self.signals if isinstance(each, WarmParentFailed)]

    def parent(self) -> int:
        """The process id of the parent that a job has now."""
        self.write("import os; print(os.getppid())")
        return int(self.warm().stdout)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    try:
        yield made
    finally:
        made.spawner.close()


def words(ended: Ended) -> str:
    """What is on stderr, wherever in memory things were."""
    return re.sub("0x[0-9a-f]+", "0x", ended.stderr.decode(errors="replace"))


# As if started


def test_a_plugin_finds_the_same_as_if_it_were_started(stage: Stage) -> None:
    stage.write(LOOK)
    warm, cold = stage.both()
    assert warm.stdout.decode().splitlines() == cold.stdout.decode().splitlines()
    assert (warm.stderr, warm.exit_code) == (b"", 0)


@pytest.mark.parametrize("end", ENDS)
def test_it_ends_as_if_it_were_started(stage: Stage, end: str) -> None:
    stage.write(ENDS[end])
    warm, cold = stage.both()
    assert words(warm) == words(cold)
    assert (warm.stdout, warm.exit_code) == (cold.stdout, cold.exit_code)


def test_files_that_are_left_open_are_written_out(stage: Stage, tmp_path: Path) -> None:
    stage.write(
        "import gzip, json, logging, helper\n"
        "kept = open('global', 'w'); kept.write('1')\n"
        "circle = [open('circle', 'w')]; circle.append(circle); circle[0].write('2')\n"
        "json.held = open('held', 'wb'); json.held.write(b'3')\n"
        "helper.file = open('module', 'w'); helper.file.write('4')\n"
        "packed = gzip.open('packed', 'wt'); packed.write('5')\n"
        "logging.basicConfig(filename='log', format='%(message)s'); logging.error('6')\n"
    )
    (tmp_path / "helper.py").touch()
    written = []
    for warm in (True, False):
        ended = stage.warm("json") if warm else stage.cold(new_id())
        assert ended.stderr == b""
        for name in ("global", "circle", "held", "module", "packed", "log"):
            file = tmp_path / "ws" / name
            content = file.read_bytes()
            written.append(gzip.decompress(content) if name == "packed" else content)
            file.unlink()
    assert written == [b"1", b"2", b"3", b"4", b"5", b"6\n"] * 2
    assert stage.signals == []


def test_it_is_found_by_its_mark_from_the_first_moment(stage: Stage) -> None:
    stage.write("import sys; sys.stdout.write(open('/proc/self/environ').read())")
    job_id = new_id()
    warm, cold = (
        ended.stdout.split(b"\0") for ended in (stage.warm(job_id=job_id), stage.cold(job_id))
    )
    assert f"{JOB_ID_VARIABLE}={job_id}".encode() in warm
    assert sorted(warm) == sorted(cold)


def test_what_is_preloaded_is_there_already(stage: Stage) -> None:
    stage.write("import sys; print('email.parser' in sys.modules, 'plugin' in sys.modules)")
    assert stage.warm("email.parser").stdout == b"True False\n"


# Nothing carried over


def test_nothing_is_carried_from_one_job_to_the_next(stage: Stage) -> None:
    stage.write(
        "import json, os, signal, sys, builtins\n"
        "print(hasattr(json, 'left'), 'LEFT' in os.environ, os.umask(0o077), 'left' in sys.path,\n"
        "      signal.getsignal(signal.SIGTERM), len(os.listdir('/proc/self/fd')), os.getcwd(),\n"
        "      hasattr(builtins, 'left'), 'decimal' in sys.modules)\n"
        "import decimal\n"
        "json.left = builtins.left = True\n"
        "os.environ['LEFT'] = 'x'\n"
        "sys.path.append('left')\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.open('/dev/null', os.O_RDONLY)\n"
        "os.chdir('/')\n"
    )
    first, second = stage.warm("json"), stage.warm("json")
    assert first.stdout == second.stdout
    assert stage.signals == []


def test_each_job_is_a_process_of_its_own_of_one_parent(stage: Stage) -> None:
    stage.write("import os; print(os.getpid(), os.getppid())")
    first, second = (stage.warm().stdout.split() for _ in range(2))
    assert first[0] != second[0]
    assert first[1] == second[1] != str(os.getpid()).encode()


def test_jobs_have_random_numbers_of_their_own(stage: Stage) -> None:
    stage.write("import os, random, uuid; print(random.random(), uuid.uuid4(), os.urandom(4))")
    numbers = {stage.warm("random", "uuid").stdout for _ in range(3)}
    assert len(numbers) == 3


# What changes


def test_a_changed_plugin_is_run_as_it_is_now(stage: Stage) -> None:
    for word in ("one", "two"):
        stage.write(f"print('{word}')")
        assert stage.warm().stdout.decode() == f"{word}\n"


def test_a_changed_module_of_those_that_were_preloaded_is_imported_anew(
    stage: Stage, tmp_path: Path
) -> None:
    stage.write("import helper; print(helper.word)")
    for word in ("one", "three"):
        (tmp_path / "helper.py").write_text(f"word = '{word}'")
        assert stage.warm("helper").stdout.decode() == f"{word}\n"
    assert stage.signals == []


def test_after_so_many_jobs_there_is_a_new_parent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_module, "MAX_FORKS", 2)
    stage.write("import os; print(os.getppid())")
    parents = [stage.warm().stdout for _ in range(4)]
    assert parents[0] == parents[1] != parents[2] == parents[3]


def test_a_parent_that_nobody_needs_ends(stage: Stage) -> None:
    parent = stage.parent()
    assert stage.spawner.run_once() == 0
    stage.clock.advance(IDLE)
    assert stage.spawner.run_once() == 1
    with pytest.raises(ProcessLookupError):
        os.kill(parent, 0)


def test_there_are_only_so_many_parents(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
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
    stage: Stage, tmp_path: Path, first: str, preload: str, reason: str
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


def test_a_failure_is_tried_again_later_and_rarer(stage: Stage) -> None:
    stage.write("pass")
    pauses = []
    for _ in range(3):
        stage.warm("not_there")
        [latest] = [each for each in stage.signals[-1:] if isinstance(each, WarmParentFailed)]
        assert latest.cold_for is not None
        pauses.append(latest.cold_for)
        stage.clock.advance(latest.cold_for)
    assert pauses[0] < pauses[1] < pauses[2]


def test_once_it_has_worked_the_pauses_begin_anew(stage: Stage, tmp_path: Path) -> None:
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
    stage: Stage, tmp_path: Path
) -> None:
    parent = stage.parent()
    stage.write(f"import os, signal, time; os.kill({parent}, signal.SIGKILL); time.sleep(600)")
    assert stage.warm().exit_code == -signal.SIGKILL
    stage.write("print('well')")
    assert stage.warm().stdout == b"well\n"


def test_when_its_parent_does_not_answer_a_job_is_started_and_runs_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent_module, "_ANSWER_SECONDS", 0.2)
    parent = stage.parent()
    stage.write("with open('ran', 'a') as ran: print('once', file=ran)\nprint(open('ran').read())")
    os.kill(parent, signal.SIGSTOP)
    assert stage.warm().stdout == b"once\n\n"
    [told] = stage.reasons()
    assert "does not answer" in told


def test_when_the_parent_goes_so_does_what_it_forked(stage: Stage) -> None:
    stage.write("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    spawned = stage.spawner.spawn(stage.invocation())
    os.set_blocking(spawned.streams.stdout, True)
    pid = int(os.read(spawned.streams.stdout, 100))
    stage.spawner.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    spawned.close()


def test_a_job_that_was_left_over_is_found_and_killed(stage: Stage, tmp_path: Path) -> None:
    stage.write("import os, time; os.chdir('/'); print('up', flush=True); time.sleep(600)")
    job_id = JobId(new_id())
    spawned = stage.spawner.spawn(stage.invocation(job_id=job_id))
    os.set_blocking(spawned.streams.stdout, True)
    assert os.read(spawned.streams.stdout, 100) == b"up\n"
    assert kill_orphans({job_id}.__contains__, tmp_path) == {job_id: 1}
    assert spawned.reap() == -signal.SIGKILL
    spawned.close()


def test_after_the_end_everything_is_started_cold(stage: Stage) -> None:
    stage.write("import os; print(os.getppid())")
    stage.spawner.close()
    assert int(stage.warm().stdout) == os.getpid()
