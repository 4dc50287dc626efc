"""What to say when the file system refuses: what failed, why, and what to set."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from typing import Final

from ductile.errors import WorkspaceError

_FULL: Final = (
    "free some space or some inodes, or set workspace.root to a directory on a larger file system"
)
_OWNER: Final = (
    "the gateway's user must own all that is under workspace.root, without immutable attributes: "
    "change the owner, or set workspace.root to another directory"
)
_BUSY: Final = (
    "something changes the workspace at the same time: "
    "let the plugin wait for the processes that it starts"
)
_MOUNT: Final = "a workspace lies on one file system: unmount what is mounted inside workspace.root"
_DESCRIPTORS: Final = "raise the gateway's limit of open files (ulimit -n)"

_SPACE: Final[Mapping[int, str]] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EMFILE: _DESCRIPTORS,
    errno.ENFILE: _DESCRIPTORS,
    errno.EIO: "look at the system's log: the disk may be failing",
}
_REMEDIES: Final[Mapping[int, str]] = {
    **_SPACE,
    errno.EROFS: "set workspace.root to a directory that can be written to",
    errno.EACCES: _OWNER,
    errno.EPERM: _OWNER,
    errno.ENOENT: _BUSY,
    errno.ELOOP: _BUSY,
    errno.ENOTDIR: _BUSY,
    errno.ENOTEMPTY: _BUSY,
    errno.ESTALE: _BUSY,
    errno.EXDEV: _MOUNT,
    errno.EBUSY: _MOUNT,
}

_LINKABLE: Final = (
    "set workspace.root to a directory of the gateway's user on a file system with hard links, "
    'or "workspace: copy" on the step'
)
_LINK_REMEDIES: Final[Mapping[int, str]] = {
    errno.EXDEV: (
        "hard links need one file system: set workspace.root to a directory without mounts "
        'inside, or "workspace: copy" on the step'
    ),
    errno.EMLINK: (
        "the file has as many hard links as its file system allows: "
        'set "workspace: copy" on the step'
    ),
    errno.EPERM: _LINKABLE,
    errno.EACCES: _LINKABLE,
    errno.EOPNOTSUPP: _LINKABLE,
    errno.ENOSYS: _LINKABLE,
}


def failure(doing: str, error: OSError) -> WorkspaceError:
    """`cannot …: reason; remedy`. Never an absolute path: the text ends up in the ledger."""
    return _explained(doing, error, _REMEDIES)


def root_failure(error: OSError) -> WorkspaceError:
    """The same for the root itself."""
    place = "set workspace.root to a directory that the gateway's user can write to"
    doing = "use the directory that workspace.root names"
    return _explained(doing, error, {**dict.fromkeys(_REMEDIES, place), **_SPACE})


def link_failure(doing: str, error: OSError) -> WorkspaceError:
    """The same for a hard link, where a copy may be what helps."""
    return _explained(doing, error, {**_REMEDIES, **_LINK_REMEDIES})


def _explained(doing: str, error: OSError, remedies: Mapping[int, str]) -> WorkspaceError:
    number = error.errno or 0
    reason = os.strerror(number).lower() if number else str(error)
    remedy = remedies.get(number)
    return WorkspaceError(f"cannot {doing}: {reason}" + (f"; {remedy}" if remedy else ""))
