"""A warm parent whose answers come late."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ductile.plugin import parent as parent_module
from ductile.plugin.parent import Kind, Parent, placeholder
from ductile.plugin.shebang import Interpreter, NotWarm

JOB = "0193a1b2"


@pytest.fixture
def streams(tmp_path: Path) -> Iterator[list[int]]:
    """What a job gets: three streams and a directory."""
    with ExitStack() as held:
        opened = [os.open(os.devnull, os.O_RDWR) for _ in range(3)]
        opened.append(os.open(tmp_path, os.O_RDONLY))
        for each in opened:
            held.callback(os.close, each)
        yield opened


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parent]:
    """Of a plugin that exits with 1, so that its status looks like a process id."""
    monkeypatch.setattr(parent_module, "_ANSWER_SECONDS", 0.2)
    script = tmp_path / "plugin.py"
    script.write_text(f"#!{sys.executable}\nraise SystemExit(1)\n")
    script.chmod(0o755)
    environment = frozenset({("PATH", os.environ["PATH"]), placeholder(JOB)})
    made = Parent(Kind(Interpreter(sys.executable, (sys.executable,)), script, (), environment))
    try:
        yield made
    finally:
        made.kill()


def wait(process: int) -> None:
    """Until that process has exited."""
    descriptor = os.pidfd_open(process)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    poll.poll()
    os.close(descriptor)


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[1])


def test_an_answer_that_comes_late_is_not_taken_for_that_to_the_next_question(
    parent: Parent, streams: list[int]
) -> None:
    pid = parent.fork(JOB, streams)
    wait(pid)
    stopped = parent_of(pid)
    os.kill(stopped, signal.SIGSTOP)
    late = parent.reap(pid)
    os.kill(stopped, signal.SIGCONT)

    assert late == -signal.SIGKILL
    with pytest.raises(NotWarm):
        parent.fork(JOB, streams)


def test_a_parent_that_did_not_answer_once_ends(parent: Parent, streams: list[int]) -> None:
    pid = parent.fork(JOB, streams)
    wait(pid)
    stopped = parent_of(pid)
    os.kill(stopped, signal.SIGSTOP)
    parent.reap(pid)
    os.kill(stopped, signal.SIGCONT)

    poll = select.poll()
    poll.register(parent.exited, select.POLLIN)

    assert poll.poll(10_000)
