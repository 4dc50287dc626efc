"""What a reload puts in force, and what it leaves as it is."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ductile.dispatch.interfaces import Trigger
from ductile.errors import NotFound
from ductile.model.ids import EventId
from ductile.model.job import JobStatus
from ductile.telemetry.signals import (
    ConfigurationReloaded,
    GatewayStopped,
    JobSettled,
    JobStarted,
    ReloadRefused,
)
from tests.integration.engine.gate import Gate
from tests.support.site import Running, Site

OK = """cat >/dev/null; echo '{"status": "ok"}'"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.plugin("first", OK)
    site.plugin("second", OK)
    pipeline(site, "first", "second")
    return site


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with closing(Gate(tmp_path / "gate")) as made:
        yield made


def pipeline(site: Site, *plugins: str) -> None:
    steps = "".join(f"\n    - {{uses: {each}, retry: {{max_attempts: 1}}}}" for each in plugins)
    site.pipeline(f"- name: work\n  on: begin\n  steps:{steps}")


def reloaded(running: Running) -> ConfigurationReloaded:
    assert running.gateway.reload(), running.signals.of(ReloadRefused)
    return running.signals.of(ConfigurationReloaded)[-1]


# --- what it takes in ------------------------------------------------------------------------


def test_it_says_what_is_not_as_it_was(site: Site) -> None:
    with site.running() as running:
        site.plugin("third", OK)
        site.plugin("second", OK, version="1.1.0")
        pipeline(site, "third")
        site.pipeline("- name: other\n  on: more\n  steps: [{uses: first}]", "other.yaml")
        changed = reloaded(running).changed
    assert changed == ("pipeline other", "pipeline work", "plugin second", "plugin third")


def test_a_reload_of_the_same_files_changes_nothing(site: Site) -> None:
    with site.running() as running:
        signal = reloaded(running)
    assert (signal.pipelines, signal.plugins, signal.changed) == (1, 2, ())


def test_new_settings_of_a_plugin_hold_for_its_next_attempt(site: Site) -> None:
    site.plugin("first", """grep -q '"v":2' && echo '{"status": "ok"}'""")
    pipeline(site, "first")
    with site.running() as running:
        before = running.finish("begin").job("first").status
        site.config["plugins"] = {"first": {"config": {"v": 2}}}
        site.write()
        assert reloaded(running).changed == ("plugin first",)
        after = running.finish("begin").job("first").status
    assert (before, after) == (JobStatus.FAILED, JobStatus.SUCCEEDED)


def test_a_pipeline_can_be_run_by_its_new_name_only(site: Site) -> None:
    with site.running() as running:
        site.pipeline("- name: labour\n  on: begin\n  steps: [{uses: first}]")
        reloaded(running)
        assert running.finish("begin").job("first").status is JobStatus.SUCCEEDED
        [run] = running.chain(running.send("begin").event_id).records.runs
    assert run.pipeline_name == "labour"


def test_a_plugin_that_came_with_a_limit_is_held_to_it(site: Site, gate: Gate) -> None:
    with site.running() as running:
        site.plugin("single", gate.wait + OK, concurrency_safe=False)
        pipeline(site, "single")
        reloaded(running)
        gate.let_through(2)
        for event_id in [running.send("begin").event_id for _ in range(2)]:
            running.ended(event_id)
        heard = [s for s in running.signals.heard if isinstance(s, JobStarted | JobSettled)]
    assert [type(signal) for signal in heard] == [JobStarted, JobSettled] * 2


def test_a_secret_that_came_with_a_reload_is_kept_out_of_the_log(site: Site) -> None:
    site.plugin("first", """cat >&2; echo '{"status": "ok"}'""")
    with site.running() as running:
        site.config["plugins"] = {"first": {"config": {"token": "brand-new-secret"}}}
        site.write()
        reloaded(running)
        attempt = running.finish("begin").records.attempts[0]
    assert "[secret]" in attempt.stderr
    assert "brand-new-secret" not in attempt.stderr


# --- what it leaves --------------------------------------------------------------------------


