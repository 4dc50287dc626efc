"""The attempt: workspace, process, answer, check, seal; from a job to its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ductile.dispatch.assignment import Assignment
from ductile.dispatch.policies import Policies
from ductile.dispatch.privacy import Privacy
from ductile.errors import PluginError, Refused, SourceUnusable, WorkspaceError
from ductile.expressions.errors import MissingPath
from ductile.ledger import baggage
from ductile.model.artifact import Taint
from ductile.model.clock import Clock
from ductile.model.ids import JobId
from ductile.model.job import Job, JobStatus
from ductile.model.json import JsonObject
from ductile.model.outcome import Attempt, Failed, LogLine, Outcome, Succeeded
from ductile.model.policy import WorkspaceMode
from ductile.plugin.interfaces import Invocation, PluginRunner, StopToken
from ductile.plugin.protocol import Reading, build_request, interpret
from ductile.router.scope import scope
from ductile.storage.interfaces import Store
from ductile.workspace.interfaces import (
    KnownHash,
    Tainted,
    Workspace,
    WorkspaceKey,
    WorkspaceManager,
)


class _ParentUnusable(Exception):
    """The parent's workspace is not committed; another attempt would not help."""


class Attempts:
    """Makes attempts. Touches the database for reading only; what it returns is to be settled."""

    def __init__(
        self,
        store: Store,
        workspaces: WorkspaceManager,
        runner: PluginRunner,
        policies: Policies,
        privacy: Privacy,
        clock: Clock,
    ) -> None:
        self._store = store
        self._workspaces = workspaces
        self._runner = runner
        self._policies = policies
        self._privacy = privacy
        self._clock = clock

    def run(self, assignment: Assignment, stop: StopToken) -> Attempt:
        """Try the job once. Never raises for what the job, its plugin or its files did wrong."""
        started = self._clock.now()
        try:
            workspace = self._prepare(assignment)
        except _ParentUnusable as error:
            return self._failed(started, Failed(str(error), retry=False))
        except SourceUnusable as error:
            unusable = f"the workspace of a parent job cannot be used: {error}"
            return self._failed(started, Failed(unusable, retry=False))
        except WorkspaceError as error:
            return self._failed(started, Failed(str(error)))
        try:
            invocation = self._invocation(assignment, workspace)
        except (MissingPath, Refused) as error:
            return self._failed(started, Failed(f'"with" cannot be built: {error}', retry=False))
        except PluginError as error:
            return self._failed(started, Failed(str(error)))
        try:
            ended = self._runner.run(invocation, stop)
        except PluginError as error:
            return self._failed(started, Failed(str(error)))
        reading = interpret(assignment.job.plugin, ended)
        attempt = self._inspected(assignment, workspace, reading, started, ended.exit_code)
        return self._redacted(attempt, workspace.path)

    def _prepare(self, assignment: Assignment) -> Workspace:
        job = assignment.job
        key = WorkspaceKey(job.id, job.attempt)
        if not assignment.parents or job.workspace is WorkspaceMode.EMPTY:
            return self._workspaces.create(key)
        sources = [self._source(parent) for parent in assignment.parents]
        copy = job.workspace is WorkspaceMode.COPY
        if len(sources) == 1:
            return self._workspaces.clone(sources[0], key, copy=copy)
        bases = [self._source(base) for base in assignment.bases]
        return self._workspaces.merge(sources, key, bases=bases, copy=copy)

    def _source(self, parent: Job) -> WorkspaceKey:
        """The committed workspace of a parent job. Raises _ParentUnusable if there is none."""
        if parent.status is not JobStatus.SUCCEEDED:
            raise _ParentUnusable(
                f"the workspace of parent job {parent.id} is not committed: the job is "
                f"{parent.status}; expected succeeded"
            )
        return WorkspaceKey(parent.id, parent.attempt)

    def _invocation(self, assignment: Assignment, workspace: Workspace) -> Invocation:
        job, policies = assignment.job, self._policies.pinned()
        timeout = policies.timeout(job.plugin, job.command, assignment.step)
        request = build_request(
            job=job,
            event=assignment.event,
            payload=self._payload(assignment),
            context=assignment.context,
            run=assignment.run,
            config=policies.config(job.plugin),
            state=assignment.state,
            workspace_dir=workspace.path,
            deadline=self._clock.now() + timeout,
        )
        return Invocation(
            entrypoint=policies.entrypoint(job.plugin),
            request=request,
            directory=workspace.path,
            environment=policies.environment(job),
            timeout=timeout,
            max_stdout=policies.max_stdout(job.plugin),
            preload=policies.preload(job.plugin),
        )

    def _payload(self, assignment: Assignment) -> JsonObject:
        """What the plugin sees as the event's payload, what `with` makes laid over it."""
        event, context, step = assignment.event, assignment.context, assignment.step
        payload = baggage.view(event.payload, context.baggage)
        if step is None or step.inputs is None or assignment.position is None:
            return payload
        config = self._policies.config(assignment.job.plugin)
        pipeline = assignment.position.pipeline
        made = step.inputs.render(scope(event, context, pipeline, step.id, config))
        baggage.check_size(made, what="with")
        return {**payload, **made}

    def _inspected(
        self,
        assignment: Assignment,
        workspace: Workspace,
        reading: Reading,
        started: datetime,
        exit_code: int,
    ) -> Attempt:
        outcome: Outcome = reading.outcome
        taints: Sequence[Taint] = ()
        known = self._known(assignment.job.id)
        try:
            if isinstance(outcome, Succeeded):
                artifacts = self._workspaces.seal(workspace, known)
                outcome = Succeeded(outcome.response, tuple(artifacts))
            else:
                taints = self._workspaces.check(workspace, known)
        except Tainted as found:
            taints = found.taints
        except WorkspaceError as error:
            outcome = Failed(str(error))
        return Attempt(
            outcome,
            started,
            self._clock.now(),
            exit_code=exit_code,
            result=reading.result,
            logs=reading.logs,
            stderr=reading.stderr,
            taints=tuple(taints),
        )

    def _known(self, job_id: JobId) -> KnownHash:
        def recorded(path: str) -> str | None:
            # Of a job that has not succeeded, the ledger tells what its workspace begins with.
            found = self._store.read(lambda tx: tx.artifacts.origin(job_id, path))
            return found[1].blake3 if found else None

        return recorded

    def _failed(self, started: datetime, failed: Failed) -> Attempt:
        clean = replace(failed, error=self._privacy.redact(failed.error))
        return Attempt(clean, started, self._clock.now())

    def _redacted(self, attempt: Attempt, directory: Path) -> Attempt:
        def clean(text: str) -> str:
            return self._privacy.redact(text, directory)

        outcome = attempt.outcome
        if isinstance(outcome, Succeeded):
            response = outcome.response
            # Most say nothing, and each `replace` takes as long as a statement.
            if not (response.result or attempt.result or attempt.logs or attempt.stderr):
                return attempt
            kept = response.result and clean(response.result)
            outcome = replace(outcome, response=replace(response, result=kept))
        else:
            outcome = replace(outcome, error=clean(outcome.error))
        return replace(
            attempt,
            outcome=outcome,
            result=attempt.result and clean(attempt.result),
            logs=tuple(LogLine(line.level, clean(line.message)) for line in attempt.logs),
            stderr=clean(attempt.stderr),
        )
