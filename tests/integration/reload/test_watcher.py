"""What a watching gateway takes in by itself."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ductile.dispatch.current import Current
from ductile.dispatch.privacy import Privacy
from ductile.gateway.core import in_force
from ductile.gateway.reload import Reloader
from ductile.gateway.watcher import Watcher
from ductile.telemetry.hub import Telemetry
from ductile.telemetry.signals import ConfigurationReloaded, ReloadRefused
from tests.support.signals import Signals
from tests.support.site import Running, Site

OK = """cat >/dev/null; echo '{"status": "ok"}'"""
PIPELINE = "- name: work\n  on: begin\n  steps: [{uses: first}]"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.plugin("first", OK)
    return site


def reloader(site: Site) -> Reloader:
    found = site.read()
    current = Current(in_force(*found.parts()))
    privacy = Privacy((), site.root / "ws")
    return Reloader(found, current, privacy, Telemetry(), lambda parallelism: None)


def taken_in(running: Running, what: str) -> None:
    """Wait for the reload that changed it."""
    running.signals.wait_for(ConfigurationReloaded, lambda signal: what in signal.changed)


@pytest.mark.parametrize(
    ("path", "concerns"),
    [
        ("pipelines/a.yaml", True),
        ("pipelines/sub/b.yml", True),
        ("pipelines/sub", True),
        ("pipelines/a.yaml.bak", False),
        ("pipelines/.a.yaml.swp", False),
        ("plugins/first/manifest.yaml", True),
        ("plugins/first", True),
        ("plugins/group", True),
        ("plugins/new/manifest.yaml", True),
        ("plugins/first/cache.db", False),
        ("plugins/first/lib/manifest.yaml", False),
    ],
)
def test_only_pipelines_and_manifests_concern_it(site: Site, path: str, concerns: bool) -> None:
    assert reloader(site).concerns(site.root / "config" / path) is concerns


def test_a_pipeline_in_a_new_folder_is_taken_in(site: Site) -> None:
    site.pipeline(PIPELINE)
    with site.running(doors=True) as running:
        site.pipeline(PIPELINE.replace("work", "more"), "sub/more.yaml")
        taken_in(running, "pipeline more")


def test_a_file_that_is_replaced_is_taken_in(site: Site) -> None:
    site.pipeline(PIPELINE)
    file = site.root / "config" / "pipelines" / "test.yaml"
    with site.running(doors=True) as running:
        beside = file.with_name(".test.yaml.new")
        beside.write_text(file.read_text().replace("begin", "start"))
        os.replace(beside, file)
        taken_in(running, "pipeline work")


def test_a_plugin_that_is_moved_in_as_a_whole_is_taken_in(site: Site) -> None:
    site.plugin("second", OK)
    folder = site.root / "config" / "plugins" / "second"
    folder.rename(site.root / "second")
    with site.running(doors=True) as running:
        (site.root / "second").rename(folder)
        taken_in(running, "plugin second")


def test_a_plugin_that_is_taken_away_is_noticed(site: Site) -> None:
    site.plugin("second", OK)
    with site.running(doors=True) as running:
        shutil.rmtree(site.root / "config" / "plugins" / "second")
        taken_in(running, "plugin second")


def test_a_plugin_that_is_used_may_not_be_taken_away(site: Site) -> None:
    site.pipeline(PIPELINE)
    with site.running(doors=True) as running:
        (site.root / "config" / "plugins" / "first").rename(site.root / "away")
        refused = running.signals.wait_for(ReloadRefused)
    assert 'no plugin named "first"' in refused.first[0]


def test_a_folder_that_a_reload_has_found_is_watched_from_then_on(site: Site) -> None:
    with site.running(doors=True) as running:
        site.pipeline(PIPELINE)
        site.plugin("second", OK)
        taken_in(running, "pipeline work")
        site.pipeline(PIPELINE.replace("work", "more"), "more.yaml")
        taken_in(running, "pipeline more")


def test_stop_before_start_is_harmless(site: Site) -> None:
    watcher = Watcher(reloader(site), Telemetry())
    watcher.stop()
    watcher.start()
    watcher.begun()
    watcher.stop()


def test_a_folder_that_cannot_be_watched_does_not_keep_it_from_stopping(site: Site) -> None:
    made = reloader(site)
    shutil.rmtree(site.root / "config")
    telemetry, signals = Telemetry(), Signals()
    telemetry.subscribe(signals)
    watcher = Watcher(made, telemetry)
    watcher.start()
    watcher.begun()
    watcher.stop()
