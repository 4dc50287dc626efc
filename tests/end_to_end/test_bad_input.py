"""What is wrong around the gateway ends in one clear message, or fails the one job concerned."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import apsw
import pytest

from ductile.model.job import JobStatus
from tests.support.client import get
from tests.support.line import STEPS, Line, settled
from tests.support.process import Ended, GatewayProcess, run

FAILED: Final = 1
CONFIGURATION: Final = 3
FINISHED: Final = [(name, JobStatus.SUCCEEDED) for name in STEPS]


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)


def serve(config_dir: Path, **options: Any) -> Ended:
    """A gateway that is not expected to start."""
    return run("--config", str(config_dir), "serve", **options)


def check_refusal(ended: Ended, code: int, *texts: str) -> None:
    """It ended with that code, and with a message for people that says all of these."""
    assert ended.code == code, ended.text
    assert ended.output == "\n", ended.output
    for text in texts:
        assert text in ended.errors
    for noise in ("Traceback", "mistake in ductile", "gateway started"):
        assert noise not in ended.errors


# --- the files -------------------------------------------------------------------------------


def test_a_config_directory_that_is_not_there(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    check_refusal(
        serve(nowhere), CONFIGURATION, f'no configuration in "{nowhere}"', f"ductile init {nowhere}"
    )


def test_a_config_file_that_may_not_be_read(line: Line) -> None:
    directory = line.site.write()
    (directory / "config.yaml").chmod(0)
    check_refusal(
        serve(directory, bound=True),
        CONFIGURATION,
        "the configuration cannot be read: Permission denied",
        "make it a file that the gateway's user may read",
    )


def test_all_that_is_wrong_in_a_config_file_is_said_at_once_and_where(line: Line) -> None:
    directory = line.site.write()
    (directory / "config.yaml").write_text(
        "servce: {max_workers: 2}\n"
        "workspace: {ttl: 24 hours}\n"
        "plugins: {first: {config: {token: '${NO_SUCH_TOKEN}'}}}\n"
    )
    check_refusal(
        serve(directory),
        CONFIGURATION,
        'config.yaml:1:1: unknown key "servce"',
        'did you mean "service"?',
        'config.yaml:2:18: "24 hours" is not a duration',
        "write a number and a unit: 30s, 5m, 2h",
        'config.yaml:3:35: environment variable "NO_SUCH_TOKEN" is not set',
        "set it for the process that runs the gateway",
        "3 problems in",
    )


def a_link_outside(program: Path) -> None:
    program.unlink()
    program.symlink_to("/bin/cat")


def not_executable(program: Path) -> None:
    program.chmod(0o644)


def world_writable(program: Path) -> None:
    program.parent.chmod(0o777)


@pytest.mark.parametrize(
    ("lie", "found", "remedy"),
    [
        (a_link_outside, "is not inside the plugin's folder", "put the file itself into"),
        (not_executable, "is not executable", "chmod +x"),
        (world_writable, "can be changed by every user of this machine", "chmod o-w"),
        (Path.unlink, "cannot be found", "put the file there"),
    ],
)
def test_a_manifest_that_lies_about_a_plugin_that_is_used(
    line: Line, lie: Any, found: str, remedy: str
) -> None:
    directory = line.site.write()
    lie(directory / "plugins" / "third" / "run")
    check_refusal(
        serve(directory), CONFIGURATION, "third/manifest.yaml:1:", found, remedy, "line.yaml:7:"
    )


# --- the plugins -----------------------------------------------------------------------------


def test_a_plugin_that_vanished_after_loading_fails_its_job_and_no_other(line: Line) -> None:
    line.site.config["plugins"]["third"]["retry"] = {"max_attempts": 1}
    with line.running() as process:
        (line.site.root / "config" / "plugins" / "third" / "run").unlink()
        event_id = line.send(process)
        settled(process, event_id)
        other = line.send(process, "block")
        line.blocker.reached()
        line.blocker.let_through()
        settled(process, other)
    third = line.chain(event_id).job("third")
    assert third.status is JobStatus.FAILED
    assert "the file is gone; put it back or install the plugin again" in (third.last_error or "")
    assert line.chain(other).job("blocker").status is JobStatus.SUCCEEDED


# --- the data directory ----------------------------------------------------------------------


def test_a_data_directory_that_may_not_be_written(line: Line) -> None:
    data = line.database.parent
    data.mkdir(mode=0o555)
    check_refusal(
        serve(line.site.write(), bound=True), FAILED, str(data), "make the file and its directory"
    )


def test_a_data_directory_that_may_not_be_made(line: Line) -> None:
    above = line.site.root / "above"
    above.mkdir(mode=0o555)
    line.site.config["data_dir"] = str(above / "data")
    check_refusal(
        serve(line.site.write(), bound=True),
        FAILED,
        f'cannot make the data directory "{above / "data"}": Permission denied',
        "make it yourself, or set data_dir",
    )


def test_a_data_directory_that_is_a_file(line: Line) -> None:
    line.database.parent.write_text("not a directory")
    check_refusal(
        serve(line.site.write()),
        FAILED,
        f'cannot make the data directory "{line.database.parent}": something else goes by',
        "set data_dir",
    )


def test_a_database_of_a_later_version(line: Line) -> None:
    with line.running():
        pass
    database = apsw.Connection(str(line.database))
    database.execute("INSERT INTO schema_version VALUES (999, 'later', '2030-01-01T00:00:00Z')")
    database.close()
    check_refusal(
        serve(line.site.write()),
        FAILED,
        "is at version 999, this program knows up to",
        "use the program that wrote it, or restore a copy made before",
    )


def test_a_database_that_is_none(line: Line) -> None:
    line.database.parent.mkdir()
    line.database.write_text("Dear diary, today I met a database.\n" * 100)
    check_refusal(serve(line.site.write()), FAILED, "it is not an SQLite database", "state.url")


# --- the disk --------------------------------------------------------------------------------


class SmallDisk:
    """A file system of its own, which can be filled and emptied again."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        """Leave no room for another byte, nor for another name."""
        for number in count():
            try:
                descriptor = os.open(self.path / f"filler{number}", os.O_CREAT | os.O_WRONLY)
            except OSError:  # not another name
                return
            with suppress(OSError):  # until there is no room for another byte
                while os.write(descriptor, bytes(4096)):
                    pass
            os.close(descriptor)

    def empty(self) -> None:
        """Make room again."""
        for filler in self.path.glob("filler*"):
            filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    path = tmp_path / "disk"
    path.mkdir()
    size = "size=4m,nr_inodes=200"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("to mount a small file system takes a root that may")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", str(path)], check=True)


def finish(line: Line, process: GatewayProcess, event_id: str) -> list[tuple[str, JobStatus]]:
    settled(process, event_id)
    return [(job.plugin, job.status) for job in line.chain(event_id).jobs]


def test_a_disk_that_fills_up_before_an_outcome_is_written_delays_the_chain_only(
    line: Line, disk: SmallDisk
) -> None:
    line.database = disk.path / "ductile.db"
    line.site.config |= {
        "data_dir": str(disk.path),
        "workspace": {"root": str(line.site.root / "ws")},
    }
    gate = line.gate("third")
    with line.running() as process:
        event_id = line.send(process)
        gate.reached()
        disk.fill()
        gate.let_through()
        process.wait_for("a part of the gateway failed.* part=settle .*disk is full")
        disk.empty()
        assert finish(line, process, event_id) == FINISHED


def test_an_event_that_a_full_disk_cannot_take_is_refused_and_may_be_sent_again(
    line: Line, disk: SmallDisk
) -> None:
    line.database = disk.path / "ductile.db"
    line.site.config["data_dir"] = str(disk.path)
    with line.running() as process:
        disk.fill()
        refused = line.post(process)
        disk.empty()
        event_id = line.send(process)
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
        assert finish(line, process, event_id) == FINISHED
    assert line.rows("SELECT id FROM event WHERE job_id IS NULL") == [(event_id,)]


def test_a_database_that_may_not_grow_takes_no_event_and_is_well_again_when_it_may(
    line: Line,
) -> None:
    with line.running() as process:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, hard))
        refused, health = line.post(process), get(process.address, "/healthz")
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        event_id = line.send(process)
        assert (refused.status, health.status) == (503, 503)
        assert health.json["database"] == "cannot be written"
        assert finish(line, process, event_id) == FINISHED
    assert line.rows("SELECT id FROM event WHERE job_id IS NULL") == [(event_id,)]


def test_a_disk_that_is_full_while_a_workspace_is_made_costs_an_attempt_only(
    line: Line, disk: SmallDisk
) -> None:
    line.site.config["workspace"] = {"root": str(disk.path / "ws")}
    line.site.config["plugins"]["fourth"] = {"retry": {"backoff_base": "50ms", "max_attempts": 20}}
    gate = line.gate("third")
    with line.running() as process:
        event_id = line.send(process)
        gate.reached()
        disk.fill()
        gate.let_through()
        process.wait_for("job settled.* plugin=fourth .*outcome=failed .*no space left on device")
        disk.empty()
        assert finish(line, process, event_id) == FINISHED
