"""The files of the demo's gateway."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import yaml

from ductile.demo.layout import Layout, write_layout


def lay_out(root: Path) -> Layout:
    return write_layout(
        root,
        video_base_url="http://127.0.0.1:1",
        discord_base_url="http://127.0.0.1:2/api/v10",
        discord_token="the-token",
        public_key_hex="12" * 32,
        ttl="3s",
    )


def test_the_config_says_what_it_was_given(tmp_path: Path) -> None:
    layout = lay_out(tmp_path)
    config = yaml.safe_load((layout.config_dir / "config.yaml").read_text(encoding="utf-8"))
    assert config["data_dir"] == str(layout.data_dir)
    assert config["workspace"] == {"ttl": "3s", "janitor_interval": "1s"}
    assert config["http"] == {"listen": "127.0.0.1:0"}
    assert config["plugin_roots"] == ["plugins"]
    plugins = config["plugins"]
    assert plugins["captions"]["config"]["base_url"] == "http://127.0.0.1:1"
    notifier = plugins["discord-notifier"]["config"]
    assert notifier == {"base_url": "http://127.0.0.1:2/api/v10", "token": "${DISCORD_TOKEN}"}
    [endpoint] = config["webhooks"]["endpoints"]
    assert endpoint == {
        "name": "discord",
        "plugin": "discord-receiver",
        "signature": {"scheme": "discord", "public_key": "12" * 32},
    }


def test_the_token_is_in_the_environment_and_in_no_file(tmp_path: Path) -> None:
    assert lay_out(tmp_path).environment == {"DISCORD_TOKEN": "the-token"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert all(b"the-token" not in path.read_bytes() for path in files)


def test_the_pipeline_has_four_steps_after_the_receiver(tmp_path: Path) -> None:
    path = lay_out(tmp_path).config_dir / "pipelines" / "video-wisdom.yaml"
    [pipeline] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["pipelines"]
    assert pipeline["name"] == "video-wisdom"
    assert pipeline["on"] == "discord.video_shared"
    steps = ["captions", "summary", "keywords", "discord-notifier"]
    assert [step["uses"] for step in pipeline["steps"]] == steps


def test_the_plugins_can_be_run_and_only_their_owner_can_change_them(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        layout = lay_out(tmp_path)
    finally:
        os.umask(umask)
    manifests = sorted((layout.config_dir / "plugins").glob("*/manifest.yaml"))
    assert len(manifests) == 5
    for manifest in manifests:
        entrypoint = manifest.parent / yaml.safe_load(manifest.read_bytes())["entrypoint"]
        assert os.access(entrypoint, os.X_OK)
        for path in (manifest.parent, entrypoint, manifest):
            assert not path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    assert not list(layout.config_dir.rglob("__pycache__"))


def test_the_files_can_be_written_again_over_those_of_an_earlier_run(tmp_path: Path) -> None:
    first = lay_out(tmp_path)
    script = first.config_dir / "plugins" / "keywords" / "keywords.sh"
    script.write_text("broken")
    assert lay_out(tmp_path) == first
    assert script.read_text(encoding="utf-8").startswith("#!/bin/sh")
