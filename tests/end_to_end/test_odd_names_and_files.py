"""Names that are not UTF-8, and files that are none, wherever the command line meets them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.made_site import Site as MadeSite
from tests.support.made_site import made

ODD = os.fsdecode(b"odd-\xff")


@pytest.fixture
def site(tmp_path: Path) -> MadeSite:
    return made(tmp_path / "site")


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> MadeSite:
    """One for tests that change nothing."""
    return made(tmp_path_factory.mktemp("used") / "site")


def is_clear(errors: str) -> bool:
    """Whether that is said to people, and not by a program that came to grief."""
    return "mistake in ductile" not in errors and "Traceback" not in errors


@pytest.mark.parametrize(
    "arguments",
    [
        ("config", "check"),
        ("pipeline", "list"),
        ("plugin", "list"),
        ("job", "list"),
        ("db", "status"),
        ("workspace", "clean"),
        ("pipeline", "run", "hello"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_config_directory_whose_name_is_not_utf_8(
    tmp_path: Path, arguments: tuple[str, ...], as_json: bool
) -> None:
    site = made(tmp_path / "site")
    moved = tmp_path / ODD
    site.directory.rename(moved)
    if as_json and arguments[:2] == ("workspace", "clean"):
        arguments = ("config", "check")
    ended = MadeSite(moved).run(*arguments, *(["--json"] if as_json else []))
    assert is_clear(ended.errors)
    assert ended.code == 0 or ended.errors
    if as_json and ended.output.strip():
        json.loads(ended.output)


def test_a_database_whose_path_is_not_utf_8_is_refused_with_what_to_do(
    site: MadeSite, tmp_path: Path
) -> None:
    moved = tmp_path / ODD
    site.directory.rename(moved)
    config = moved / "config.yaml"
    lines = [line for line in config.read_text().splitlines() if not line.startswith("data_dir")]
    config.write_text("\n".join([*lines, "data_dir: data"]))
    ended = MadeSite(moved).run("pipeline", "run", "hello")
    assert ended.code == 1
    assert (
        'expected a path in UTF-8, found other bytes in it — choose another one, with "data_d'
        in (ended.errors)
    )
    assert not list((moved / "data").glob("*.db*"))


@pytest.mark.parametrize("as_json", [False, True])
def test_broken_files_whose_names_are_not_utf_8_are_reported(site: MadeSite, as_json: bool) -> None:
    (site.directory / "pipelines" / f"{ODD}.yaml").write_text("x: 1")
    folder = site.directory / "plugins" / ODD
    folder.mkdir()
    (folder / "manifest.yaml").write_text("x: 1")
    ended = site.run("config", "check", *(["--json"] if as_json else []))
    assert ended.code == 3
    assert is_clear(ended.errors)
    assert 'unknown key \\"x\\"' in ended.output if as_json else 'unknown key "x"' in ended.text


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [os.mkfifo, endless])
@pytest.mark.parametrize(
    ("place", "code", "said"),
    [
        ("config.yaml", 3, "the configuration cannot be read: it is not a regular file"),
        ("plugins/new/manifest.yaml", 0, "the manifest cannot be read: it is not a regular file"),
        ("pipelines/x.yaml", 0, ""),
    ],
)
def test_what_stands_where_a_file_should_is_not_waited_for(
    site: MadeSite, place: str, code: int, said: str, make: Callable[[Path], None]
) -> None:
    path = site.directory / place
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    make(path)
    ended = site.run("config", "check")
    assert ended.code == code
    assert is_clear(ended.errors)
    assert said in ended.text


def test_a_backup_to_a_name_that_is_not_utf_8_is_refused_and_leaves_nothing(
    site: MadeSite, tmp_path: Path
) -> None:
    site.json("pipeline", "run", "hello")
    place = tmp_path / "backups"
    place.mkdir()
    ended = site.run("db", "backup", str(place / ODD))
    assert (ended.code, list(place.iterdir())) == (1, [])
    assert "expected a path in UTF-8" in ended.errors


@pytest.mark.parametrize(
    "command",
    [
        ("job", "inspect"),
        ("run", "show"),
        ("run", "cancel"),
        ("pipeline", "show"),
        ("pipeline", "run"),
        ("plugin", "run"),
        ("plugin", "check"),
        ("workspace", "path"),
        ("job", "list", "--plugin"),
        ("job", "list", "--status"),
        ("job", "list", "--limit"),
        ("job", "list", "--before"),
        ("pipeline", "run", "hello", "--payload"),
        ("pipeline", "run", "hello", "--wait"),
    ],
)
def test_no_argument_is_a_mistake_of_the_program(used: MadeSite, command: tuple[str, ...]) -> None:
    for argument in (ODD, "' OR 1=1 --", "../..", "", "-", "%s", "9" * 5000):
        ended = used.run(*command, argument)
        assert ended.code in (0, 1, 2, 3)
        assert is_clear(ended.errors), (argument, ended.errors)
        assert ended.code == 0 or ended.text.strip()
