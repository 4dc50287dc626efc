"""The rows of artifacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ductile.errors import StorageError, Violation
from ductile.model.artifact import Artifact
from ductile.model.ids import JobId, RunId
from ductile.model.json import encode
from ductile.model.policy import WorkspaceMode
from ductile.storage.sqlite import rows
from ductile.storage.sqlite.folding import Ancestry, Lineage, fold
from ductile.storage.sqlite.queries import load
from ductile.storage.sqlite.session import Session, Values

SQL: Final = load("artifacts")


class ArtifactRows:
    """The changes of committed workspaces, within one transaction."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, job_id: JobId, artifacts: Iterable[Artifact]) -> None:
        for artifact in artifacts:
            values = {
                "job_id": job_id,
                "path": rows.path_value(artifact.path),
                "change": artifact.change.value,
                "size": artifact.size,
                "mode": artifact.mode,
                "blake3": artifact.blake3,
                "mtime_ns": artifact.mtime_ns,
                "symlink": int(artifact.symlink),
                "tainted_by": artifact.tainted_by,
            }
            try:
                self._session.rows(SQL["add"], values)
            except Violation as violation:
                raise StorageError(
                    f"artifact {artifact.path!r} of job {job_id} cannot be stored: {violation}"
                ) from violation

    def of_job(self, job_id: JobId) -> Sequence[Artifact]:
        found = self._session.rows(SQL["of_job"], {"job_id": job_id})
        return sorted((rows.artifact(row)[1] for row in found), key=lambda each: each.path)

    def held(self, job_id: JobId) -> Mapping[str, tuple[JobId, Artifact]]:
        lineage = self._lineage(job_id)
        return fold(job_id, lineage, self._changes("changes", lineage))

    def origin(self, job_id: JobId, path: str) -> tuple[JobId, Artifact] | None:
        lineage = self._lineage(job_id)
        # Nothing outside the outermost directory of a path can stand in its way; "0" is the
        # character that follows "/".
        outermost = path.partition("/")[0]
        between = {
            "first": rows.path_value(outermost),
            "end": rows.path_value(outermost + "0"),
        }
        return fold(job_id, lineage, self._changes("changes_between", lineage, between)).get(path)

    def bases(self, job_id: JobId) -> Sequence[JobId]:
        lineage = self._lineage(job_id)
        return Ancestry(lineage).common(lineage.get(job_id, ()))

    def taint(self, owner: JobId, path: str, *, by: JobId) -> None:
        values = {"job_id": owner, "path": rows.path_value(path), "by": by}
        if not self._session.change(SQL["taint"], values):
            raise StorageError(f"job {owner} has no artifact {path!r} that could be tainted")

    def _lineage(self, job_id: JobId) -> Lineage:
        lineage: dict[JobId, Sequence[JobId]] = {}
        for job, parent, run_id, join_id, mode in self._session.rows(
            SQL["lineage"], {"job_id": job_id}
        ):
            if mode == WorkspaceMode.EMPTY:
                lineage[job] = ()
            elif join_id is None:
                lineage[job] = () if parent is None else (parent,)
            else:
                lineage[job] = self._sources(run_id, join_id)
        return lineage

    def _sources(self, run_id: RunId, join_id: str) -> Sequence[JobId]:
        """The jobs that arrived at a join, each once, in the order in which it merges."""
        found = self._session.rows(SQL["sources"], {"run_id": run_id, "join_id": join_id})
        latest_first = dict.fromkeys(job_id for (job_id,) in reversed(found))
        return tuple(reversed(latest_first))

    def _changes(
        self, statement: str, lineage: Lineage, between: Values | None = None
    ) -> Sequence[tuple[JobId, Artifact]]:
        values = {"ids": encode(list(lineage)).decode(), **(between or {})}
        return [rows.artifact(row) for row in self._session.rows(SQL[statement], values)]
