"""The stop token: one descriptor that wakes whoever polls it, once and for good."""

from __future__ import annotations

import os
from types import TracebackType


class Stop:
    """A `StopToken` that every thread may hold; close it when the last of them has ended."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._set = False

    def set(self) -> None:
        # No lock: a signal handler may interrupt this very method and call it again.
        if not self._set and self._fd >= 0:
            self._set = True
            os.eventfd_write(self._fd, 1)

    def is_set(self) -> bool:
        return self._set

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        """Let go of the descriptor; harmless when called again."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Stop:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
