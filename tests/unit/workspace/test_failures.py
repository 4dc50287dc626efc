"""What is said when the file system refuses."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from ductile.errors import WorkspaceError
from ductile.workspace.failures import failure, link_failure, root_failure

Explain = Callable[[OSError], WorkspaceError]


def linking(error: OSError) -> WorkspaceError:
    return link_failure('link "a"', error)


def reading(error: OSError) -> WorkspaceError:
    return failure('read "a"', error)


@pytest.mark.parametrize(
    ("explain", "number", "remedy"),
    [
        (linking, errno.EXDEV, '"workspace: copy"'),
        (linking, errno.EMLINK, '"workspace: copy"'),
        (linking, errno.EPERM, '"workspace: copy"'),
        (linking, errno.EACCES, '"workspace: copy"'),
        (linking, errno.EOPNOTSUPP, '"workspace: copy"'),
        (linking, errno.ENOSPC, "free some space"),
        (linking, errno.EROFS, "set workspace.root"),
        (reading, errno.ENOSPC, "free some space"),
        (reading, errno.EDQUOT, "free some space"),
        (reading, errno.EACCES, "change the owner"),
        (reading, errno.EXDEV, "unmount"),
        (reading, errno.EMFILE, "ulimit -n"),
        (reading, errno.ELOOP, "wait for the processes"),
        (root_failure, errno.EACCES, "set workspace.root"),
        (root_failure, errno.ENOTDIR, "set workspace.root"),
        (root_failure, errno.ENOSPC, "free some space"),
    ],
)
def test_every_refusal_has_a_remedy(explain: Explain, number: int, remedy: str) -> None:
    assert remedy in str(explain(OSError(number, "text")))


def test_a_refusal_without_remedy_is_still_named() -> None:
    assert str(reading(OSError(errno.EILSEQ, "text"))) == (
        'cannot read "a": invalid or incomplete multibyte or wide character'
    )


def test_the_path_of_the_error_is_left_out() -> None:
    assert "/home" not in str(reading(OSError(errno.EACCES, "denied", "/home/me/ws/a")))
