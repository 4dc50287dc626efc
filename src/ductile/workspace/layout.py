"""The names in the root: which directory belongs to which attempt."""

from __future__ import annotations

import re
from typing import Final

from ductile.errors import WorkspaceError
from ductile.model.ids import JobId, is_id, new_id
from ductile.workspace.interfaces import WorkspaceKey

_TEMPORARY: Final = ".tmp-"
_LATER_ATTEMPT = re.compile(r"[1-9][0-9]{0,8}")


def name_of(key: WorkspaceKey) -> str:
    """`<job_id>` for the first attempt, `<job_id>.<n>` for the n-th.

    Raises WorkspaceError for what is no job id: nothing else may become a path.
    """
    if not is_id(key.job_id):
        raise WorkspaceError(
            f"expected the id of a job to name a workspace, got {quoted(key.job_id)}"
        )
    if key.attempt < 1:
        raise WorkspaceError(f"attempts are counted from 1, got {key.attempt}")
    return key.job_id if key.attempt == 1 else f"{key.job_id}.{key.attempt}"


def key_of(name: str) -> WorkspaceKey | None:
    """The inverse of `name_of`; None for every other name."""
    job_id, dot, number = name.partition(".")
    if not is_id(job_id):
        return None
    if not dot:
        return WorkspaceKey(JobId(job_id))
    if _LATER_ATTEMPT.fullmatch(number) is None or number == "1":
        return None
    return WorkspaceKey(JobId(job_id), int(number))


def new_temporary_name() -> str:
    """A name for what is not whole yet, or not any more."""
    return _TEMPORARY + new_id()


def is_temporary(name: str) -> bool:
    """Whether `new_temporary_name` made this name, in this life or an earlier one."""
    return name.startswith(_TEMPORARY) and is_id(name.removeprefix(_TEMPORARY))


def is_ours(name: str) -> bool:
    """Whether a directory of the root is ours to list and to delete."""
    return is_temporary(name) or key_of(name) is not None


def quoted(text: str) -> str:
    """A file name for a message: in quotes, and printable whatever its bytes are."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return f'"{"".join(shown)}"'
