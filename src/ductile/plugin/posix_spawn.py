"""Starting a process by the C library's posix_spawn, while other threads go on."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

#: Bytes for each of the library's own structures, of which the largest known has 336.
_ROOM: Final = 1024
#: Values of <spawn.h>, the same in glibc and musl on all machines.
_SET_SIGNAL_DEFAULTS: Final = 0x04
_SET_SESSION: Final = 0x80
#: Python ignores them, and what it starts would go on ignoring them.
_RESTORED: Final = (signal.SIGPIPE, signal.SIGXFSZ)
#: Errors that may be the directory's as well as the file's.
_OF_A_PATH: Final = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP, errno.ENAMETOOLONG)


def posix_spawn(
    file: Path, directory: Path, environment: Mapping[str, str], streams: Sequence[int]
) -> int | None:
    """Execute `file` in a session of its own; returns its process id.

    `streams` become its stdin, stdout and stderr, and it gets no other descriptor. Unlike
    `subprocess` it lets go of the interpreter until the file is executed, a seventh of the time
    for which a job holds it. Returns None where it cannot be done: the C library lacks something
    (musl does), or a stream has the number of another. Raises OSError, with `directory` as its
    file name if that cannot be entered, and ValueError for an environment that cannot be handed
    over.
    """
    library = _library()
    if library is None or min(streams) < len(streams):
        return None
    pid = ctypes.c_int()
    path = os.fsencode(file)
    arguments = (ctypes.c_char_p * 2)(path, None)
    variables = [*_encoded(environment), None]
    quick, actions = library.quick, ctypes.create_string_buffer(_ROOM)
    quick.posix_spawn_file_actions_init(actions)
    try:
        # Each of these returns what went wrong, and 0 if nothing did.
        failure = quick.posix_spawn_file_actions_addchdir_np(actions, os.fsencode(directory))
        for number, stream in enumerate(streams):
            failure = failure or quick.posix_spawn_file_actions_adddup2(actions, stream, number)
        failure = failure or quick.posix_spawn_file_actions_addclosefrom_np(actions, len(streams))
        failure = failure or library.slow.posix_spawn(
            ctypes.byref(pid),
            path,
            actions,
            library.attributes,
            arguments,
            (ctypes.c_char_p * len(variables))(*variables),
        )
    finally:
        quick.posix_spawn_file_actions_destroy(actions)
    if failure:
        raise _error(failure, file, directory)
    return pid.value


class _Library:
    """The C library, and what is the same for every process."""

    def __init__(self) -> None:
        """Raises AttributeError if it lacks a function, OSError if there is none to ask."""
        #: Lets go of the interpreter for each call, and is for the one that takes long.
        self.slow: Any = ctypes.CDLL(None)
        self.quick: Any = ctypes.PyDLL(None)
        for name in ("addchdir_np", "addclosefrom_np"):
            getattr(self.quick, f"posix_spawn_file_actions_{name}")
        self.attributes = ctypes.create_string_buffer(_ROOM)
        restored = ctypes.create_string_buffer(_ROOM)
        self.quick.posix_spawnattr_init(self.attributes)
        self.quick.sigemptyset(restored)
        for number in _RESTORED:
            self.quick.sigaddset(restored, int(number))
        self.quick.posix_spawnattr_setsigdefault(self.attributes, restored)
        flags = ctypes.c_short(_SET_SIGNAL_DEFAULTS | _SET_SESSION)
        self.quick.posix_spawnattr_setflags(self.attributes, flags)


@cache
def _library() -> _Library | None:
    try:
        return _Library()
    except (AttributeError, OSError):
        return None


def _encoded(environment: Mapping[str, str]) -> list[bytes]:
    variables = []
    for name, value in environment.items():
        if "=" in name:
            raise ValueError(f'an environment variable has the name "{name}"')
        variables.append(os.fsencode(f"{name}={value}"))
        if b"\0" in variables[-1]:
            raise ValueError(f'the environment variable "{name}" holds a null byte')
    return variables


def _error(number: int, file: Path, directory: Path) -> OSError:
    """Of what the library says only a number comes back."""
    at_fault = file
    if number in _OF_A_PATH and not (os.path.isdir(directory) and os.access(directory, os.X_OK)):
        at_fault = directory
    return OSError(number, os.strerror(number), os.fspath(at_fault))
