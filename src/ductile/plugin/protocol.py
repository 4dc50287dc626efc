"""Protocol 2: the request that a plugin reads, and what its answer and its end come to."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from ductile.documents.scalars import format_size
from ductile.errors import PluginError
from ductile.model.clock import to_text
from ductile.model.context import Context
from ductile.model.event import Event
from ductile.model.job import Job
from ductile.model.json import Json, JsonObject, encode
from ductile.model.outcome import Failed, Interrupted, LogLine, Outcome, Succeeded, TimedOut
from ductile.model.run import Run
from ductile.plugin.answer import Answer, read_answer
from ductile.plugin.interfaces import Ended, Ending

PROTOCOL: Final = 2
#: The exit code that says "wrong configuration": trying again would not help.
EX_CONFIG: Final = 78
_LONGEST_DETAIL: Final = 300


@dataclass(frozen=True, slots=True)
class Reading:
    """What the end of a process means, before its workspace was looked at."""

    outcome: Outcome
    """Succeeded ones have no artifacts yet."""
    result: str | None = None
    logs: tuple[LogLine, ...] = ()
    stderr: str = ""


def build_request(
    *,
    job: Job,
    event: Event,
    payload: JsonObject,
    context: Context,
    run: Run | None,
    config: JsonObject,
    state: JsonObject,
    workspace_dir: Path,
    deadline: datetime,
) -> bytes:
    """One line of JSON; `payload` is what the plugin is to see.

    For `handle` it is part of an event, for every other command it stands by itself.
    Raises PluginError for values that JSON cannot carry.
    """
    request: dict[str, Json] = {
        "protocol": PROTOCOL,
        "job_id": job.id,
        "attempt": job.attempt,
        "command": job.command,
        "config": config,
        "state": state,
        "context": context.baggage,
        "workspace_dir": str(workspace_dir),
        "deadline_at": to_text(deadline),
    }
    if job.command == "handle":
        request["event"] = _event(event, payload)
    else:
        request["payload"] = payload
    if run is not None:
        request["run"] = {
            "id": run.id,
            "pipeline": run.pipeline_name,
            "step": job.step_id,
            "hop": context.hop,
        }
    try:
        return encode(request) + b"\n"
    except TypeError as error:
        raise PluginError(
            f'the request to plugin "{job.plugin}" cannot be written as JSON: {error}; '
            "look for such a value in its configuration and in the event"
        ) from error


def _event(event: Event, payload: JsonObject) -> dict[str, Json]:
    fields: dict[str, Json] = {
        "id": event.id,
        # Where existing plugins look for it.
        "event_id": event.id,
        "type": event.type,
        "payload": payload,
        "source": event.source,
        "timestamp": to_text(event.timestamp),
    }
    if event.dedupe_key is not None:
        fields["dedupe_key"] = event.dedupe_key
    return fields


def interpret(plugin: str, ended: Ended) -> Reading:
    """What it means that a process of `plugin` ended like this. Pure, and never raises."""
    stderr = ended.stderr.decode(errors="replace")
    if ended.ending is not Ending.EXITED:
        return Reading(_stopped(plugin, ended), stderr=stderr)
    try:
        answer = read_answer(ended.stdout)
    except PluginError as error:
        return Reading(_unanswered(plugin, ended.exit_code, str(error), stderr), stderr=stderr)
    outcome = _answered(plugin, ended.exit_code, answer, stderr)
    return Reading(outcome, answer.response.result, answer.logs, stderr)


def _stopped(plugin: str, ended: Ended) -> Outcome:
    seconds = f"{(ended.completed_at - ended.started_at).total_seconds():.1f} s"
    if ended.ending is Ending.TIMED_OUT:
        return TimedOut(
            f'plugin "{plugin}" did not end in time and was stopped after {seconds}; make it '
            f"quicker, or give it longer under plugins.{plugin}.timeouts"
        )
    if ended.ending is Ending.FLOODED:
        return Failed(
            f'plugin "{plugin}" wrote more than {format_size(len(ended.stdout))} to stdout; write '
            f"large results to files, or raise plugins.{plugin}.max_stdout"
        )
    return Interrupted(f'plugin "{plugin}" was stopped after {seconds} because of a shutdown')


def _unanswered(plugin: str, exit_code: int, problem: str, stderr: str) -> Outcome:
    detail = _last_line(stderr)
    if exit_code == 0:
        return Failed(f'plugin "{plugin}" broke the protocol: {problem}{detail}')
    return Failed(f'plugin "{plugin}" {_end(exit_code)}{detail}', retry=exit_code != EX_CONFIG)


def _answered(plugin: str, exit_code: int, answer: Answer, stderr: str) -> Outcome:
    may_retry = answer.retry and exit_code != EX_CONFIG
    if exit_code < 0:
        return Failed(f'plugin "{plugin}" {_end(exit_code)}{_last_line(stderr)}', retry=may_retry)
    if answer.error is not None:
        return Failed(answer.error, retry=may_retry)
    if exit_code != 0:
        return Failed(
            f'plugin "{plugin}" answered "ok" but {_end(exit_code)}; one of the two is wrong'
            f"{_last_line(stderr)}",
            retry=may_retry,
        )
    return Succeeded(answer.response)


def _end(exit_code: int) -> str:
    if exit_code >= 0:
        return f"exited with code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    return f"was ended by {name}"


def _last_line(stderr: str) -> str:
    """The last line that says something, to be put behind a message."""
    lines = stderr.strip().splitlines()
    if not lines:
        return ""
    line = lines[-1].strip()
    shown = line if len(line) <= _LONGEST_DETAIL else f"{line[:_LONGEST_DETAIL]}…"
    return f"; the last line on stderr: {shown}"
