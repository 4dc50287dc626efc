"""Finding plugins below the roots."""

from __future__ import annotations

from pathlib import Path

import pytest

from ductile.plugin import registry
from ductile.plugin.registry import discover

from .building import SMALL, a_plugin


def named(name: str) -> str:
    return SMALL.replace("name: fetch", f"name: {name}")


def test_plugins_are_found_at_any_depth_of_every_root(tmp_path: Path) -> None:
    for folder in ("one/a", "one/deep/er/b", "two/c"):
        (tmp_path / folder).mkdir(parents=True)
        a_plugin(tmp_path / folder, named(Path(folder).name))

    found, problems = discover([tmp_path / "one", tmp_path / "two"])

    assert problems == []
    assert found.names() == ("a", "b", "c")
    manifest = found.get("b")
    assert manifest is not None
    assert manifest.directory == (tmp_path / "one" / "deep" / "er" / "b").resolve()


def test_a_root_may_be_a_plugin_itself(tmp_path: Path) -> None:
    a_plugin(tmp_path)

    assert discover([tmp_path])[0].names() == ("fetch",)


def test_the_commands_of_a_plugin_go_by_name(tmp_path: Path) -> None:
    a_plugin(tmp_path)
    found, _ = discover([tmp_path])

    assert list(found.commands("fetch")) == ["handle"]
    assert found.commands("other") == {}
    assert found.get("other") is None


def test_what_a_plugin_contains_is_its_own(tmp_path: Path) -> None:
    a_plugin(tmp_path / "plugin")
    a_plugin(tmp_path / "plugin" / "vendored", named("inner"))

    assert discover([tmp_path])[0].names() == ("fetch",)


@pytest.mark.parametrize("name", [".hidden", "link"])
def test_hidden_and_symlinked_folders_are_passed_over(tmp_path: Path, name: str) -> None:
    a_plugin(tmp_path / ".hidden")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / name).symlink_to(tmp_path / ".hidden")

    assert discover([tmp_path / "root"]) == (registry.Registry(), [])
    assert discover([tmp_path])[0].names() == ()


def test_folders_that_link_in_a_circle_are_no_trouble(tmp_path: Path) -> None:
    a_plugin(tmp_path / "plugin")
    (tmp_path / "again").symlink_to(tmp_path)

    assert discover([tmp_path])[0].names() == ("fetch",)


def test_a_broken_plugin_is_left_out_with_a_warning_and_the_others_stay(tmp_path: Path) -> None:
    a_plugin(tmp_path / "bad", named("bad"), executable=False)
    a_plugin(tmp_path / "good", named("good"))

    found, problems = discover([tmp_path])

    assert found.names() == ("good",)
    assert [(p.message, p.warning) for p in problems] == [
        ('plugin in "bad" is left out: entrypoint "run.sh" is not executable', True)
    ]


def test_of_two_plugins_with_one_name_the_first_root_wins(tmp_path: Path) -> None:
    a_plugin(tmp_path / "second")
    a_plugin(tmp_path / "first")

    found, problems = discover([tmp_path / "first", tmp_path / "second"])

    manifest = found.get("fetch")
    assert manifest is not None
    assert manifest.directory == (tmp_path / "first").resolve()
    (problem,) = problems
    assert problem.warning
    assert f'the one in "{tmp_path.resolve() / "first"}" has the same name' in problem.message
    assert problem.place is not None
    assert problem.place.file == str(tmp_path / "second" / "manifest.yaml")


def test_within_one_root_the_first_path_wins(tmp_path: Path) -> None:
    for folder in ("b", "a", "c"):
        a_plugin(tmp_path / folder)

    manifest = discover([tmp_path])[0].get("fetch")

    assert manifest is not None
    assert manifest.directory.name == "a"


def test_a_root_that_is_named_twice_makes_no_trouble(tmp_path: Path) -> None:
    a_plugin(tmp_path)

    assert discover([tmp_path, tmp_path])[1] == []


def test_a_root_that_is_missing_is_an_error(tmp_path: Path) -> None:
    _, (problem,) = discover([tmp_path / "none"])

    assert problem.message == f'plugin root "{tmp_path / "none"}" is not a folder'
    assert not problem.warning


def test_a_root_with_too_many_folders_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "MAX_FOLDERS", 3)
    for name in "abc":
        (tmp_path / name).mkdir()

    _, (problem,) = discover([tmp_path])

    assert problem.message.endswith("has more than 3 folders")
    assert not problem.warning