def test_a_refused_reload_names_each_mistake_and_changes_nothing(site: Site) -> None:
    with site.running() as running:
        pipeline(site, "first", "secnd", "thrid")
        site.plugin("third", OK)
        assert not running.gateway.reload()
        [refused] = running.signals.of(ReloadRefused)
        with pytest.raises(NotFound):
            running.gateway.intake.accept(Trigger("test", {}, "test", plugin="third"))
        assert len(running.finish("begin").jobs) == 2
    assert refused.problems == 2
    assert "test.yaml:6:16: no plugin named" in refused.first[0]


def test_a_config_file_that_is_gone_is_a_mistake_like_any_other(site: Site) -> None:
    with site.running() as running:
        (site.root / "config" / "config.yaml").unlink()
        assert not running.gateway.reload()
        assert len(running.finish("begin").jobs) == 2


@pytest.mark.parametrize(
    ("section", "value", "key"),
    [
        ("http", {"listen": "127.0.0.1:9"}, "http.listen"),
        ("service", {"max_workers": 9}, "service.max_workers"),
        ("workspace", {"ttl": "1h"}, "workspace.ttl"),
        ("state", {"url": "sqlite:///other.db"}, "state.url"),
        ("webhooks", {"inbox": {"window": "1h"}}, "webhooks.inbox.window"),
    ],
)
def test_what_waits_for_the_next_start_is_said_at_each_reload(
    site: Site, section: str, value: dict[str, object], key: str
) -> None:
    with site.running() as running:
        site.config[section] = value
        site.write()
        said = [reloaded(running).at_next_start for _ in range(2)]
    assert said == [(key,), (key,)]


def test_a_job_whose_plugin_was_taken_away_fails_and_says_what_to_do(
    site: Site, gate: Gate
) -> None:
    site.plugin("first", gate.wait + OK)
    with site.running() as running:
        event_id = running.send("begin").event_id
        gate.arrival()
        shutil.rmtree(site.root / "config" / "plugins" / "second")
        pipeline(site, "first")
        assert reloaded(running).changed == ("pipeline work", "plugin second")
        gate.let_through()
        second = running.ended(event_id).job("second")
    assert second.status is JobStatus.FAILED
    assert second.last_error == (
        'no plugin named "second" is loaded; put it back into a plugin root and reload'
    )


# --- while others are at work ----------------------------------------------------------------


def version(site: Site, name: str) -> None:
    """A set in which pipeline, plugin and the plugin's settings belong together."""
    site.config["plugin_roots"] = [name]
    site.config["plugins"] = {"worker": {"config": {"v": name}}}
    steps = f"[{{id: {name}1, uses: worker}}, {{id: {name}2, uses: worker}}]"
    site.pipeline(f"- name: work\n  on: begin\n  steps: {steps}")
    site.write()


def test_no_decision_is_made_with_parts_of_two_sets(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for name in ("a", "b"):
        site.plugin("worker", f"""grep -q '"v":"{name}"' && {OK}""")
        (tmp_path / "config" / "plugins").rename(tmp_path / "config" / name)
    version(site, "a")
    event_ids: list[EventId] = []
    with site.running() as running:

        def send() -> None:
            event_ids.extend(running.send("begin").event_id for _ in range(20))

        senders = [threading.Thread(target=send) for _ in range(2)]
        for sender in senders:
            sender.start()
        for name in "babababa":
            version(site, name)
            reloaded(running)
        for sender in senders:
            sender.join()
        chains = [running.ended(event_id) for event_id in event_ids]
    assert len(chains) == 40
    for chain in chains:
        assert [job.step_id for job in chain.jobs] in (["a1", "a2"], ["b1", "b2"])
        assert {job.status for job in chain.jobs} == {JobStatus.SUCCEEDED}


def test_a_stop_during_reloads_ends_the_gateway_and_harms_nothing(site: Site) -> None:
    with site.running() as running:
        reloads = [threading.Thread(target=running.gateway.reload) for _ in range(4)]
        for thread in reloads:
            thread.start()
        running.gateway.stop()
        for thread in reloads:
            thread.join()
    assert len(running.signals.of(GatewayStopped)) == 1
    assert len(running.signals.of(ConfigurationReloaded)) == 4
