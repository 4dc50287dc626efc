"""Rows to frozen values; columns stand in the order in which the migrations made them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ductile.model.artifact import Artifact, Change
from ductile.model.clock import from_text
from ductile.model.context import Context
from ductile.model.delivery import Delivery, DeliveryVerdict
from ductile.model.event import Event
from ductile.model.ids import JobId
from ductile.model.job import Job, JobStatus
from ductile.model.json import Json, decode, encode_kept
from ductile.model.outcome import LogLine
from ductile.model.policy import WorkspaceMode
from ductile.model.run import Failure, Phase, Run, RunStatus
from ductile.storage.interfaces import ArrivalRecord, AttemptRecord, SkipRecord
from ductile.storage.sqlite.session import Row

#: Members by what is stored: to ask the classes takes several times as long, for every row.
_MODES: Final = {mode.value: mode for mode in WorkspaceMode}
_JOB_STATUSES: Final = {status.value: status for status in JobStatus}
_RUN_STATUSES: Final = {status.value: status for status in RunStatus}
_PHASES: Final = {phase.value: phase for phase in Phase}


def json_text(value: Json, what: str) -> str:
    """JSON as stored. Raises Refused for what cannot be kept, such as too deep a nesting."""
    return encode_kept(value, what).decode()


def evidence(text: str | None) -> str | None:
    """Text from outside; what is not Unicode must not keep an attempt from being recorded."""
    if text is None or text.isascii():
        return text
    return text.encode(errors="surrogatepass").decode(errors="replace")


def moment(text: str | None) -> datetime | None:
    """A time that may be missing."""
    return None if text is None else from_text(text)


def job(row: Row) -> Job:
    """One row of `job_queue`."""
    return Job(
        id=row[0],
        chain_id=row[1],
        plugin=row[2],
        command=row[3],
        event_context_id=row[4],
        source_event_id=row[5],
        submitted_by=row[6],
        created_at=from_text(row[7]),
        max_attempts=row[8],
        run_id=row[9],
        step_id=row[10],
        parent_job_id=row[11],
        workspace=_MODES[row[12]],
        dedupe_key=row[13],
        status=_JOB_STATUSES[row[14]],
        attempt=row[15],
        interruptions=row[16],
        claimed_by=row[17],
        lease_expires_at=moment(row[18]),
        started_at=moment(row[19]),
        completed_at=moment(row[20]),
        next_retry_at=moment(row[21]),
        last_error=row[22],
        result_context_id=row[23],
        join_id=row[24],
    )


def context(row: Row) -> Context:
    """One row of `event_context`, without the name of the pipeline."""
    return Context(
        id=row[0],
        parent_id=row[1],
        run_id=row[2],
        pipeline_hash=row[3],
        step_id=row[4],
        hop=row[5],
        baggage=decode(row[6]),
        created_at=from_text(row[7]),
    )


def event(row: Row) -> Event:
    """One row of `event`."""
    return Event(
        id=row[0],
        type=row[1],
        payload=decode(row[2]),
        source=row[3],
        timestamp=from_text(row[4]),
        chain_id=row[5],
        job_id=row[6],
        dedupe_key=row[7],
    )


def run(row: Row) -> Run:
    """One row of `pipeline_run`."""
    return Run(
        id=row[0],
        chain_id=row[1],
        pipeline_name=row[2],
        pipeline_hash=row[3],
        event_id=row[4],
        depth=row[5],
        created_at=from_text(row[6]),
        parent_run_id=row[7],
        parent_job_id=row[8],
        status=_RUN_STATUSES[row[9]],
        open_jobs=row[10],
        completed_at=moment(row[11]),
        reason=row[12],
        phase=_PHASES[row[13]],
        failure=None if row[14] is None else Failure(**decode(row[14])),
        deadline_at=moment(row[15]),
        ending=None if row[16] is None else _RUN_STATUSES[row[16]],
    )


def skip(row: Row) -> SkipRecord:
    """One row of `run_skip`; its first column is the order."""
    return SkipRecord(
        run_id=row[1],
        step_id=row[2],
        parent_job_id=row[3],
        event_id=row[4],
        reason=row[5],
        created_at=from_text(row[6]),
    )


def arrival(row: Row) -> ArrivalRecord:
    """One row of `join_arrival`; its first column is the order."""
    return ArrivalRecord(
        run_id=row[1],
        join_id=row[2],
        position=row[3],
        source=row[4],
        event_id=row[5],
        context_id=row[6],
        job_id=row[7],
        created_at=from_text(row[8]),
    )


def attempt(row: Row) -> AttemptRecord:
    """One row of `job_log`."""
    return AttemptRecord(
        job_id=row[0],
        attempt=row[1],
        status=row[2],
        started_at=from_text(row[3]),
        completed_at=from_text(row[4]),
        exit_code=row[5],
        error=row[6],
        result=row[7],
        logs=tuple(LogLine(line["level"], line["message"]) for line in decode(row[8])),
        stderr=row[9],
    )


def artifact(row: Row) -> tuple[JobId, Artifact]:
    """One row of `artifact`: the job that made the change, and the change."""
    return row[0], Artifact(
        path=path_text(row[1]),
        change=Change(row[2]),
        size=row[3],
        mode=row[4],
        blake3=row[5],
        mtime_ns=row[6],
        symlink=bool(row[7]),
        tainted_by=row[8],
    )


def path_value(path: str) -> str | bytes:
    """A relative path as stored: text, or bytes if its name is not UTF-8."""
    raw = path.encode(errors="surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def path_text(value: str | bytes) -> str:
    """The inverse of `path_value`."""
    return value if isinstance(value, str) else value.decode(errors="surrogateescape")


def delivery(row: Row) -> Delivery:
    """One row of `delivery`."""
    return Delivery(
        id=row[0],
        received_at=from_text(row[1]),
        endpoint=row[2],
        scheme=row[3],
        verdict=DeliveryVerdict(row[4]),
        status=row[5],
        reason=row[6],
        delivery_id=row[7],
        size=row[8],
        event_id=row[9],
    )
