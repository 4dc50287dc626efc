"""What a workspace holds: the changes of its lineage, folded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from ductile.model.artifact import Artifact, Change
from ductile.model.ids import JobId

#: Path to (job that wrote it, artifact).
Holding: TypeAlias = dict[str, tuple[JobId, Artifact]]
#: Every job of a lineage, behind those that its workspace begins with; these in merge order.
Lineage: TypeAlias = dict[JobId, Sequence[JobId]]


def fold(job_id: JobId, lineage: Lineage, changes: Iterable[tuple[JobId, Artifact]]) -> Holding:
    """What the workspace of `job_id`, the last of its lineage, holds.

    Every job is folded once; what only one other begins with is handed on instead of copied.
    """
    made: dict[JobId, list[Artifact]] = {}
    for owner, artifact in changes:
        made.setdefault(owner, []).append(artifact)
    ancestry = Ancestry(lineage)
    needed = {job: [*sources, *ancestry.common(sources)] for job, sources in lineage.items()}
    asked_for = Counter(each for several in needed.values() for each in several)
    folded: dict[JobId, Holding] = {}
    for job, sources in lineage.items():
        asked_for.subtract(needed[job])
        if len(sources) == 1 and asked_for[sources[0]] == 0:
            holding = folded.pop(sources[0])
        else:
            bases = [folded[base] for base in needed[job][len(sources) :]]
            holding = _union([folded[source] for source in sources], bases)
        for each in needed[job]:
            if asked_for[each] == 0:
                folded.pop(each, None)
        _apply(made.get(job, ()), job, holding)
        folded[job] = holding
    return folded.get(job_id, {})


class Ancestry:
    """Who descends from whom in one lineage, as bits: one for each job, later jobs higher."""

    def __init__(self, lineage: Lineage) -> None:
        self._jobs = tuple(lineage)
        self._lines: dict[JobId, int] = {}
        """Each job's own bit, and those of all that it descends from."""
        for number, (job, sources) in enumerate(lineage.items()):
            line = 1 << number
            for source in sources:
                line |= self._lines[source]
            self._lines[job] = line

    def common(self, jobs: Sequence[JobId]) -> tuple[JobId, ...]:
        """The nearest jobs from which all of these descend, one of them perhaps.

        Behind a join there are several: those that it gathered, none of which is before another.
        None for less than two jobs.
        """
        shared = -1 if len(jobs) > 1 else 0
        for job in jobs:
            shared &= self._lines[job]
        nearest: list[JobId] = []
        while shared:
            job = self._jobs[shared.bit_length() - 1]
            nearest.append(job)
            shared &= ~self._lines[job]
        return tuple(reversed(nearest))


def _union(holdings: Sequence[Holding], bases: Sequence[Holding]) -> Holding:
    """All of them together; a later one replaces what stands in the way of its files.

    What one of them has as one of the bases has it was given by none, and gives way to what was.
    """
    given = [
        {
            path: held
            for path, held in holding.items()
            if all(base.get(path) != held for base in bases)
        }
        for holding in holdings
    ]
    union: Holding = {}
    files: set[str] = set()
    folders: set[str] = set()
    for holding in reversed([*holdings, *given]):
        for path, held in holding.items():
            if path not in files and path not in folders and files.isdisjoint(_above(path)):
                union[path] = held
        for path in holding:
            files.add(path)
            folders.update(_above(path))
    return union


def _apply(changes: Iterable[Artifact], job: JobId, holding: Holding) -> None:
    for artifact in changes:
        if artifact.change is Change.REMOVED:
            holding.pop(artifact.path, None)
        else:
            holding[artifact.path] = job, artifact


def _above(path: str) -> Iterator[str]:
    """The directories that a path is in."""
    end = path.find("/")
    while end != -1:
        yield path[:end]
        end = path.find("/", end + 1)
