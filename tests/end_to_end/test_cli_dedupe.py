"""`--dedupe-key`: what was started once is shown instead of being started again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.made_site import Site, made

#: One event with a key, and one without.
EMITS = """#!/bin/sh
echo '{"status": "ok", "events": [
  {"type": "news.found", "payload": {}, "dedupe_key": "n1"},
  {"type": "news.found", "payload": {}}]}'
"""
RUN = ("pipeline", "run", "hello", "--dedupe-key", "today")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return made(tmp_path / "site")


def test_a_second_run_with_a_key_shows_the_first(site: Site) -> None:
    first = site.run(*RUN)
    second = site.run(*RUN)

    assert (first.code, second.code) == (0, 0)
    assert "the dedupe key was used before; nothing was started, and this is the first" in (
        second.text
    )
    [run] = site.json("run", "list")["runs"]
    assert run["id"] in first.text
    assert run["id"] in second.text


def test_programs_are_told_of_a_repeat_too(site: Site) -> None:
    first = site.json(*RUN)
    second = site.json(*RUN, "--no-wait")

    assert "duplicate_of" not in first
    assert second == {**first, "as_of": second["as_of"], "duplicate_of": first["event"]["id"]}


def test_a_job_says_which_of_its_events_started_nothing(site: Site) -> None:
    site.directory.joinpath("plugins/hello/run.sh").write_text(EMITS)
    chains = [site.json("plugin", "run", "hello", "handle") for _ in range(2)]
    jobs = [chain["jobs"][0] for chain in chains]
    [first, _] = [each["id"] for each in jobs[0]["events"]]
    inspected = [site.run("job", "inspect", job["id"]).text for job in jobs]

    notice = 'event "news.found" started nothing: its dedupe_key repeats that of event'
    assert notice not in inspected[0]
    assert inspected[1].count("started nothing") == 1
    assert f"{notice} {first}" in " ".join(inspected[1].replace("│", "").split())


def test_a_plugin_with_another_key_is_run_again(site: Site) -> None:
    for key in ("one", "two", "two"):
        command = ("plugin", "run", "hello", "handle", "--dedupe-key", key)
        assert site.run(*command).code == 0
    assert len(site.json("job", "list")["jobs"]) == 2


def test_an_empty_key_is_refused(site: Site) -> None:
    ended = site.run("pipeline", "run", "hello", "--dedupe-key", "")

    assert ended.code == 2
    assert "--dedupe-key: expected a key, found nothing" in ended.text


def test_a_key_of_bytes_that_are_no_text_is_refused(site: Site) -> None:
    ended = site.run("pipeline", "run", "hello", "--dedupe-key", "\udcff")

    assert ended.code == 2
    assert "--dedupe-key: expected UTF-8" in ended.text
