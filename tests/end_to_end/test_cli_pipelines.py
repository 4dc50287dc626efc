"""Help while writing pipelines: versions, drawings, differences, explanations, schemas."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.made_site import Site, made


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return made(tmp_path / "site")


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site in which one chain has run; tests only look at it."""
    site = made(tmp_path_factory.mktemp("lived") / "in")
    ended = site.run("pipeline", "run", "hello")
    assert ended.code == 0, ended.text
    return site


def test_a_version_that_ran_is_shown_when_its_file_says_something_else(site: Site) -> None:
    assert site.run("pipeline", "run", "hello").code == 0
    [before] = site.json("pipeline", "list")["pipelines"]
    file = site.directory / "pipelines" / "hello.yaml"
    file.write_text(file.read_text().replace("id: greet ", "id: welcome "))
    old = before["hash"].removeprefix("blake3:")[:8]

    shown = site.json("pipeline", "show", "hello", "--version", old)
    differences = site.json("pipeline", "diff", f"hello@{old}", "hello")["differences"]

    assert [node["id"] for node in shown["nodes"]] == ["greet", "sign"]
    assert [(each["change"], each["id"]) for each in differences] == [
        ("changed", "hello"),
        ("removed", "greet"),
        ("added", "welcome"),
    ]


def test_a_version_that_never_ran_is_refused_with_those_that_did(lived_in: Site) -> None:
    ended = lived_in.run("pipeline", "show", "hello", "--version", "0000")

    assert ended.code == 2
    assert 'no version of pipeline "hello" begins like "0000"; there are ' in ended.text


def test_two_equal_pipelines_have_no_difference_in_meaning(lived_in: Site) -> None:
    ended = lived_in.run("pipeline", "diff", "hello", "hello")

    assert (ended.code, ended.output) == (0, "no difference in meaning\n")


def test_a_file_that_is_checked_goes_by_the_name_that_it_was_given(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site.directory)
    (site.directory / "new.yaml").write_text("pipelines: 5\n")

    ended = site.run("pipeline", "check", "new.yaml")

    assert ended.code == 3
    assert ended.output.startswith("new.yaml:1:12: expected a list, found the number 5\n")


def test_a_file_that_is_checked_is_held_against_the_others(site: Site, tmp_path: Path) -> None:
    # Before the directory in the order of names, and after it.
    for name in ("a.yaml", "z.yaml"):
        copy = tmp_path / name
        copy.write_text((site.directory / "pipelines" / "hello.yaml").read_text())

        [problem] = site.json_of_failure("pipeline", "check", str(copy))["problems"]

        assert (problem["file"], problem["message"]) == (
            str(copy),
            'pipeline "hello" exists already',
        )


def test_what_a_checked_file_breaks_in_others_is_told_and_nothing_else(site: Site) -> None:
    folder = site.directory / "pipelines"
    (folder / "broken.yaml").write_text("pipelines: [{name: broken, on: x, steps: [{uses: no}]}]")
    (folder / "caller.yaml").write_text("pipelines: [{name: b, on: x, steps: [{call: a}]}]")
    changed = folder / "called.yaml"
    changed.write_text("pipelines: [{name: a, on: x, steps: [{call: b}]}]")

    [problem] = site.json_of_failure("pipeline", "check", str(changed))["problems"]

    assert "calls itself" in problem["message"]


@pytest.mark.parametrize(
    ("shape", "begin"), [("text", "└─ on"), ("mermaid", "flowchart TD"), ("svg", "<svg ")]
)
def test_a_pipeline_is_drawn(lived_in: Site, shape: str, begin: str) -> None:
    ended = lived_in.run("pipeline", "graph", "hello", "--format", shape)

    assert ended.code == 0
    assert ended.output.startswith(begin)


def test_an_event_is_explained_without_running_anything(lived_in: Site, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"type": "hello.said", "payload": {"name": "world"}}')
    before = lived_in.json("job", "list")

    explained = lived_in.json("pipeline", "explain", "hello", "--event", str(event))

    assert explained["starts"] is True
    assert [each["node"] for each in explained["reached"]] == ["greet", "sign"]
    assert lived_in.json("job", "list") == before


@pytest.mark.parametrize("name", ["config", "pipelines", "manifest"])
def test_init_writes_the_schemas_that_the_command_prints(lived_in: Site, name: str) -> None:
    written = (lived_in.directory / "schemas" / f"{name}.json").read_text()

    assert lived_in.run("schema", name).output == written
