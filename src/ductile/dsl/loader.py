"""The loader: all files of a folder into one catalogue."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ductile.documents.files import read_file
from ductile.documents.problems import Place, Problem, in_order, refuses
from ductile.documents.yaml import Document, parse
from ductile.dsl.catalogue import Catalogue
from ductile.dsl.compiler import compile_documents
from ductile.dsl.interfaces import PluginCatalogue

_SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of a folder."""

    catalogue: Catalogue | None
    """None if any problem is more than a warning."""
    problems: tuple[Problem, ...]
    """All problems of all files, in the order of files and lines."""
    files: int
    """How many files were looked at."""
    documents: tuple[Document, ...] = ()
    """Those that could be read as YAML, in the same order."""


def load(directory: Path, plugins: PluginCatalogue) -> Loaded:
    """Compile every `*.yaml` and `*.yml` under `directory`, sub-folders included.

    Names that begin with a dot are passed over, and so is what is no regular file. A folder
    that does not exist holds no pipelines. Never raises for what the files contain.
    """
    problems: list[Problem] = []
    documents: list[Document] = []
    files = 0
    for path in _files(directory, problems):
        files += 1
        name = _shown(path)
        document, found = read_document(Path(path), name)
        problems += found
        if document is not None:
            documents.append(document)
    catalogue, found = compile_documents(documents, plugins, complete=not refuses(problems))
    return Loaded(catalogue, tuple(in_order(problems + found)), files, tuple(documents))


def read_document(
    path: Path, name: str, read: Callable[[Path], bytes] = read_file
) -> tuple[Document | None, list[Problem]]:
    """The document of one file, which problems call `name`; never raises.

    As `parse` gives it, and none with a problem if `read` raises OSError.
    """
    try:
        data = read(path)
    except OSError as error:
        return None, [_unreadable(name, error)]
    return parse(data, name)


def _files(directory: Path, problems: list[Problem]) -> Iterator[str]:
    """The files to read, each folder's own before those of its sub-folders, by name."""

    def report(error: OSError) -> None:
        if not (isinstance(error, FileNotFoundError) and error.filename == os.fspath(directory)):
            problems.append(_unreadable(_shown(error.filename), error))

    seen: set[tuple[int, int] | None] = {None}
    for folder, folders, names in os.walk(directory, onerror=report, followlinks=True):
        identity = _identity(folder)
        # A link may lead to a folder above it.
        if identity in seen:
            folders.clear()
            continue
        seen.add(identity)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(_SUFFIXES) and not name.startswith(".") and _may_be_read(path):
                yield path


def _identity(folder: str) -> tuple[int, int] | None:
    """What all names of one folder have in common; None if it has just gone."""
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _may_be_read(path: str) -> bool:
    """Whether it is a regular file, or something about which the attempt to read it will tell."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return True


def _shown(path: str) -> str:
    return os.fsencode(path).decode(errors="replace")


def _unreadable(file: str, error: OSError) -> Problem:
    message = f"cannot be read: {error.strerror or error}"
    return Problem(message, Place(file, 1, 1), "check that it exists and who may read it")
