"""Python plugins forked from a warm parent: as if started, and nothing carried over."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest

from ductile.model.ids import new_id
from ductile.plugin.interfaces import Ended
from ductile.plugin.orphans import JOB_ID_VARIABLE
from tests.support.warm import WarmAndCold

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


def words(ended: Ended) -> str:
    """What is on stderr, wherever in memory things were."""
    return re.sub("0x[0-9a-f]+", "0x", ended.stderr.decode(errors="replace"))


# As if started


def test_a_plugin_finds_the_same_as_if_it_were_started(stage: WarmAndCold) -> None:
    stage.write(LOOK)
    warm, cold = stage.both()
    assert warm.stdout.decode().splitlines() == cold.stdout.decode().splitlines()
    assert (warm.stderr, warm.exit_code) == (b"", 0)


@pytest.mark.parametrize("end", ENDS)
def test_it_ends_as_if_it_were_started(stage: WarmAndCold, end: str) -> None:
    stage.write(ENDS[end])
    warm, cold = stage.both()
    assert words(warm) == words(cold)
    assert (warm.stdout, warm.exit_code) == (cold.stdout, cold.exit_code)


def test_files_that_are_left_open_are_written_out(stage: WarmAndCold, tmp_path: Path) -> None:
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


def test_it_is_found_by_its_mark_from_the_first_moment(stage: WarmAndCold) -> None:
    stage.write("import sys; sys.stdout.write(open('/proc/self/environ').read())")
    job_id = new_id()
    warm, cold = (
        ended.stdout.split(b"\0") for ended in (stage.warm(job_id=job_id), stage.cold(job_id))
    )
    assert f"{JOB_ID_VARIABLE}={job_id}".encode() in warm
    assert sorted(warm) == sorted(cold)


def test_what_is_preloaded_is_there_already(stage: WarmAndCold) -> None:
    stage.write("import sys; print('email.parser' in sys.modules, 'plugin' in sys.modules)")
    assert stage.warm("email.parser").stdout == b"True False\n"


# Nothing carried over


def test_nothing_is_carried_from_one_job_to_the_next(stage: WarmAndCold) -> None:
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


def test_each_job_is_a_process_of_its_own_of_one_parent(stage: WarmAndCold) -> None:
    stage.write("import os; print(os.getpid(), os.getppid())")
    first, second = (stage.warm().stdout.split() for _ in range(2))
    assert first[0] != second[0]
    assert first[1] == second[1] != str(os.getpid()).encode()


def test_jobs_have_random_numbers_of_their_own(stage: WarmAndCold) -> None:
    stage.write("import os, random, uuid; print(random.random(), uuid.uuid4(), os.urandom(4))")
    numbers = {stage.warm("random", "uuid").stdout for _ in range(3)}
    assert len(numbers) == 3
