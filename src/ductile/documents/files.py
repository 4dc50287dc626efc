"""Reading the files that people write, and nothing that never ends."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

#: Bytes; what people write by hand is a thousandth of it.
MAX_FILE: Final = 4 * 1024 * 1024

# Without O_NONBLOCK, to open a pipe that nobody writes to waits for ever.
_OPEN: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def read_file(path: Path) -> bytes:
    """All of a regular file, symlinks followed.

    Raises OSError, whose `strerror` is for people, for whatever cannot be read, for what is no
    regular file and for more than `MAX_FILE` bytes.
    """
    descriptor = os.open(path, _OPEN)
    with open(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return _bounded(file.read(MAX_FILE + 1))


def read_any(path: Path) -> bytes:
    """Like `read_file`, but of pipes as well, for what somebody names on a command line."""
    with open(path, "rb") as file:
        return _bounded(file.read(MAX_FILE + 1))


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_FILE:
        raise OSError(errno.EFBIG, f"it is larger than {MAX_FILE} bytes")
    return data
