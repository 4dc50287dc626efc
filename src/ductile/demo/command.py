"""The demo: a gateway, the hosts that it talks to, one signed interaction, and the verdict."""

from __future__ import annotations

import http.client
import os
import secrets
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from textwrap import TextWrapper
from typing import Final

from ductile.demo import criteria
from ductile.demo.criteria import Criterion
from ductile.demo.hosts import DiscordApi, Video, VideoHost
from ductile.demo.interaction import InteractionSigner, slash_command, snowflake
from ductile.demo.layout import ENDPOINT, TOKEN_VARIABLE, Layout, write_layout
from ductile.demo.speech import CAPTIONS, VIDEO_ID, VIDEO_URL, speech
from ductile.errors import DuctileError, UsageError
from ductile.gateway.configuration import read_configuration
from ductile.gateway.gateway import Gateway
from ductile.model.clock import SystemClock
from ductile.model.ids import ChainId, JobId
from ductile.model.job import JobStatus
from ductile.storage.interfaces import ChainRecords
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import JobSettled, JobStarted, Signal

TTL: Final = "2s"
#: Far beyond what the chain takes, which is about a second.
PATIENCE: Final = timedelta(seconds=60)
#: A job that is put off for longer than this counts as failed.
LONGEST_WAIT: Final = timedelta(seconds=10)
WIDTH: Final = 100
MILLISECOND: Final = timedelta(milliseconds=1)
_NAMES: Final = max(map(len, criteria.CHAIN))

Write = Callable[[str], None]


def run(keep: Path | None = None, captions: Path | None = None) -> int:
    """Run the demo; 0 if all criteria hold, 1 otherwise."""
    video = _video(captions)
    with _directory(keep) as root, VideoHost({VIDEO_ID: video}) as host:
        token = secrets.token_urlsafe(32)
        with DiscordApi(token, now=SystemClock().now) as discord:
            demo = Demo(root, host, discord, token, _write)
            verdict = demo.show()
            if keep is not None:
                demo.leave_behind()
        return verdict


