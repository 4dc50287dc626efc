"""Which processes are taken for orphans, and what becomes of them."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from ductile.model.ids import JobId, new_id
from ductile.plugin.orphans import JOB_ID_VARIABLE, kill_orphans

JOB = JobId(new_id())
OTHER = JobId(new_id())
MARK = {JOB_ID_VARIABLE: JOB}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "ws"
    for name in (JOB, f"{JOB}.2", OTHER, "lost+found"):
        (root / name).mkdir(parents=True)
    return root


class Strays:
    """Processes in sessions of their own, which tell when they are up."""

    def __init__(self, cleanup: ExitStack) -> None:
        self._cleanup = cleanup

    def start(
        self,
        where: Path,
        environment: Mapping[str, str] | None = None,
        script: str = "",
        terminal: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """One that runs `script`, says so, and then waits for ever."""
        waiting = f"{script}\nexec 1>&-\nexec sleep 600"
        process = subprocess.Popen(
            ["/bin/sh", "-c", waiting] if terminal is None else self._on_terminal(waiting),
            cwd=where,
            env={"PATH": os.environ["PATH"], **(environment or {})},
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._cleanup.callback(self._end, process)
        assert process.stdout is not None
        process.stdout.read()
        return process

    @staticmethod
    def _on_terminal(script: str) -> Sequence[str]:
        return ["setsid", "--ctty", "/bin/sh", "-c", script]

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def strays() -> Iterator[Strays]:
    with ExitStack() as cleanup:
        yield Strays(cleanup)


def killed(root: Path, *jobs: JobId) -> Mapping[JobId, int]:
    return kill_orphans((jobs or (JOB,)).__contains__, root)


def test_a_process_with_the_mark_is_killed_wherever_it_works(strays: Strays, root: Path) -> None:
    process = strays.start(Path("/"), MARK)
    assert killed(root) == {JOB: 1}
    assert process.wait(5) == -9


def test_what_a_marked_process_started_is_killed_too(strays: Strays, root: Path) -> None:
    strays.start(Path("/"), MARK, "setsid sleep 600 >/dev/null &")
    # The shell that became the first sleep, and the second one.
    assert killed(root)[JOB] >= 2


def test_one_that_ignores_sigterm_is_killed(strays: Strays, root: Path) -> None:
    process = strays.start(Path("/"), MARK, "trap '' TERM HUP INT")
    killed(root)
    assert process.wait(5) == -9


@pytest.mark.parametrize("attempt", ["", ".2"])
def test_one_that_emptied_its_environment_is_found_by_where_it_works(
    strays: Strays, root: Path, attempt: str
) -> None:
    process = strays.start(root / f"{JOB}{attempt}")
    assert killed(root) == {JOB: 1}
    assert process.wait(5) == -9


def test_it_is_found_when_its_directory_is_deleted(strays: Strays, root: Path) -> None:
    strays.start(root / JOB, None, 'rmdir "$PWD"')
    assert killed(root) == {JOB: 1}


def test_one_that_works_elsewhere_is_found_by_the_file_that_it_writes_to(
    strays: Strays, root: Path
) -> None:
    strays.start(Path("/"), None, f"exec 5>>'{root / JOB / 'file'}'")
    assert killed(root) == {JOB: 1}


def test_who_only_reads_a_file_is_left_alone(strays: Strays, root: Path) -> None:
    (root / JOB / "file").touch()
    strays.start(Path("/"), None, f"exec 5<'{root / JOB / 'file'}'")
    assert killed(root) == {}


def test_who_looks_around_from_a_terminal_is_left_alone(strays: Strays, root: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        strays.start(root / JOB, terminal=theirs)
        assert killed(root) == {}
    finally:
        os.close(theirs)
        os.close(ours)


def test_other_jobs_are_left_alone(strays: Strays, root: Path) -> None:
    strays.start(root / OTHER)
    strays.start(Path("/"), {JOB_ID_VARIABLE: OTHER})
    assert killed(root) == {}


@pytest.mark.parametrize("where", ["", "lost+found"])
def test_what_belongs_to_no_job_is_left_alone(
    strays: Strays, root: Path, tmp_path: Path, where: str
) -> None:
    process = strays.start(root / where)
    # Every job is wanted, so no process but this one may be seen: not those of other tests.
    (tmp_path / str(process.pid)).symlink_to(f"/proc/{process.pid}")
    assert kill_orphans(lambda job_id: True, root, proc=tmp_path) == {}
    assert process.poll() is None


def test_a_root_behind_a_symlink_is_the_same_root(
    strays: Strays, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(root)
    strays.start(root / JOB)
    assert killed(tmp_path / "link") == {JOB: 1}


def test_the_dead_are_counted_for_each_job(strays: Strays, root: Path) -> None:
    strays.start(root / JOB)
    strays.start(root / JOB)
    strays.start(Path("/"), {JOB_ID_VARIABLE: OTHER})
    assert killed(root, JOB, OTHER) == {JOB: 2, OTHER: 1}


def test_without_a_list_of_processes_nothing_is_done(root: Path, tmp_path: Path) -> None:
    assert kill_orphans(lambda job_id: True, root, proc=tmp_path / "none") == {}
