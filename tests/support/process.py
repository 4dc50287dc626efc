"""Ductile in processes of its own: started, listened to, stopped or killed, always by their id."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ductile
from tests.support.signals import PATIENCE

#: What a child needs to find this checkout, installed or not.
_CODE: Final = (Path(ductile.__file__).parents[1], Path(__file__).parents[2])
#: Root writes where it may not; without these of its powers it is held to modes like a user.
_BINDING: Final = (
    ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
)
_LISTENING: Final = re.compile(r"listening on http://(\S+):(\d+)")


@dataclass(frozen=True)
class Ended:
    """A process that is over."""

    code: int
    """Negative for the number of the signal that ended it."""
    output: str
    errors: str

    @property
    def text(self) -> str:
        """All that it said."""
        return self.output + self.errors


class Process:
    """A running process; every line that it writes is kept, and wakes whoever waits for it."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self._popen = popen
        self._changed = threading.Condition()
        self._lines: dict[str, list[str]] = {"output": [], "errors": []}
        self._open = len(self._lines)
        assert popen.stdout is not None
        assert popen.stderr is not None
        self._readers = [
            threading.Thread(target=self._read, args=(name, stream), daemon=True)
            for name, stream in (("output", popen.stdout), ("errors", popen.stderr))
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def lines(self) -> list[str]:
        """All lines so far, stdout before stderr."""
        with self._changed:
            return [*self._lines["output"], *self._lines["errors"]]

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds that a line of output tells of."""
        with self._changed:
            held = self._changed.wait_for(lambda: not self._open or holds(), PATIENCE)
        # The end may have come with the last line that was needed.
        assert held, f"not so within {PATIENCE:.0f} s; it said:\n{self._text()}"
        assert holds(), f"it ended before; it said:\n{self._text()}"

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first line that matches, said already or not yet."""
        found: list[re.Match[str]] = []

        def said() -> bool:
            found.extend(match for line in self.lines if (match := re.search(pattern, line)))
            return bool(found)

        self.wait_until(said)
        return found[0]

    def count(self, pattern: str) -> int:
        """How many lines match by now."""
        return sum(bool(re.search(pattern, line)) for line in self.lines)

    def tell(self, line: str) -> None:
        """Write a line to its stdin."""
        assert self._popen.stdin is not None
        self._popen.stdin.write(f"{line}\n")
        self._popen.stdin.flush()

    def send_signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def ended(self) -> Ended:
        """Wait for its end."""
        code = self._popen.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return Ended(
            code, "\n".join(self._lines["output"]) + "\n", "\n".join(self._lines["errors"]) + "\n"
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> Ended:
        """Ask it to end, and wait for that."""
        self.send_signal(number)
        return self.ended()

    def kill(self) -> Ended:
        """`kill -9`; harmless when it is over."""
        self._popen.kill()
        return self.ended()

    def close(self) -> None:
        """Make sure that it is over, and let go of its pipes."""
        self.kill()
        for stream in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if stream is not None:
                # What could not be sent to a process that was killed is of no interest.
                with suppress(BrokenPipeError):
                    stream.close()

    def _read(self, name: str, stream: Iterator[str]) -> None:
        for line in stream:
            with self._changed:
                self._lines[name].append(line.rstrip("\n"))
                self._changed.notify_all()
        # A plugin that outlives a killed gateway does not hold these pipes, so this is its end.
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def _text(self) -> str:
        return "\n".join(self.lines)


class GatewayProcess(Process):
    """A gateway that answers HTTP."""

    _address: tuple[str, int] | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, once it does."""
        if self._address is None:
            found = self.wait_for(_LISTENING.pattern)
            self._address = (found[1], int(found[2]))
        return self._address


@contextmanager
def process(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    bound: bool = False,
) -> Iterator[Process]:
    """`python ARGUMENTS`, with nothing of this process's environment but PATH.

    If `bound`, it is held to the modes of files, whoever runs the tests.
    """
    child = Process(_spawn(arguments, environment or {}, bound))
    try:
        yield child
    finally:
        child.close()


@contextmanager
def gateway(
    config_dir: Path,
    *,
    environment: Mapping[str, str] | None = None,
    program: Sequence[str] = ("-m", "ductile", "--config", "{}", "serve"),
    listens: bool = True,
) -> Iterator[GatewayProcess]:
    """A gateway on a config directory, which stands for `{}` in `program`; it listens, unless
    it may die before that.

    However the test ends, nothing that the gateway started outlives it.
    """
    arguments = [part.format(config_dir) for part in program]
    child = GatewayProcess(_spawn(arguments, environment or {}))
    try:
        assert not listens or child.address
        yield child
    finally:
        child.close()
        end_all_in(config_dir.parent)


def run(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    bound: bool = False,
) -> Ended:
    """`python -m ductile ARGUMENTS`, to its end."""
    with process(("-m", "ductile", *arguments), environment=environment, bound=bound) as child:
        return child.ended()


def has_ended(pidfd: int) -> bool:
    """Whether a process is over now, reaped or not."""
    return bool(select.select([pidfd], [], [], 0)[0])


def end_all_in(directory: Path) -> None:
    """Kill what works in this directory of the test, or below it: left-over plugins."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            where = os.readlink(entry / "cwd")
            if Path(where).is_relative_to(directory):
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:  # it ended meanwhile, or is somebody else's
            continue


def clean_environment() -> dict[str, str]:
    """PATH, and what it takes to run the code of this checkout."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, _CODE)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _spawn(
    arguments: Sequence[str], environment: Mapping[str, str], bound: bool = False
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*(_BINDING if bound else ()), sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        # A directory that everybody may enter, and that is no test's.
        cwd="/",
        env={**clean_environment(), **environment},
        start_new_session=True,
    )
