"""The disk fails under a gateway that runs, and is well again: nothing else is."""

from __future__ import annotations

import errno
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from ductile.model.job import JobStatus
from tests.chaos.shim import Shim, build
from tests.support.client import get
from tests.support.line import STEPS, Line, settled
from tests.support.process import GatewayProcess, gateway
from tests.support.signals import PATIENCE

FINISHED: Final = [(name, JobStatus.SUCCEEDED) for name in STEPS]
ERRORS: Final = (errno.ENOSPC, errno.EIO, errno.EROFS)


@dataclass(frozen=True)
class Patient:
    """A gateway whose disk can be made to fail."""

    line: Line
    process: GatewayProcess

    def health(self) -> tuple[int, dict[str, str]]:
        answer = get(self.process.address, "/healthz")
        return answer.status, answer.json

    def turns(self, status: int) -> dict[str, str]:
        """Ask for the health until it is that; returns the report."""
        reports: list[dict[str, str]] = []

        def turned() -> bool:
            found, report = self.health()
            reports.append(report)
            return found == status

        until(turned)
        return reports[-1]

    def finishes(self, event_id: str) -> None:
        settled(self.process, event_id)
        jobs = self.line.chain(event_id).jobs
        assert [(job.plugin, job.status) for job in jobs] == FINISHED


def until(holds: Callable[[], bool]) -> None:
    """Ask a gateway something until it is so; it looks at itself once a second."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"not so within {PATIENCE:.0f} s"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("cc") is None:
        pytest.skip("the shim is written in C, and there is no compiler")
    return build(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def line(tmp_path: Path) -> Line:
    line = Line(tmp_path)
    for plugin in line.site.config["plugins"].values():
        plugin["retry"] = {"max_attempts": 20, "backoff_base": "20ms"}
    return line


@pytest.fixture
def shim(library: Path, tmp_path: Path) -> Shim:
    return Shim(library, tmp_path / "control")


@pytest.fixture
def patient(line: Line, shim: Shim) -> Iterator[Patient]:
    with gateway(line.site.write(), environment=shim.environment) as process:
        yield Patient(line, process)


# --- the disk of the database ----------------------------------------------------------------


@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("point", ["log.write", "log.sync"])
def test_what_cannot_be_kept_is_refused_until_the_disk_is_well(
    patient: Patient, shim: Shim, point: str, number: int
) -> None:
    patient.finishes(patient.line.send(patient.process))
    shim.fail(point, number)
    refused = patient.line.post(patient.process)
    report = patient.turns(503)
    shim.rest()
    patient.turns(200)
    patient.finishes(patient.line.send(patient.process))
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert (report["database"], report["dispatcher"]) == ("cannot be written", "ok")
    assert patient.line.rows("SELECT count(*) FROM event WHERE chain_id = id") == [(2,)]
    assert patient.line.rows("PRAGMA integrity_check") == [("ok",)]


def test_an_outcome_is_kept_until_the_database_takes_it(patient: Patient, shim: Shim) -> None:
    event_id = patient.line.send(patient.process, "block")
    patient.line.blocker.reached()
    shim.fail("log.write", errno.ENOSPC)
    patient.line.blocker.let_through()
    patient.process.wait_for("part=settle")
    shim.rest()
    settled(patient.process, event_id)
    [job] = patient.line.chain(event_id).jobs
    assert (job.status, job.attempt) == (JobStatus.SUCCEEDED, 1)


# --- the disk of the workspaces --------------------------------------------------------------


@pytest.mark.parametrize(
    ("point", "number"),
    [
        ("workspace.create", errno.EROFS),
        ("clone.begin", errno.ENOSPC),
        ("clone.link", errno.EIO),
        ("clone.commit", errno.EROFS),
        ("seal.mode", errno.EIO),
    ],
)
def test_the_job_concerned_fails_clearly_and_succeeds_when_the_disk_is_well(
    patient: Patient, shim: Shim, tmp_path: Path, point: str, number: int
) -> None:
    shim.fail(point, number)
    event_id = patient.line.send(patient.process)
    patient.process.wait_for("job settled.* outcome=failed")
    status, _ = patient.health()
    shim.rest()
    patient.finishes(event_id)
    [(error,)] = patient.line.rows("SELECT error FROM job_log WHERE error IS NOT NULL LIMIT 1")
    assert status == 200
    assert error.startswith("cannot ")
    assert str(tmp_path) not in error


def test_a_root_that_vanishes_is_red_until_it_is_back(patient: Patient, tmp_path: Path) -> None:
    root, away = tmp_path / "data" / "ws", tmp_path / "data" / "away"
    gate = patient.line.gate("third")
    event_id = patient.line.send(patient.process)
    gate.reached()
    root.rename(away)
    report = patient.turns(503)
    gate.let_through()
    patient.process.wait_for("job settled.* plugin=third .* outcome=failed")
    made = root.exists()
    away.rename(root)
    patient.turns(200)
    gate.reached()
    gate.let_through()
    patient.finishes(event_id)
    assert "has vanished" in report["workspaces"]
    assert report["database"] == "ok"
    assert not made


@pytest.fixture
def mounts() -> Iterator[Callable[..., None]]:
    with ExitStack() as undo:

        def mount(target: Path, *what: str) -> None:
            done = subprocess.run(["mount", *what, str(target)], capture_output=True, check=False)
            if done.returncode != 0:
                pytest.skip("mounting takes more rights than this user has")
            undo.callback(
                subprocess.run, ["umount", "-l", str(target)], capture_output=True, check=False
            )

        yield mount


def test_a_mount_that_is_gone_is_red_until_it_is_back(
    line: Line, tmp_path: Path, mounts: Callable[..., None]
) -> None:
    disk, root = tmp_path / "disk", tmp_path / "ws"
    disk.mkdir()
    root.mkdir(mode=0o700)
    mounts(disk, "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs")
    mounts(root, "--bind", str(disk))
    line.site.config["workspace"] = {"root": str(root)}
    gate = line.gate("second")
    with gateway(line.site.write()) as process:
        patient = Patient(line, process)
        event_id = line.send(process)
        gate.reached()
        subprocess.run(["umount", "-l", str(root)], check=True)
        report = patient.turns(503)
        gate.let_through()
        process.wait_for("job settled.* plugin=second .* outcome=failed")
        under_it = list(root.iterdir())
        mounts(root, "--bind", str(disk))
        patient.turns(200)
        gate.reached()
        gate.let_through()
        patient.finishes(event_id)
    assert "nothing is mounted any more" in report["workspaces"]
    assert under_it == []


def test_a_disk_that_is_really_full_is_red_until_there_is_room(
    line: Line, tmp_path: Path, mounts: Callable[..., None]
) -> None:
    disk = tmp_path / "data"
    disk.mkdir()
    mounts(disk, "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs")
    with gateway(line.site.write()) as process:
        patient = Patient(line, process)
        patient.finishes(line.send(process))
        _fill(disk / "ballast")
        refused = line.post(process, size=100_000)
        report = patient.turns(503)
        (disk / "ballast").unlink()
        patient.turns(200)
        patient.finishes(line.send(process))
    assert refused.status == 503
    assert "no space left" in report["workspaces"]


def _fill(file: Path) -> None:
    """Take all room that there is, to the last page."""
    with file.open("wb", buffering=0) as ballast:
        for size in (65536, 4096):
            with suppress(OSError):
                while True:
                    ballast.write(bytes(size))
