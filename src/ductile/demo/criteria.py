"""The criteria of the demo, each held against the ledger, the files and what Discord received."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any, Final

from ductile.demo.hosts import ReceivedMessage
from ductile.model.artifact import Change
from ductile.model.ids import JobId
from ductile.model.job import Job, JobStatus
from ductile.storage.interfaces import ChainRecords

CHAIN: Final = ("discord-receiver", "captions", "summary", "keywords", "discord-notifier")
MIDDLE: Final = CHAIN[1:-1]
SUMMARY: Final = "summary.txt"


@dataclass(frozen=True)
class Criterion:
    """One line of what was promised, and what shows that it holds."""

    name: str
    promise: str
    holds: bool
    evidence: str


def trigger(status: int, chain: ChainRecords, url: str) -> Criterion:
    """1: a signed interaction with a video link was accepted, and is on disk as an event."""
    root = chain.events[0] if chain.events else None
    options = root.payload.get("data", {}).get("options", []) if root else []
    found = [option.get("value") for option in options]
    return Criterion(
        "Trigger",
        "POST /webhooks/discord with a video link starts the chain",
        status == 200 and root is not None and url in found,
        f"HTTP {status}; event {root.id if root else '-'} holds {', '.join(map(str, found))}",
    )


def ledger(chain: ChainRecords) -> Criterion:
    """2: the database shows a chain of five distinct jobs."""
    line = list(_line(chain.jobs))
    names = tuple(job.plugin for job in line)
    succeeded = [job for job in chain.jobs if job.status is JobStatus.SUCCEEDED]
    whole = len(chain.jobs) == len({job.id for job in chain.jobs}) == len(succeeded) == len(CHAIN)
    return Criterion(
        "Ledger",
        "the database shows a chain of 5 distinct jobs",
        whole and names == CHAIN,
        f"{len(succeeded)} of {len(chain.jobs)} jobs succeeded: {' -> '.join(names)}",
    )


def context(chain: ChainRecords, channel_id: str, messages: Sequence[ReceivedMessage]) -> Criterion:
    """3: the last job got the first one's `channel_id` through three that never knew of it."""
    last = _job(chain, CHAIN[-1])
    if last is None:
        return Criterion("Context", _CONTEXT, False, f"the chain has no job of {CHAIN[-1]}")
    contexts = {each.id: each for each in chain.contexts}
    read = contexts[last.event_context_id].baggage
    strangers = [job for job in chain.jobs if job.plugin in MIDDLE]
    silent = all("channel_id" not in _given(chain, job) for job in strangers)
    reached = [message.channel_id for message in messages]
    return Criterion(
        "Context",
        _CONTEXT,
        read.get("channel_id") == channel_id and silent and reached == [channel_id],
        f"baggage of {CHAIN[-1]}: channel_id {read.get('channel_id')}; "
        f"posted to channel {', '.join(reached) or 'none'}",
    )


def workspace(
    chain: ChainRecords, directories: dict[JobId, Path], messages: Sequence[ReceivedMessage]
) -> Criterion:
    """4: the last job reads `summary.txt`, which was written two steps before."""
    writer, reader = _job(chain, "summary"), _job(chain, CHAIN[-1])
    written = directories.get(writer.id) if writer else None
    held = directories.get(reader.id) if reader else None
    if writer is None or written is None or held is None or not (held / SUMMARY).is_file():
        return Criterion("Workspace", _WORKSPACE, False, f"no {SUMMARY} in the last workspace")
    same = (written / SUMMARY).stat().st_ino == (held / SUMMARY).stat().st_ino
    recorded = [
        artifact
        for artifact in chain.artifacts.get(writer.id, ())
        if artifact.path == SUMMARY and artifact.change is Change.ADDED
    ]
    first_line = (held / SUMMARY).read_text(encoding="utf-8").strip().splitlines()[0]
    posted = any(first_line[:80] in str(message.message["content"]) for message in messages)
    digest = (recorded[0].blake3 or "")[:12] if recorded else "none"
    return Criterion(
        "Workspace",
        _WORKSPACE,
        same and bool(recorded) and posted,
        f"{SUMMARY}: {recorded[0].size if recorded else 0} bytes, blake3 {digest}, one inode in "
        f'both workspaces; posted: "{shorten(first_line, 60, placeholder="…")}"',
    )


def artifacts(
    before: ChainRecords, after: ChainRecords, directories: dict[JobId, Path], ttl: str
) -> Criterion:
    """5: the workspaces are deleted when the TTL is over, and the ledger is still whole."""
    left = [path for path in directories.values() if path.exists()]
    return Criterion(
        "Artifacts",
        f"workspaces go after the TTL (here {ttl} instead of 24h), the ledger stays",
        len(directories) == len(CHAIN) and not left and after == before,
        f"{len(directories) - len(left)} of {len(directories)} workspaces deleted; still in the "
        f"ledger: {len(after.jobs)} jobs, {len(after.contexts)} contexts, "
        f"{sum(map(len, after.artifacts.values()))} artifacts",
    )


_CONTEXT: Final = "the last job gets channel_id, which the three before it never mention"
_WORKSPACE: Final = f"the last job reads {SUMMARY}, which was written two steps before"


def _line(jobs: Sequence[Job]) -> Iterator[Job]:
    """From the job without a parent from child to child, as far as there is exactly one."""
    following = [job for job in jobs if job.parent_job_id is None]
    while len(following) == 1:
        [job] = following
        yield job
        following = [each for each in jobs if each.parent_job_id == job.id]


def _job(chain: ChainRecords, plugin: str) -> Job | None:
    return next((job for job in chain.jobs if job.plugin == plugin), None)


def _given(chain: ChainRecords, job: Job) -> dict[str, Any]:
    """What the job's success added to the baggage, or changed in it."""
    contexts = {each.id: each.baggage for each in chain.contexts}
    if job.result_context_id is None:
        return {}
    read, written = contexts[job.event_context_id], contexts[job.result_context_id]
    return {key: value for key, value in written.items() if read.get(key) != value}
