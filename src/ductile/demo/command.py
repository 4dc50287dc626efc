"""The demo: a gateway, the hosts that it talks to, one signed interaction, and the verdict."""

from __future__ import annotations

import http.client
import os
import secrets
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from ductile.demo import criteria
from ductile.demo.criteria import Criterion
from ductile.demo.hosts import DiscordApi, Video, VideoHost
from ductile.demo.interaction import InteractionSigner, slash_command, snowflake
from ductile.demo.layout import ENDPOINT, Layout, write_layout
from ductile.demo.speech import CAPTIONS, VIDEO_ID, VIDEO_URL, speech
from ductile.errors import DuctileError, UsageError
from ductile.gateway.configuration import read_configuration
from ductile.gateway.gateway import Gateway
from ductile.model.clock import SystemClock
from ductile.model.ids import ChainId, JobId
from ductile.model.job import JobStatus
from ductile.storage.interfaces import ChainRecords
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import JobSettled, JobStarted, Signal, WorkspacesDeleted

TTL: Final = "3s"
#: Far beyond what the chain takes, which is about a second.
PATIENCE: Final = timedelta(seconds=60)

Say = Callable[[str], None]


def run(keep: Path | None = None, captions: Path | None = None) -> int:
    """Run the demo; 0 if all criteria hold, 1 otherwise."""
    video = _video(captions)
    with _directory(keep) as root, VideoHost({VIDEO_ID: video}) as host:
        token = secrets.token_urlsafe(32)
        with DiscordApi(token, now=SystemClock().now) as discord:
            demo = Demo(root, host, discord, token, _say)
            verdict = demo.show()
            if keep is not None:
                demo.leave_behind()
        return verdict


class Demo:
    """One demonstration in one directory."""

    def __init__(
        self, root: Path, host: VideoHost, discord: DiscordApi, token: str, say: Say
    ) -> None:
        self._root = root
        self._host = host
        self._discord = discord
        self._token = token
        self._say = say
        self._clock = SystemClock()
        self._signer = InteractionSigner()
        self._channel_id = snowflake(self._clock.now())

    def show(self) -> int:
        """Start a chain, watch it, let its workspaces expire, and judge."""
        self._say(f"video host {self._host.url}, Discord API {self._discord.base_url}")
        with self._gateway(TTL) as (gateway, watch):
            status, chain_id = self._post(gateway)
            self._say(f"POST /webhooks/{ENDPOINT}: {status}, event {chain_id}\n")
            watch.until(lambda: _finished(gateway, chain_id))
            chain = _records(gateway, chain_id)
            directories = _directories(gateway, chain)
            messages = self._discord.messages
            verdicts = [
                criteria.trigger(status, chain, VIDEO_URL),
                criteria.ledger(chain),
                criteria.context(chain, self._channel_id, messages),
                criteria.workspace(chain, directories, messages),
            ]
            self._say("\nthe message that Discord received:\n")
            for message in messages:
                self._say(_indented(str(message.message["content"])))
            self._say(f"\nwaiting for the workspaces to expire ({TTL}) …\n")
            watch.until(lambda: not any(path.exists() for path in directories.values()))
            after = _records(gateway, chain_id)
            verdicts.append(criteria.artifacts(chain, after, directories, TTL))
        return self._judge(verdicts)

    def leave_behind(self) -> None:
        """Run the chain once more, with workspaces that stay."""
        with self._gateway("24h", live=False) as (gateway, watch):
            _, chain_id = self._post(gateway)
            watch.until(lambda: _finished(gateway, chain_id))
            last = _records(gateway, chain_id).jobs[-1]
            path = gateway.workspace_path(last)
        config = self._root / "config"
        self._say(f"\nkept in {self._root}, with a second run whose workspaces are still there:")
        self._say(f"  ductile --config {config} job inspect {last.id}")
        self._say(f"  ls {path}")
        self._say(
            f"  (DISCORD_TOKEN must be set, to anything: {config / 'config.yaml'} asks for it)"
        )

    @contextmanager
    def _gateway(self, ttl: str, *, live: bool = True) -> Iterator[tuple[Gateway, _Watch]]:
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
        watch = _Watch(self._say if live else lambda line: None)
        telemetry.subscribe(watch.see)
        gateway = Gateway(configuration, telemetry=telemetry)
        try:
            gateway.start()
            if live:
                host, port = gateway.address
                self._say(f"gateway http://{host}:{port}, its files in {self._root}")
            yield gateway, watch
        finally:
            gateway.stop()

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

    def _judge(self, verdicts: list[Criterion]) -> int:
        for number, verdict in enumerate(verdicts, 1):
            mark = "ok  " if verdict.holds else "FAIL"
            self._say(f"{mark} {number}. {verdict.name}: {verdict.promise}")
            self._say(f"        {verdict.evidence}")
        failed = sum(not verdict.holds for verdict in verdicts)
        self._say(f"\n{len(verdicts) - failed} of {len(verdicts)} criteria hold")
        return 1 if failed else 0


class _Watch:
    """Prints the chain while it runs, and wakes whoever waits for something to change."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._changed = threading.Condition()

    def see(self, signal: Signal) -> None:
        """A listener of the gateway's telemetry."""
        match signal:
            case JobStarted():
                self._say(f"  … {signal.plugin}")
            case JobSettled():
                took = f"{signal.took.total_seconds() * 1000:.0f} ms"
                trouble = f": {signal.error}" if signal.error else ""
                self._say(f"  {signal.outcome:9} {signal.plugin} ({took}){trouble}")
            case WorkspacesDeleted():
                self._say(f"  the janitor deleted {signal.directories} workspaces")
        with self._changed:
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
    try:
        video = speech(captions or CAPTIONS)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the captions: {error}") from error
    if not (video.captions or "").lstrip("\ufeff").startswith("WEBVTT"):
        raise UsageError(
            f'expected captions in WebVTT, which begin with "WEBVTT", in "{captions}"; '
            "give a .vtt file"
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
    keep.mkdir(parents=True, exist_ok=True)
    yield keep.resolve()


def _finished(gateway: Gateway, chain_id: ChainId) -> bool:
    return all(job.status.terminal for job in _records(gateway, chain_id).jobs)


def _records(gateway: Gateway, chain_id: ChainId) -> ChainRecords:
    return gateway.store.read(lambda tx: tx.views.chain(chain_id))


def _directories(gateway: Gateway, chain: ChainRecords) -> dict[JobId, Path]:
    succeeded = [job for job in chain.jobs if job.status is JobStatus.SUCCEEDED]
    return {job.id: gateway.workspace_path(job) for job in succeeded}


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
