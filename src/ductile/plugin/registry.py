"""The registry: every plugin that was found, by name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from ductile.documents.problems import Place, Problem, quoted
from ductile.plugin.manifest import MANIFEST_FILE, Command, Manifest, read_manifest

#: Folders below a root that are looked into; a root with more of them was meant to be another.
MAX_FOLDERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Registry:
    """The plugins of one start; what changes on disk later changes nothing here."""

    plugins: Mapping[str, Manifest] = field(default_factory=dict)

    def get(self, name: str) -> Manifest | None:
        """The plugin of that name; None if there is none."""
        return self.plugins.get(name)

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self.plugins))

    def commands(self, name: str) -> Mapping[str, Command]:
        """The commands of a plugin by name; empty if there is no such plugin."""
        manifest = self.plugins.get(name)
        return {} if manifest is None else manifest.commands


def discover(roots: Sequence[Path]) -> tuple[Registry, list[Problem]]:
    """Every plugin below the roots, at any depth; never raises.

    Symlinked and hidden folders are passed over, and so is what a plugin's folder contains. A
    plugin that is broken is left out with a warning; whoever uses it finds it unknown. Of two
    that share a name the first one counts, by the order of the roots, then by path.
    """
    plugins: dict[str, Manifest] = {}
    problems: list[Problem] = []
    for root in roots:
        for path in _manifests(root, problems):
            manifest, found = read_manifest(path)
            problems += found if manifest else [_left_out(path, problem) for problem in found]
            if manifest is None:
                continue
            first = plugins.setdefault(manifest.name, manifest)
            if first is not manifest and first.directory != manifest.directory:
                problems.append(_shadowed(first, manifest))
    return Registry(plugins), problems


def _manifests(root: Path, problems: list[Problem]) -> Iterator[Path]:
    if not root.is_dir():
        hint = "make it, or correct plugin_roots in config.yaml"
        problems.append(
            Problem(f"plugin root {quoted(str(root), 200)} is not a folder", None, hint)
        )
        return

    def unreadable(error: OSError) -> None:
        message = f"folder {quoted(str(error.filename), 200)} cannot be read: {error.strerror}"
        hint = "make it readable, or move it out of the plugin root"
        problems.append(Problem(message, None, hint, warning=True))

    for seen, (folder, folders, files) in enumerate(os.walk(root, onerror=unreadable)):
        if seen >= MAX_FOLDERS:
            message = f"plugin root {quoted(str(root), 200)} has more than {MAX_FOLDERS} folders"
            hint = "let plugin_roots name a folder that holds plugins only"
            problems.append(Problem(message, None, hint))
            return
        if MANIFEST_FILE in files:
            folders.clear()
            yield Path(folder, MANIFEST_FILE)
        folders[:] = sorted(name for name in folders if not name.startswith("."))


def _left_out(path: Path, problem: Problem) -> Problem:
    if problem.warning:
        return problem
    place = problem.place or Place(str(path), 1, 1)
    message = f"plugin in {quoted(path.parent.name)} is left out: {problem.message}"
    return replace(problem, message=message, place=place, warning=True)


def _shadowed(first: Manifest, second: Manifest) -> Problem:
    message = (
        f"plugin {quoted(second.name)} is left out: the one in "
        f"{quoted(str(first.directory), 200)} has the same name and comes first"
    )
    return Problem(message, second.place, "rename one of them, or remove it", warning=True)
