"""Deleting one workspace: by descriptors, so that nothing outside the root is ever reached."""

from __future__ import annotations

import os
import stat

from ductile.workspace.failures import failure
from ductile.workspace.layout import is_temporary, new_temporary_name, quoted
from ductile.workspace.tree import Descent, walk


def delete(name: str, root: int) -> None:
    """Delete an entry of the directory `root`, whatever it is; gone already is as well.

    It loses its name first: a workspace is whole under its name, or not there. Raises
    WorkspaceError when something stays, under a temporary name then.
    """
    try:
        if not stat.S_ISDIR(os.stat(name, dir_fd=root, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=root)
            return
        doomed = name if is_temporary(name) else new_temporary_name()
        os.rename(name, doomed, src_dir_fd=root, dst_dir_fd=root)
        with Descent(doomed, root) as tree:
            empty(tree)
        os.rmdir(doomed, dir_fd=root)
    except FileNotFoundError:
        return
    except OSError as error:
        raise failure(f"delete workspace {quoted(name)}", error) from error


def empty(tree: Descent) -> None:
    """Delete all that is under the directory in which `tree` stands. Raises WorkspaceError."""

    def remove_directory(name: str) -> None:
        try:
            os.rmdir(name, dir_fd=tree.fd)
        except OSError as error:
            raise failure(f"delete {quoted(tree.prefix + name)}", error) from error

    for entries in walk(tree, remove_directory):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                try:
                    os.unlink(entry.name, dir_fd=tree.fd)
                except OSError as error:
                    raise failure(f"delete {quoted(tree.prefix + entry.name)}", error) from error
