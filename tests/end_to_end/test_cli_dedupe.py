"""`--dedupe-key`: what was started once is shown instead of being started again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.made_site import Site, made

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


def test_a_plugin_with_another_key_is_run_again(site: Site) -> None:
    for key in ("one", "two", "two"):
        command = ("plugin", "run", "hello", "handle", "--dedupe-key", key)
        assert site.run(*command).code == 0
    assert len(site.json("job", "list")["jobs"]) == 2


def test_an_empty_key_is_refused(site: Site) -> None:
    ended = site.run("pipeline", "run", "hello", "--dedupe-key", "")

    assert ended.code == 2
    assert "--dedupe-key: expected a key, found nothing" in ended.text
