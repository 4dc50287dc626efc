"""How a plugin is started; why it cannot be, and what to do about it."""

from __future__ import annotations

import os
import resource
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ductile.errors import PluginError
from ductile.plugin.interfaces import Invocation
from ductile.plugin.posix_spawn import posix_spawn
from ductile.plugin.spawn import spawn

WAYS = ("posix_spawn", "subprocess")


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With what the C library offers, and as on a machine where it lacks something."""
    if request.param == "subprocess":
        monkeypatch.setattr("ductile.plugin.spawn.posix_spawn", lambda *arguments: None)
    return str(request.param)


def a_script(folder: Path, text: str, *, mode: int = 0o755) -> Path:
    path = folder / "script"
    path.write_text(text)
    path.chmod(mode)
    return path


def invoke(script: Path, **environment: str) -> Invocation:
    return Invocation(
        entrypoint=script,
        request=b"{}",
        directory=script.parent,
        environment={"PATH": os.environ["PATH"], **environment},
        timeout=timedelta(seconds=50),
    )


def refusal(invocation: Invocation) -> str:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(PluginError) as caught:
        spawn(invocation)
    assert len(os.listdir("/proc/self/fd")) == before
    assert str(invocation.directory) not in str(caught.value)
    return str(caught.value)


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    assert refusal(invoke(tmp_path / "script")) == (
        'plugin file "script" cannot be started: the file is gone; put it back or install the '
        "plugin again"
    )


def test_a_file_that_is_not_executable_is_named(tmp_path: Path) -> None:
    script = a_script(tmp_path, "#!/bin/sh\n", mode=0o644)

    assert refusal(invoke(script)).startswith(
        'plugin file "script" cannot be started: Permission denied; make it executable ("chmod +x")'
    )


def test_an_interpreter_that_is_missing_is_named(tmp_path: Path) -> None:
    script = a_script(tmp_path, "#!/bin/sh-of-old\r\n")

    assert refusal(invoke(script)) == (
        'plugin file "script" cannot be started: its interpreter "/bin/sh-of-old\\r" is missing; '
        "install it or correct the first line"
    )


def test_a_script_without_a_first_line_that_names_its_interpreter_is_refused(
    tmp_path: Path,
) -> None:
    script = a_script(tmp_path, "echo hello\n")

    assert refusal(invoke(script)) == (
        'plugin file "script" cannot be started: Exec format error; begin it with a line that '
        'names its interpreter, such as "#!/bin/sh"'
    )


def test_an_environment_that_is_too_large_is_refused(tmp_path: Path) -> None:
    script = a_script(tmp_path, "#!/bin/sh\n")

    assert "its environment is too large" in refusal(invoke(script, LARGE="x" * 1024 * 1024))


@pytest.mark.parametrize(("name", "value"), [("ZERO", "a\0b"), ("A=B", "c"), ("A\0B", "c")])
def test_a_variable_that_no_environment_can_hold_is_refused(
    tmp_path: Path, name: str, value: str
) -> None:
    script = a_script(tmp_path, "#!/bin/sh\n")

    assert "names and values of its environment" in refusal(invoke(script, **{name: value}))


def test_a_file_that_somebody_writes_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(Path("/bin/true").read_bytes())
    program.chmod(0o755)

    with program.open("ab"):
        text = refusal(invoke(program))

    assert text.endswith("write a new file and rename it over this one")


def test_a_directory_that_vanished_is_named(tmp_path: Path) -> None:
    invocation = replace(
        invoke(a_script(tmp_path, "#!/bin/sh\n")), directory=tmp_path / "workspace"
    )

    text = refusal(invocation)

    assert 'its working directory "workspace" cannot be entered' in text


def test_a_directory_that_is_a_file_is_named(tmp_path: Path) -> None:
    script = a_script(tmp_path, "#!/bin/sh\n")

    text = refusal(replace(invoke(script), directory=script))

    assert 'its working directory "script" cannot be entered' in text


@pytest.mark.parametrize("number", [signal.SIGPIPE, signal.SIGXFSZ])
def test_a_plugin_does_not_ignore_the_signals_that_python_ignores(
    tmp_path: Path, number: signal.Signals
) -> None:
    assert signal.getsignal(number) is signal.SIG_IGN
    spawned = spawn(invoke(a_script(tmp_path, f"#!/bin/sh\nkill -{int(number)} $$\n")))
    try:
        assert spawned.reap() == -number
    finally:
        spawned.close()


def test_streams_that_take_the_place_of_others_are_left_to_subprocess(tmp_path: Path) -> None:
    script = a_script(tmp_path, "#!/bin/sh\n")

    assert posix_spawn(script, tmp_path, {}, (4, 2, 3)) is None


@pytest.mark.parametrize("free", range(6))
def test_running_out_of_descriptors_is_explained_and_leaks_none(tmp_path: Path, free: int) -> None:
    invocation = invoke(a_script(tmp_path, "#!/bin/sh\n"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    fillers = [os.open("/dev/null", os.O_RDONLY)]
    while fillers[-1] < highest + free:
        fillers.append(os.open("/dev/null", os.O_RDONLY))
    for filler in fillers[len(fillers) - free :]:
        os.close(filler)
    resource.setrlimit(resource.RLIMIT_NOFILE, (fillers[-1] + 1, hard))
    try:
        with pytest.raises(PluginError, match=r'raise the limit on open files \("ulimit -n"\)'):
            spawn(invocation)
        again = [os.dup(0) for _ in range(free)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for filler in fillers[: len(fillers) - free]:
            os.close(filler)
    for fd in again:
        os.close(fd)
