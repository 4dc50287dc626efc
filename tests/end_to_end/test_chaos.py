"""A busy gateway dies at the points of the list; the long form is `./dev chaos`."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import apsw
import pytest

from tests.chaos import verdict
from tests.chaos.command import plan
from tests.chaos.load import Amount, Load
from tests.chaos.points import POINTS, Moment
from tests.chaos.shim import build
from tests.chaos.trial import Kill, Report, Trial
from tests.support.process import gateway

AMOUNT: Final = Amount({"line": 2, "fork": 1, "retry": 1, "fan": 1, "big": 1})
DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "crash-points.md"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("cc") is None:
        pytest.skip("the shim is written in C, and there is no compiler")
    return build(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="module")
def undisturbed(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    root = tmp_path_factory.mktemp("undisturbed")
    return Trial(root, library, amount=AMOUNT).run((), clean=True)


def test_what_nobody_kills_is_well(undisturbed: Report) -> None:
    assert (undisturbed.broken, undisturbed.accepted) == ([], 6)


def test_the_load_passes_every_point_of_the_list(undisturbed: Report) -> None:
    assert [name for name, times in undisturbed.passed.items() if times == 0] == []


def test_the_documentation_lists_every_point() -> None:
    listed = re.findall(r"^\| `(.+)` \| (.+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert listed == [(point.name, point.sentence) for point in POINTS]


@pytest.mark.parametrize(
    "kills",
    [
        "http.answer:before:3,log.sync:after:14,janitor.unlink:before:300",
        "plugin.start:after:4,clone.link:after:700",
    ],
)
def test_nothing_is_lost_doubled_or_changed_by_kills(
    library: Path, tmp_path: Path, kills: str
) -> None:
    wanted = [Kill.parse(each) for each in kills.split(",")]
    report = Trial(tmp_path, library, amount=AMOUNT).run(wanted)
    assert (report.broken, report.fired) == ([], len(wanted))


def test_a_plan_begins_with_every_point_on_both_sides() -> None:
    every = {(point.name, moment) for point in POINTS for moment in Moment}
    trials = plan(1, {point.name: 10 for point in POINTS})
    planned = [next(trials).kills for _ in every]
    assert {(kill.point, kill.moment) for [kill] in planned} == every


@pytest.mark.parametrize("kill", ["log.sync", "log.sync:after:0", "log.sync:during:1"])
def test_a_kill_is_a_point_a_moment_and_a_number(kill: str) -> None:
    with pytest.raises(ValueError, match="expected POINT:before:N or POINT:after:N"):
        Kill.parse(kill)


def test_a_kill_at_an_unknown_point_is_refused() -> None:
    with pytest.raises(ValueError, match=r'no point named "log\.synk"'):
        Kill.parse("log.synk:after:1")


# --- that a broken promise would be found ----------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site on which two chains have run to their end."""
    load = Load(tmp_path_factory.mktemp("finished"))
    with gateway(load.write()) as process:
        load.send(process, Amount({"fork": 1, "line": 1}), random.Random(1))
        process.wait_until(lambda: process.count("run settled") == 2)
        process.stop()
    return load.root


@pytest.fixture
def load(finished: Path, tmp_path: Path) -> Load:
    shutil.copytree(finished / "data", tmp_path / "site" / "data")
    return Load(tmp_path / "site")


def change(load: Load, statement: str) -> None:
    with closing(apsw.Connection(str(load.database))) as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)


def spoil_a_file(load: Load) -> None:
    file = next(load.workspaces.glob("*/trace"))
    file.chmod(0o600)
    file.write_text("spoilt\n")


def lose_a_file(load: Load) -> None:
    next(load.workspaces.glob("*/trace")).unlink()


def lose_a_job(load: Load) -> None:
    change(load, "DELETE FROM job_queue WHERE id = (SELECT max(id) FROM job_queue)")


def forget_an_event(load: Load) -> None:
    load.accepted["never heard of"] = "line"


def change_a_context(load: Load) -> None:
    change(load, "UPDATE context SET accumulated_json = '{}' WHERE hop = 1")


def succeed_twice(load: Load) -> None:
    change(
        load,
        "INSERT INTO job_log SELECT job_id, 2, status, started_at, completed_at, exit_code, error,"
        " result, logs, stderr FROM job_log LIMIT 1",
    )


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        (spoil_a_file, "is not what the ledger says"),
        (lose_a_file, "is missing"),
        (lose_a_job, "foreign_key_check"),
        (forget_an_event, "is lost"),
        (change_a_context, "event_context from kill 1 is changed or gone"),
        (succeed_twice, "disagree on its success"),
    ],
)
def test_the_verdict_names_what_is_broken(
    load: Load, harm: Callable[[Load], None], complaint: str
) -> None:
    before = [verdict.lasting(load)]
    assert verdict.broken(load, before) == []
    harm(load)
    assert complaint in "\n".join(verdict.broken(load, before))


@pytest.fixture
def straggler(load: Load) -> Iterator[None]:
    process = subprocess.Popen(["sleep", "60"], cwd=load.root)
    yield
    process.kill()
    process.wait()


@pytest.mark.usefixtures("straggler")
def test_the_verdict_names_a_process_that_is_left(load: Load) -> None:
    assert "works in" in "\n".join(verdict.broken(load, []))


def test_the_verdict_names_a_directory_that_is_left(load: Load) -> None:
    (load.workspaces / "stray").mkdir()
    assert verdict.clean(load) == ["directory stray is left after the janitor"]
