"""Every place between accepting an event and the janitor's delete where a gateway may die."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Moment(StrEnum):
    """On which side of a point the gateway is killed."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Point:
    """A call to the operating system that a gateway makes on the way of an event."""

    name: str
    sentence: str
    """What the call does; `docs/crash-points.md` says the same."""
    cleaning: bool = False
    """Whether it is the janitor's, and so comes after everything else."""

    @property
    def constant(self) -> str:
        """What `shim.c` calls it."""
        return self.name.replace(".", "_").replace("-", "_").upper()


#: In the order in which an event passes them.
POINTS: Final = (
    Point("http.accept", "a sender connects"),
    Point("http.receive", "a part of its request is read"),
    Point("log.write", "a page of a transaction is written to the write-ahead log"),
    Point("log.sync", "the log is synced: the transaction is committed"),
    Point("http.answer", "the answer is sent, after the commit"),
    Point("workspace.create", "the empty workspace of a first job is made"),
    Point("clone.begin", "a clone is begun, under a temporary name"),
    Point("clone.directory", "a directory is made in it"),
    Point("clone.link", "a file of the parent is linked into it"),
    Point("clone.symlink", "a symlink of the parent is made anew"),
    Point("clone.copy", "a file is copied, for `workspace: copy`"),
    Point("clone.commit", "the clone is whole, and gets its name"),
    Point("plugin.pipe", "a pipe to the plugin is made"),
    Point("plugin.start", "its process is started"),
    Point("plugin.watch", "the gateway gets a handle on the process"),
    Point("plugin.feed", "the request is written to its stdin"),
    Point("plugin.read", "a part of its answer is read"),
    Point("plugin.kill", "what is left of its process group is killed"),
    Point("plugin.reap", "its exit code is collected"),
    Point("seal.mode", "a new file loses its write bits"),
    Point("seal.time", "a new file's time is set back"),
    Point("database.write", "a page moves from the log to the database (a checkpoint)"),
    Point("database.sync", "the database is synced, at the end of a checkpoint"),
    Point("janitor.rename", "an expired workspace loses its name", cleaning=True),
    Point("janitor.unlink", "a file of it is deleted", cleaning=True),
    Point("janitor.rmdir", "a directory of it is deleted", cleaning=True),
)
NAMES: Final = tuple(point.name for point in POINTS)


def point(name: str) -> Point:
    """The point of that name. Raises ValueError if there is none."""
    if name not in NAMES:
        raise ValueError(f'no point named "{name}"; docs/crash-points.md lists them')
    return POINTS[NAMES.index(name)]
