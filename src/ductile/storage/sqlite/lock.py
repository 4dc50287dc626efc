"""The lock that keeps a second gateway off a database."""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path
from typing import Final

from ductile.errors import DatabaseLocked, StorageError

# Locks of an open file: like flock, the kernel drops them with the process, however it ends; but
# whether one is held can be asked without taking it, so asking never keeps a gateway from starting.
_FORMAT: Final = "hhqqi4x"
_WHOLE_FILE = (os.SEEK_SET, 0, 0, 0)


class GatewayLock:
    """Held by the gateway that serves a database."""

    def __init__(self, path: Path) -> None:
        """Take the lock of the database `path`. Raises DatabaseLocked if a gateway has it."""
        name = _name(path)
        try:
            self._descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(
                f'"{name}" cannot be opened: {error.strerror} — make the file and its directory '
                "writable for this user"
            ) from error
        try:
            request = struct.pack(_FORMAT, fcntl.F_WRLCK, *_WHOLE_FILE)
            fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLK, request)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(self._descriptor)
            self._descriptor = -1
            if not isinstance(error, BlockingIOError | PermissionError):
                raise StorageError(f'"{name}" cannot be locked: {error.strerror}') from error
            raise DatabaseLocked(
                f'database "{path}" is served by another gateway, process {holder(path)} — stop '
                'that one, or name another database in "state.url"'
            ) from error

    def release(self) -> None:
        """Let the next gateway in; harmless when called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def holder(path: Path) -> int | None:
    """The process id of the gateway that serves the database now, None if none does.

    0 for one that has only just begun to start.
    """
    try:
        descriptor = os.open(_name(path), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f'"{_name(path)}" cannot be opened: {error.strerror}') from error
    try:
        request = struct.pack(_FORMAT, fcntl.F_WRLCK, *_WHOLE_FILE)
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, request)
        if struct.unpack(_FORMAT, answer)[0] == fcntl.F_UNLCK:
            return None
        text = os.pread(descriptor, 32, 0).strip()
        return int(text) if text.isdigit() else 0
    finally:
        os.close(descriptor)


def _name(path: Path) -> Path:
    resolved = path.resolve()
    return resolved.with_name(f"{resolved.name}.lock")
