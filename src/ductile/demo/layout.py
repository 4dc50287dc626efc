"""The files of the demo's gateway: what a user would write, with the hosts on loopback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PLUGINS = Path(__file__).with_name("plugins")
TOKEN_VARIABLE = "DISCORD_TOKEN"
ENDPOINT = "discord"
PIPELINE = "video-wisdom"

CONFIG = """\
# The gateway of the demo. With the real hosts, leave the two base_url lines out and put the
# public key of your own Discord application at the bottom.

service: {{name: demo, max_workers: 4}}

# The database and the workspaces; moves as a whole.
data_dir: {data_dir}

# How long a finished chain keeps its workspaces, and how often the janitor looks for such.
workspace: {{ttl: {ttl}, janitor_interval: {janitor_interval}}}

# Port 0: any free one.
http: {{listen: "127.0.0.1:0"}}

# Copies, to look into and to change.
plugin_roots: [plugins]

# A plugin that is not named here runs with its defaults.
plugins:
  captions:
    config:
      base_url: {video_base_url}     # left out: https://www.youtube.com
      lang: en
    retry: {{max_attempts: 4, backoff_base: 1s}}
  summary:
    config: {{sentences: 3}}
  discord-notifier:
    config:
      base_url: {discord_base_url}   # left out: https://discord.com/api/v10
      token: "${{{token_variable}}}"     # from the environment, never in a file
    retry: {{max_attempts: 4, backoff_base: 1s}}

# POST /webhooks/{endpoint} starts a chain with the command `handle` of discord-receiver.
webhooks:
  endpoints:
    - name: {endpoint}
      plugin: discord-receiver
      # Discord signs timestamp and body with Ed25519.
      signature: {{scheme: discord, public_key: {public_key}}}
"""

PIPELINE_FILE = """\
# From a shared video to a message in the channel where it was shared.

pipelines:
  - name: {pipeline}
    on: discord.video_shared           # what discord-receiver emits
    steps:
      - id: captions                   # writes captions.vtt and transcript.txt
        uses: captions
      - id: summary                    # reads transcript.txt, writes summary.txt
        uses: summary
      - id: keywords                   # reads transcript.txt, writes keywords.txt
        uses: keywords
      - id: discord-notifier           # reads summary.txt and keywords.txt, posts the message
        uses: discord-notifier
"""


@dataclass(frozen=True)
class Layout:
    """Where the files are, and what the gateway needs besides them."""

    config_dir: Path
    data_dir: Path
    environment: Mapping[str, str]
    """To be added to the gateway's environment; holds the bot token."""


def write_layout(
    root: Path,
    *,
    video_base_url: str,
    discord_base_url: str,
    discord_token: str,
    public_key_hex: str,
    ttl: str,
    janitor_interval: str = "1s",
) -> Layout:
    """Write config, pipeline and plugins under `root`, which may hold those of an earlier run."""
    root = root.resolve()
    config_dir, data_dir = root / "config", root / "data"
    (config_dir / "pipelines").mkdir(parents=True, exist_ok=True)
    data_dir.mkdir(exist_ok=True)
    config = CONFIG.format(
        data_dir=_quoted(str(data_dir)),
        ttl=ttl,
        janitor_interval=janitor_interval,
        video_base_url=_quoted(video_base_url),
        discord_base_url=_quoted(discord_base_url),
        token_variable=TOKEN_VARIABLE,
        endpoint=ENDPOINT,
        public_key=_quoted(public_key_hex),
    )
    (config_dir / "config.yaml").write_text(config, encoding="utf-8")
    pipeline = PIPELINE_FILE.format(pipeline=PIPELINE)
    (config_dir / "pipelines" / f"{PIPELINE}.yaml").write_text(pipeline, encoding="utf-8")
    copy_plugins(config_dir / "plugins")
    return Layout(config_dir, data_dir, {TOKEN_VARIABLE: discord_token})


def copy_plugins(to: Path) -> None:
    """Copy the plugins, their manifests and their executable bits."""
    leave_out = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(PLUGINS, to, ignore=leave_out, dirs_exist_ok=True)
    for path in to.rglob("*"):
        # Neither an installer that drops executable bits nor a wide umask may get in the way.
        executable = path.is_dir() or path.suffix in {".py", ".sh"}
        path.chmod(0o755 if executable else 0o644)
    to.chmod(0o755)


def _quoted(text: str) -> str:
    """A YAML scalar; JSON's strings are some."""
    return json.dumps(text, ensure_ascii=False)
