"""What verifying finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ductile.model.ids import ChainId, ContextId, JobId, PipelineHash, RunId
from ductile.workspace.interfaces import DefectKind


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Who can have changed a file first."""

    job_id: JobId | None
    """None if no job's time fits: it was changed outside of any job."""
    reason: str
    """Why, for people."""
    attempt: int | None = None
    step_id: str | None = None


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file, or with an empty path a whole workspace, that is not as it was committed."""

    kind: DefectKind
    path: str
    detail: str
    seen_in: tuple[JobId, ...]
    """The jobs in whose workspaces it shows; they share its bytes."""
    written_by: JobId | None = None
    """The job whose artifact it is; None for what the ledger does not know."""
    written_at: datetime | None = None
    """When the file itself says it was last written, if it was changed."""
    first_possible: Suspicion | None = None
    """Of what was changed only."""
    caught_in: JobId | None = None
    """The job in which the gateway itself first saw the change."""


class Subject(StrEnum):
    """What kind of row a problem of the ledger is about."""

    CHAIN = "chain"
    CONTEXT = "context"
    JOB = "job"
    RUN = "run"
    VERSION = "pipeline_version"


@dataclass(frozen=True, slots=True)
class LedgerProblem:
    """A row that cannot have been written by Ductile as it stands."""

    subject: Subject
    id: ChainId | ContextId | JobId | RunId | PipelineHash
    detail: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How much was looked at."""

    chains: int = 0
    workspaces: int = 0
    """Committed ones that were read."""
    expired: int = 0
    """Committed ones that the janitor has deleted, or may by now."""
    running: int = 0
    """Jobs that are queued or running, which have committed nothing yet."""
    files: int = 0
    """Files of the workspaces that were read, each as often as a workspace holds it."""
    size: int = 0
    """Their bytes, counted likewise."""
    contexts: int = 0
    runs: int = 0
    """Those whose pinned pipeline version was recomputed."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            chains=self.chains + other.chains,
            workspaces=self.workspaces + other.workspaces,
            expired=self.expired + other.expired,
            running=self.running + other.running,
            files=self.files + other.files,
            size=self.size + other.size,
            contexts=self.contexts + other.contexts,
            runs=self.runs + other.runs,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying one chain, or a part of it, came to."""

    chain_id: ChainId
    tally: Tally
    files: Sequence[FileProblem] = field(default=())
    ledger: Sequence[LedgerProblem] = field(default=())

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong; what has expired is not wrong."""
        return not (self.files or self.ledger)
