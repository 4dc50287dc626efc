"""Why a plugin cannot be started, and what to do about it."""

from __future__ import annotations

import os
import resource
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ductile.errors import PluginError
from ductile.plugin.interfaces import Invocation
from ductile.plugin.spawn import spawn


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


def test_a_variable_that_no_environment_can_hold_is_refused(tmp_path: Path) -> None:
    script = a_script(tmp_path, "#!/bin/sh\n")

    assert "names and values of its environment" in refusal(invoke(script, ZERO="a\0b"))


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


@pytest.mark.parametrize("free", range(8))
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
