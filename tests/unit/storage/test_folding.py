"""Whatever a lineage looks like, folding it comes to what merging its parts naively does."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ductile.model.artifact import Artifact, Change
from ductile.model.ids import JobId
from ductile.storage.sqlite.folding import Holding, fold

PATHS = ("a", "a/b", "a/b/c", "a/d", "ab", "e")

Sources = dict[JobId, Sequence[JobId]]
Changes = list[tuple[JobId, Artifact]]


@st.composite
def lineages(draw: st.DrawFn) -> tuple[Sources, Changes]:
    """Up to eight jobs, each of which begins with any of those before it, in any order."""
    lineage: Sources = {}
    changes: Changes = []
    for number in range(draw(st.integers(1, 8))):
        job = JobId(f"job-{number}")
        before = list(lineage)
        chosen = draw(st.lists(st.sampled_from(before), unique=True)) if before else []
        lineage[job] = tuple(chosen)
        for path in draw(st.lists(st.sampled_from(PATHS), unique=True, max_size=2)):
            change = draw(st.sampled_from(Change))
            changes.append((job, Artifact(path, change)))
    return lineage, changes


def naive(job: JobId, lineage: Sources, changes: Changes) -> Holding:
    """What all its sources hold, then what each of them gave, then what it did itself."""
    sources = [naive(source, lineage, changes) for source in lineage[job]]
    base = naive_base(lineage[job], lineage, changes)
    given_by = [
        {path: held for path, held in source.items() if base.get(path) != held}
        for source in sources
    ]
    holding: Holding = {}
    for layer in [*sources, *(given_by if base else [])]:
        lay(holding, layer)
    for owner, artifact in changes:
        if owner == job and artifact.change is Change.REMOVED:
            holding.pop(artifact.path, None)
        elif owner == job:
            holding[artifact.path] = job, artifact
    return holding


def naive_base(sources: Sequence[JobId], lineage: Sources, changes: Changes) -> Holding:
    """What the nearest job holds from which all of several descend."""
    shared = set.intersection(*(line(source, lineage) for source in sources)) if sources else set()
    nearest = [job for job in lineage if job in shared]
    return naive(nearest[-1], lineage, changes) if len(sources) > 1 and nearest else {}


def line(job: JobId, lineage: Sources) -> set[JobId]:
    """The job and all from which it descends."""
    return {job}.union(*(line(source, lineage) for source in lineage[job]))


def lay(holding: Holding, layer: Holding) -> None:
    """Put files in, each in the place of what stands in its way."""
    for path, held in layer.items():
        for other in list(holding):
            if other == path or other.startswith(f"{path}/") or path.startswith(f"{other}/"):
                del holding[other]
        holding[path] = held


def possible(holding: Holding) -> bool:
    """Whether no file of it stands where another one needs a directory."""
    return not any(path.startswith(f"{other}/") for path in holding for other in holding)


@given(lineages())
def test_folding_comes_to_what_merging_naively_does(drawn: tuple[Sources, Changes]) -> None:
    lineage, changes = drawn
    if all(possible(naive(job, lineage, changes)) for job in lineage):
        last = list(lineage)[-1]
        assert fold(last, lineage, changes) == naive(last, lineage, changes)


def test_a_job_that_is_not_in_the_lineage_holds_nothing() -> None:
    assert fold(JobId("nobody"), {}, []) == {}
