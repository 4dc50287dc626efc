"""`ductile run verify`, as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.made_site import Site, made


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = made(tmp_path / "site")
    ended = site.run("pipeline", "run", "hello")
    assert ended.code == 0, ended.text
    return site


def workspace(site: Site, job_id: str) -> Path:
    return Path(site.json("workspace", "path", job_id)["path"])


def change_in_place(site: Site) -> tuple[str, Path]:
    """Write to a committed file; returns the job that made it, and the file."""
    last = site.json("job", "list")["jobs"][0]
    path = next(each for each in workspace(site, last["id"]).iterdir() if each.is_file())
    path.chmod(0o644)
    path.write_text("forged\n")
    return last["id"], path


def test_what_is_intact_says_so_and_ends_well(site: Site) -> None:
    [run] = site.json("run", "list")["runs"]

    for asked in ((run["id"],), ("--all",), (run["chain_id"],)):
        ended = site.run("run", "verify", *asked)
        assert (ended.code, ended.output.partition("  ")[0]) == (0, "intact"), ended.text


def test_what_is_changed_comes_first_and_ends_badly(site: Site) -> None:
    _, path = change_in_place(site)

    ended = site.run("run", "verify", "--all")

    assert ended.code == 1
    assert ended.output.startswith(f'changed in place  "{path.name}": size ')
    assert "changed outside of any job: " in ended.output or "can have done it: " in ended.output
    assert ended.output.splitlines()[-1].startswith("1 problem  1 chain; 2 workspaces with ")


def test_json_has_the_same(site: Site) -> None:
    job_id, path = change_in_place(site)

    ended = site.run("run", "verify", job_id, "--json")

    assert ended.code == 1
    assert f'"path": "{path.name}"' in ended.output
    assert '"intact": false' in ended.output


def test_the_json_of_what_is_intact_counts_what_was_read(site: Site) -> None:
    found = site.json("run", "verify", "--all")

    assert found["intact"] is True
    assert found["checked"]["workspaces"] == 2
    assert (found["files"], found["ledger"], found["not_listed"]) == ([], [], 0)


def test_a_sound_database_says_so(site: Site) -> None:
    ended = site.run("db", "check")

    assert (ended.code, ended.output.partition("  ")[0]) == (0, "sound")
    assert site.json("db", "check")["defects"] == []


def test_a_damaged_database_says_what_is_wrong_and_ends_badly(site: Site) -> None:
    database = Path(site.json("db", "status")["database"])
    content = bytearray(database.read_bytes())
    content[8192:12288] = b"\xff" * 4096
    database.write_bytes(content)

    ended = site.run("db", "check")

    assert ended.code == 1
    assert ended.output.startswith("damaged  ")


@pytest.mark.parametrize("words", [(), ("--all", "x")])
def test_it_asks_for_an_id_or_for_all(site: Site, words: tuple[str, ...]) -> None:
    ended = site.run("run", "verify", *words)

    assert ended.code == 2
    assert "expected either an ID or --all" in ended.text


def test_an_id_that_nothing_has_is_refused(site: Site) -> None:
    ended = site.run("run", "verify", "nobody")

    assert ended.code == 2
    assert 'no run, job or chain has the id "nobody"' in ended.text
