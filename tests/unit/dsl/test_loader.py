from __future__ import annotations

import os
from pathlib import Path

import pytest

from ductile.dsl.loader import Loaded, load
from tests.unit.dsl.builders import Plugins, steps_text


def written(path: Path, steps: str = "[{uses: echo}]", name: str | None = None) -> Path:
    """A file with one pipeline, called like the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(steps_text(steps, name or path.stem))
    return path


def names(loaded: Loaded) -> list[str]:
    assert loaded.problems == ()
    assert loaded.catalogue is not None
    return list(loaded.catalogue.pipelines)


def the_problem(loaded: Loaded) -> str:
    assert loaded.catalogue is None
    (problem,) = loaded.problems
    return problem.message


def test_all_files_of_all_folders_are_one_catalogue(tmp_path: Path) -> None:
    written(tmp_path / "b.yaml", "[{call: c}]")
    written(tmp_path / "a.yml")
    written(tmp_path / "sub" / "deeper" / "c.yaml")
    loaded = load(tmp_path, Plugins())
    assert names(loaded) == ["a", "b", "c"]
    assert loaded.files == 3


def test_a_folder_that_does_not_exist_holds_no_pipelines(tmp_path: Path) -> None:
    loaded = load(tmp_path / "nothing", Plugins())
    assert (names(loaded), loaded.files) == ([], 0)


def test_an_empty_file_holds_no_pipelines(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("# later\n")
    assert names(load(tmp_path, Plugins())) == []


def test_other_and_hidden_files_are_passed_over(tmp_path: Path) -> None:
    for name in ("a.txt", "b.yaml~", ".c.yaml", ".git/d.yaml"):
        written(tmp_path / name)
    assert load(tmp_path, Plugins()).files == 0


def test_what_is_no_regular_file_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    written(tmp_path / "a.yaml")
    assert names(load(tmp_path, Plugins())) == ["a"]


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    target = written(tmp_path / "elsewhere" / "a.yaml")
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "a.yaml").symlink_to(target)
    assert names(load(tmp_path / "pipelines", Plugins())) == ["a"]


def test_links_that_lead_in_a_circle_do_not_hang(tmp_path: Path) -> None:
    written(tmp_path / "sub" / "a.yaml")
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    assert names(load(tmp_path, Plugins())) == ["a"]


def test_a_link_to_nothing_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("nothing")
    assert the_problem(load(tmp_path, Plugins())) == "cannot be read: No such file or directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_a_problem(tmp_path: Path) -> None:
    written(tmp_path / "a.yaml").chmod(0)
    assert the_problem(load(tmp_path, Plugins())) == "cannot be read: Permission denied"


def test_a_file_in_place_of_the_folder_is_a_problem(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yaml")
    assert the_problem(load(path, Plugins())) == "cannot be read: Not a directory"


def test_a_file_name_that_is_not_text_is_shown_all_the_same(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.yaml")).write_bytes(b"\xff")
    (problem,) = load(tmp_path, Plugins()).problems
    assert problem.place is not None
    assert problem.place.file.endswith("\N{REPLACEMENT CHARACTER}.yaml")


def test_problems_of_all_files_are_reported_at_once_and_nothing_is_loaded(tmp_path: Path) -> None:
    written(tmp_path / "a.yaml", "[{uses: fetsh}]")
    written(tmp_path / "b.yaml")
    (tmp_path / "c.yaml").write_text("pipelines: [")
    loaded = load(tmp_path, Plugins())
    assert loaded.catalogue is None
    assert [Path(p.place.file).name for p in loaded.problems if p.place] == ["a.yaml", "c.yaml"]
    assert loaded.files == 3


def test_a_file_that_cannot_be_read_does_not_make_its_pipelines_unknown(tmp_path: Path) -> None:
    written(tmp_path / "a.yaml", "[{call: b}]")
    (tmp_path / "b.yaml").write_text("pipelines: [")
    assert the_problem(load(tmp_path, Plugins())).startswith("this is not YAML")


def test_a_key_that_stands_twice_loads_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(steps_text("[{uses: echo, uses: fetch}]"))
    assert the_problem(load(tmp_path, Plugins())) == 'key "uses" stands twice in one mapping'