class Demo:
    """One demonstration in one directory."""

    def __init__(
        self, root: Path, host: VideoHost, discord: DiscordApi, token: str, write: Write
    ) -> None:
        """`write` takes text as it is to appear, line ends included."""
        self._root = root
        self._host = host
        self._discord = discord
        self._token = token
        self._write = write
        self._clock = SystemClock()
        self._signer = InteractionSigner()
        self._channel_id = snowflake(self._clock.now())

    def show(self) -> int:
        """Start a chain, watch it, let its workspaces expire, and judge."""
        with self._gateway(TTL, self._write) as (gateway, watch):
            host, port = gateway.address
            self._say("A gateway, and on loopback the two hosts that its plugins talk to:\n")
            self._say(f"  gateway      http://{host}:{port}")
            self._say(f"  video host   {self._host.url}, in place of https://www.youtube.com")
            self._say(f"  Discord API  {self._discord.url}, in place of https://discord.com")
            self._say(f"  files        {self._root}")
            self._say("\nA slash command with the link of a video, signed as Discord signs it:\n")
            status, chain_id = self._post(gateway)
            self._say(f"  POST /webhooks/{ENDPOINT}  {status}, event {chain_id}")
            self._say("\nThe chain that it starts:\n")
            watch.show()
            watch.until(lambda: self._over(gateway, chain_id))
            chain = _records(gateway, chain_id)
            directories = _directories(gateway, chain)
            messages = self._discord.messages
            verdicts = [
                criteria.trigger(status, chain, VIDEO_URL),
                criteria.ledger(chain),
                criteria.context(chain, self._channel_id, messages),
                criteria.workspace(chain, directories, messages),
            ]
            for message in messages:
                self._say("\nThe message that the Discord API received:\n")
                self._say(_indented(str(message.message["content"]), "  | "))
            self._write(f"\nWorkspaces are kept for {TTL} after the end of a chain … ")
            watch.until(lambda: not any(path.exists() for path in directories.values()))
            self._say("gone")
            after = _records(gateway, chain_id)
            verdicts.append(criteria.artifacts(chain, after, directories, TTL))
        return self._judge(verdicts, after)

    def leave_behind(self) -> None:
        """Run the chain once more, with workspaces that stay."""
        with self._gateway("24h", lambda text: None) as (gateway, watch):
            _, chain_id = self._post(gateway)
            watch.until(lambda: self._over(gateway, chain_id))
            last = _records(gateway, chain_id).jobs[-1]
            path = gateway.workspace_path(last)
        ductile = f"{TOKEN_VARIABLE}=any {_program()} --config {self._root / 'config'}"
        self._say(
            f"\nKept in {self._root}, with a second chain whose workspaces are still there:\n"
        )
        self._say(f"  {ductile} job inspect {last.id}")
        self._say(f"  ls -l {path}")

    @contextmanager
    def _gateway(self, ttl: str, write: Write) -> Iterator[tuple[Gateway, _Watch]]:
        layout: Layout = write_layout(
            self._root,
            video_base_url=self._host.url,
            discord_base_url=self._discord.base_url,
            discord_token=self._token,
            public_key_hex=self._signer.public_key_hex,
            ttl=ttl,
        )
        configuration = read_configuration(layout.config_dir, {**os.environ, **layout.environment})
        telemetry = Telemetry()
        watch = _Watch(write)
        telemetry.subscribe(watch.see)
        gateway = Gateway(configuration, telemetry=telemetry)
        try:
            gateway.start()
            yield gateway, watch
        finally:
            gateway.stop()

    def _over(self, gateway: Gateway, chain_id: ChainId) -> bool:
        """Whether the chain has ended, or will not get on while anybody looks."""
        limit = self._clock.now() + LONGEST_WAIT
        jobs = _records(gateway, chain_id).jobs
        return all(job.status.terminal for job in jobs) or any(
            job.next_retry_at is not None and job.next_retry_at > limit for job in jobs
        )

    def _post(self, gateway: Gateway) -> tuple[int, ChainId]:
        now = self._clock.now()
        request = self._signer.sign(
            slash_command(VIDEO_URL, at=now, channel_id=self._channel_id), at=now
        )
        host, port = gateway.address
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE.total_seconds())
        try:
            connection.request("POST", f"/webhooks/{ENDPOINT}", request.body, request.headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            event_id = answer.getheader("X-Ductile-Event-Id")
            if event_id is None:
                raise DuctileError(f"the gateway answered {answer.status}: {text}")
            return answer.status, ChainId(event_id)
        finally:
            connection.close()

    def _judge(self, verdicts: list[Criterion], chain: ChainRecords) -> int:
        self._say("\nWhat was promised, and what shows that it holds:\n")
        for number, verdict in enumerate(verdicts, 1):
            mark = "ok  " if verdict.holds else "FAIL"
            self._say(f"  {mark}  {number}. {verdict.name}: {verdict.promise}")
            self._say(_indented(verdict.evidence, 11 * " "))
        failed = sum(not verdict.holds for verdict in verdicts)
        self._say(f"\n{len(verdicts) - failed} of {len(verdicts)} criteria hold")
        for job in chain.jobs:
            if job.last_error and job.status is not JobStatus.SUCCEEDED:
                self._say(_indented(f"the chain ended at {job.plugin}: {job.last_error}", ""))
        return 1 if failed else 0

    def _say(self, text: str) -> None:
        self._write(f"{text}\n")


class _Watch:
    """Writes down the chain while it runs, and wakes whoever waits for something to change."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._changed = threading.Condition()
        self._held: list[str] | None = []

    def show(self) -> None:
        """Write what was seen so far, and everything from now on.

        The chain may have begun before whoever started it has said so.
        """
        with self._changed:
            held, self._held = self._held, None
            self._write("".join(held or ()))

    def see(self, signal: Signal) -> None:
        """A listener of the gateway's telemetry."""
        text = ""
        match signal:
            case JobStarted():
                # The chain has no branches: nothing else is written before the end of the job.
                text = f"  {signal.plugin:{_NAMES}}  "
            case JobSettled():
                text = f"{signal.outcome:9}  {signal.took / MILLISECOND:5.0f} ms\n"
                if signal.error:
                    again = f"; next try at {signal.next_try:%H:%M:%S}" if signal.next_try else ""
                    text += _indented(f"{signal.error}{again}", 6 * " ") + "\n"
        with self._changed:
            if self._held is None:
                self._write(text)
            else:
                self._held.append(text)
            self._changed.notify_all()

    def until(self, done: Callable[[], bool]) -> None:
        """Wait until something that a signal tells of is so."""
        with self._changed:
            if not self._changed.wait_for(done, PATIENCE.total_seconds()):
                raise DuctileError(
                    f"the demo did not get on within {PATIENCE.total_seconds():.0f} s; "
                    "see what it printed above"
                )


def _video(captions: Path | None) -> Video:
    remedy = "give a .vtt file"
    try:
        video = speech(captions or CAPTIONS)
    except OSError as error:
        raise UsageError(
            f'cannot read the captions "{captions}": {error.strerror}; {remedy}'
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f'expected captions in UTF-8, found other bytes in "{captions}"; {remedy}'
        ) from error
    if not (video.captions or "").lstrip("\ufeff").startswith("WEBVTT"):
        raise UsageError(
            f'expected captions in WebVTT, which begin with "WEBVTT", in "{captions}"; {remedy}'
        )
    return video


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="ductile-demo-") as name:
            yield Path(name)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise UsageError(f'expected an empty directory for --keep, found "{keep}"; name a new one')
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f'cannot make the directory "{keep}": {error.strerror}; name another one'
        ) from error
    yield keep.resolve()


def _records(gateway: Gateway, chain_id: ChainId) -> ChainRecords:
    return gateway.store.read(lambda tx: tx.views.chain(chain_id))


def _directories(gateway: Gateway, chain: ChainRecords) -> dict[JobId, Path]:
    succeeded = [job for job in chain.jobs if job.status is JobStatus.SUCCEEDED]
    return {job.id: gateway.workspace_path(job) for job in succeeded}


def _indented(text: str, indent: str) -> str:
    """All lines of the text behind `indent`, the long ones wrapped."""
    columns = min(WIDTH, shutil.get_terminal_size((WIDTH, 0)).columns)
    wrap = TextWrapper(
        columns,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(wrap.fill(line) or indent.rstrip() for line in text.splitlines())


def _program() -> str:
    """What to type for `ductile`, where it runs from."""
    if shutil.which("ductile"):
        return "ductile"
    beside = Path(sys.executable).with_name("ductile")
    return str(beside) if beside.exists() else f"{sys.executable} -m ductile"


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
