"""The rows of artifacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ductile.errors import StorageError, Violation
from ductile.model.artifact import Artifact, Change
from ductile.model.ids import JobId
from ductile.storage.sqlite import rows
from ductile.storage.sqlite.queries import load
from ductile.storage.sqlite.session import Session

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
        holding: dict[str, tuple[JobId, Artifact]] = {}
        for row in self._session.rows(SQL["held"], {"job_id": job_id}):
            owner, artifact = rows.artifact(row)
            if artifact.change is Change.REMOVED:
                holding.pop(artifact.path, None)
            else:
                holding[artifact.path] = owner, artifact
        return holding

    def origin(self, job_id: JobId, path: str) -> tuple[JobId, Artifact] | None:
        row = self._session.row(SQL["origin"], {"job_id": job_id, "path": rows.path_value(path)})
        if row is None:
            return None
        owner, artifact = rows.artifact(row)
        return None if artifact.change is Change.REMOVED else (owner, artifact)

    def taint(self, owner: JobId, path: str, *, by: JobId) -> None:
        values = {"job_id": owner, "path": rows.path_value(path), "by": by}
        if not self._session.change(SQL["taint"], values):
            raise StorageError(f"job {owner} has no artifact {path!r} that could be tainted")
