"""The whole chain of a job as a tree: event, runs, steps, and what each left behind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from ductile.cli.render.text import (
    Paint,
    Style,
    duration,
    moment,
    one_line,
    short_hash,
    size,
    style_of,
    value,
)
from ductile.cli.render.tree import Detail, Node, Span, draw
from ductile.insights.views import BaggageChange, ChainView, JobView, RunView
from ductile.model.artifact import Artifact, Change
from ductile.model.event import STEP_SUCCEEDED
from ductile.model.ids import JobId, RunId
from ductile.model.job import JobStatus
from ductile.model.json import Json
from ductile.model.outcome import NOTICE
from ductile.model.run import Phase, Run, RunStatus
from ductile.storage.interfaces import ArrivalRecord, AttemptRecord, SkipRecord

#: More details of one kind are counted, not shown; `--json` has them all.
_SHOWN: Final = 12
_STDERR_LINES: Final = 5
#: Characters of a key and its value that are shown; some of the value always is.
_VALUE: Final = 50
_SHORTEST: Final = 16
_SIGNS: Final = {Change.ADDED: "+", Change.REPLACED: "~", Change.REMOVED: "-"}


def chain_tree(chain: ChainView, paint: Paint, *, width: int) -> str:
    """The chain in lines of about `width` columns.

    Steps that follow one another stand below each other; what a fork leads to, and a run that
    a job started, is indented below that job.
    """
    status = chain.status.value
    spans = [Span("chain", Style.BOLD), Span(chain.id), Span(status, style_of(status))]
    spans.append(Span(_span_of(chain.event.timestamp, chain.completed_at or chain.as_of)))
    head = "  ".join(paint(span.text, span.style) for span in spans)
    return f"{head}\n{draw([_Tree(chain).root()], paint, width=width)}"


def progress_line(view: JobView) -> str | None:
    """How one job stands, on one line, for watching a chain; None while it waits its turn."""
    job = view.job
    error = f": {one_line(job.last_error)}" if job.last_error and not _succeeded(view) else ""
    if job.status is JobStatus.QUEUED:
        if job.next_retry_at is None:
            return None
        return f"{_label(view)}  next attempt at {moment(job.next_retry_at)} UTC{error}"
    took = f"  {_took(view.attempts[-1])}" if job.status.terminal and view.attempts else ""
    return f"{_label(view)}  {_status(view)}{took}{error if job.status.terminal else ''}"


class _Tree:
    """Hangs the jobs and runs of one chain below its event."""

    def __init__(self, chain: ChainView) -> None:
        self._chain = chain
        self._views = {view.job.id: view for view in chain.jobs}
        self._runs = {view.run.id: view for view in chain.runs}
        self._skips: defaultdict[tuple[RunId, JobId | None], list[Node]] = defaultdict(list)
        for run in chain.runs:
            for skip in run.skips:
                self._skips[run.run.id, skip.parent_job_id].append(_skipped(skip))
        #: For each job, its own node and those of the steps that follow on the same level.
        self._levels: dict[JobId, list[Node]] = {}
        for view in reversed(chain.jobs):  # each after its children
            self._levels[view.job.id] = self._level(view)

    def root(self) -> Node:
        """The node of the event that started it all."""
        event = self._chain.event
        headline = [
            Span("event", Style.BOLD),
            Span(one_line(event.type)),
            Span(f"from {one_line(event.source)}"),
            Span(f"{moment(event.timestamp)} UTC"),
        ]
        details = _some([_pair("payload", "", key, each) for key, each in event.payload.items()])
        tops = [view for view in self._chain.jobs if view.job.parent_job_id is None]
        return Node(headline, details, [*self._below(None, tops), *self._jobless(None)])

    def _jobless(self, parent: JobId | None) -> list[Node]:
        """Runs in which everything was passed by."""
        return [
            self._run(view, [])
            for view in self._runs.values()
            if view.run.parent_job_id == parent and not view.jobs
        ]

    def _level(self, view: JobView) -> list[Node]:
        children = [self._views[each] for each in view.children]
        following = [each for each in children if each.job.run_id == view.job.run_id]
        started = [each for each in children if each.job.run_id != view.job.run_id]
        below = self._below(view.job.run_id, started) + self._jobless(view.job.id)
        rest = [] if view.job.run_id is None else self._skips[view.job.run_id, view.job.id]
        if len(following) == 1:
            rest = [*rest, *self._levels[following[0].job.id]]
        else:
            below += [_branch(self._levels[each.job.id]) for each in following]
        return [self._job(view, below), *rest]

    def _below(self, run_id: RunId | None, views: Sequence[JobView]) -> list[Node]:
        """Nodes for jobs that are not of run `run_id`, each under its own run."""
        nodes: list[Node] = []
        by_run: dict[RunId | None, list[JobView]] = {}
        for view in views:
            by_run.setdefault(view.job.run_id, []).append(view)
        for each, jobs in by_run.items():
            levels = [self._levels[view.job.id] for view in jobs]
            inside = levels[0] if len(levels) == 1 else [_branch(level) for level in levels]
            nodes += inside if each is None else [self._run(self._runs[each], inside)]
        return nodes

    def _run(self, view: RunView, jobs: Sequence[Node]) -> Node:
        run, status = view.run, view.run.status.value
        ended = run.completed_at or self._chain.as_of
        headline = [
            Span("run", Style.BOLD),
            Span(one_line(run.pipeline_name), Style.BOLD),
            Span(status, style_of(status)),
            Span(_span_of(run.created_at, ended)),
            Span(f"version {short_hash(run.pipeline_hash)}", Style.DIM),
            self._mark(run.id),
        ]
        details = [Detail("id", run.id, Style.DIM), *_baggage(view.baggage)]
        details += [*_waits(view, self._joined_in(view)), *_why(run)]
        return Node(headline, details, [*self._skips[run.id, None], *jobs])

    def _joined_in(self, view: RunView) -> set[str | None]:
        return {self._views[each].job.join_id for each in view.jobs}

    def _job(self, view: JobView, below: Sequence[Node]) -> Node:
        job = view.job
        ran = f"{job.plugin}.{job.command}"
        headline = [
            Span(_label(view), Style.BOLD),
            Span(_status(view), style_of(job.status)),
            Span(_took(view.attempts[-1]) if view.attempts else ""),
            Span(ran if job.step_id else "", Style.DIM),
            Span("" if view.phase is Phase.MAIN else view.phase.value, Style.BUSY),
            self._mark(job.id),
        ]
        return Node(headline, list(self._details(view)), below)

    def _details(self, view: JobView) -> Iterator[Detail]:
        job = view.job
        yield Detail("id", job.id, Style.DIM)
        if view.joined:
            yield Detail("joins", _came(view.joined), wrap=True)
        if job.next_retry_at is not None and job.status is JobStatus.QUEUED:
            yield Detail("waits", f"for its next attempt, at {moment(job.next_retry_at)} UTC")
        if not _succeeded(view) or len(view.attempts) > 1:
            yield from _attempts(view.attempts)
        yield from _logs(view.attempts)
        if view.attempts and (result := view.attempts[-1].result) and _succeeded(view):
            yield Detail("result", one_line(result), wrap=True)
        yield from _baggage(view.baggage)
        yield from _some([Detail("files", *_artifact(each)) for each in view.artifacts])
        yield from _some(
            [
                Detail("events", one_line(each.type))
                for each in view.emitted
                if each.type != STEP_SUCCEEDED
            ]
        )

    def _mark(self, identity: str) -> Span:
        return Span("<- asked for" if identity == self._chain.asked else "", Style.BOLD)


def _skipped(skip: SkipRecord) -> Node:
    headline = [Span(one_line(skip.step_id), Style.BOLD), Span("skipped", Style.BUSY)]
    return Node(headline, [Detail("because", one_line(skip.reason), wrap=True)])


def _waits(view: RunView, joined: set[str | None]) -> Iterator[Detail]:
    """The joins at which something has arrived that no job follows from yet."""
    if view.run.status is not RunStatus.RUNNING:
        return
    waiting: dict[str, list[ArrivalRecord]] = {}
    for arrival in view.arrivals:
        if arrival.join_id not in joined:
            waiting.setdefault(arrival.join_id, []).append(arrival)
    for join, arrivals in waiting.items():
        yield Detail("waits", f"at {one_line(join)}, where {_came(arrivals)} came", wrap=True)


def _came(arrivals: Sequence[ArrivalRecord]) -> str:
    """The nodes that something came from, each with how often."""
    sources = Counter(one_line(each.source) for each in arrivals)
    return ", ".join(f"{name} ({n} times)" if n > 1 else name for name, n in sources.items())


def _why(run: Run) -> Iterator[Detail]:
    """Where a run stands beyond its main part, and why it did not end well."""
    if run.status is RunStatus.RUNNING and run.phase is not Phase.MAIN:
        yield Detail("phase", run.phase.value, Style.BUSY)
    if run.reason and run.status not in (RunStatus.RUNNING, RunStatus.SUCCEEDED):
        yield Detail("reason", one_line(run.reason), Style.BAD, wrap=True)
    if run.failure is not None:
        failure = run.failure
        tries = "" if failure.attempts == 1 else f" after {failure.attempts} attempts"
        text = f"{one_line(failure.step)}, job {failure.job_id}{tries}: {one_line(failure.error)}"
        yield Detail("failure", text, Style.BAD, wrap=True)


def _branch(level: Sequence[Node]) -> Node:
    """One node with all that follows it below it, so that branches stay apart."""
    first = level[0]
    return Node(first.headline, first.details, [*first.children, *level[1:]])


def _label(view: JobView) -> str:
    job = view.job
    return one_line(job.step_id or f"{job.plugin}.{job.command}")


def _status(view: JobView) -> str:
    job = view.job
    if job.max_attempts > 1 and job.tries > 1:
        return f"{job.status} (attempt {job.tries}/{job.max_attempts})"
    return job.status.value


def _succeeded(view: JobView) -> bool:
    return view.job.status is JobStatus.SUCCEEDED


def _took(attempt: AttemptRecord) -> str:
    return duration(attempt.completed_at - attempt.started_at)


def _span_of(start: datetime, end: datetime) -> str:
    return duration(end - start)


def _attempts(attempts: Sequence[AttemptRecord]) -> Iterator[Detail]:
    for each in attempts:
        exit_code = "" if each.exit_code is None else f", exit code {each.exit_code}"
        error = f": {one_line(each.error)}" if each.error else ""
        text = f"{each.attempt} {each.status} after {_took(each)}{exit_code}{error}"
        yield Detail("attempts", text, style_of(each.status), wrap=True)
    if attempts and attempts[-1].status != "succeeded":
        lines = [line for line in attempts[-1].stderr.splitlines() if line.strip()]
        for line in lines[-_STDERR_LINES:]:
            yield Detail("stderr", one_line(line), Style.DIM)


def _logs(attempts: Sequence[AttemptRecord]) -> Iterator[Detail]:
    """What the last attempt said that somebody should know."""
    for line in attempts[-1].logs if attempts else ():
        if line.level in ("warn", "warning", "error"):
            yield Detail(one_line(line.level), one_line(line.message), Style.BUSY, wrap=True)
    notices = [line for line in attempts[-1].logs if line.level == NOTICE] if attempts else []
    yield from _some([Detail(NOTICE, one_line(each.message), wrap=True) for each in notices])


def _baggage(change: BaggageChange) -> Sequence[Detail]:
    added = [_pair("baggage", "+ ", key, each) for key, each in change.added.items()]
    changed = [
        Detail("baggage", f"~ {one_line(key)}: {value(each.before, 30)} -> {value(each.after, 30)}")
        for key, each in change.changed.items()
    ]
    return _some(added + changed)


def _artifact(artifact: Artifact) -> tuple[str, Style | None]:
    text = f"{_SIGNS[artifact.change]} {one_line(artifact.path)}"
    if artifact.change is Change.REMOVED:
        return text, None
    digest = short_hash(artifact.blake3) if artifact.blake3 else "no hash"
    text = f"{text}  {size(artifact.size)}  {digest}"
    if artifact.tainted_by is None:
        return text, None
    return f"{text}  changed in place, noticed by job {artifact.tainted_by}", Style.BAD


def _pair(label: str, sign: str, key: str, content: Json) -> Detail:
    # Long keys leave less room; together they fit into a line of a tree of usual depth.
    room = max(_VALUE - len(key), _SHORTEST)
    return Detail(label, f"{sign}{one_line(key)}: {value(content, room)}")


def _some(details: Sequence[Detail]) -> Sequence[Detail]:
    """The details, or the first of them and how many more there are."""
    if len(details) <= _SHOWN:
        return details
    rest = f"… and {len(details) - _SHOWN} more"
    return [*details[:_SHOWN], Detail(details[0].label, rest, Style.DIM)]
