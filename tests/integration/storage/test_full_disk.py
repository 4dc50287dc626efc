"""What a disk that takes no more does to the store."""

from __future__ import annotations

import resource
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ductile.errors import StorageError
from ductile.storage.interfaces import Store, Transaction
from ductile.storage.sqlite import open_store
from tests.support.builders import an_event, stored_job
from tests.support.clock import FakeClock

LARGE = {"text": "x" * 5_000_000}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "ductile.db", FakeClock())) as opened:
        yield opened


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def full(store: Store, tmp_path: Path) -> Iterator[None]:
    with files_limited_to((tmp_path / "ductile.db-wal").stat().st_size):
        yield


@pytest.mark.usefixtures("full")
def test_a_commit_that_fails_says_why_and_what_to_do(store: Store) -> None:
    with pytest.raises(StorageError, match=r"disk .* — check that it is .* not full"):
        stored_job(store)


@pytest.mark.usefixtures("full")
def test_the_check_notices(store: Store) -> None:
    with pytest.raises(StorageError):
        store.check()


@pytest.mark.usefixtures("full")
def test_all_whose_commit_failed_hear_of_it(store: Store) -> None:
    entered, go = threading.Event(), threading.Event()

    def hold(_: Transaction) -> None:
        entered.set()
        assert go.wait(10)

    first = store.submit(hold)
    entered.wait(10)
    rest = [store.submit(lambda tx: tx.events.add(an_event())) for _ in range(5)]
    go.set()
    first.result(10)
    assert {type(future.exception(10)) for future in rest} == {StorageError}


def test_a_transaction_that_is_too_large_leaves_no_trace(store: Store, tmp_path: Path) -> None:
    event = an_event(payload=LARGE)
    with files_limited_to(1_000_000), pytest.raises(StorageError):
        store.write(lambda tx: tx.events.add(event))
    assert store.read(lambda tx: tx.events.get(event.id)) is None


def test_work_that_goes_on_after_the_disk_failed_it_keeps_nothing(store: Store) -> None:
    large, small = an_event(payload=LARGE), an_event()

    def work(tx: Transaction) -> None:
        try:
            tx.events.add(large)
        finally:
            tx.events.add(small)

    with files_limited_to(1_000_000), pytest.raises(StorageError, match="disk I/O error"):
        store.write(work)
    assert store.read(lambda tx: tx.events.get(small.id)) is None


def test_reading_goes_on(store: Store, tmp_path: Path) -> None:
    job = stored_job(store)
    with files_limited_to((tmp_path / "ductile.db-wal").stat().st_size):
        with pytest.raises(StorageError):
            stored_job(store)
        assert store.read(lambda tx: tx.jobs.get(job.id)) == job


def test_writing_goes_on_when_there_is_room_again(store: Store, tmp_path: Path) -> None:
    with files_limited_to((tmp_path / "ductile.db-wal").stat().st_size):
        for _ in range(3):
            with pytest.raises(StorageError):
                stored_job(store)
    job = stored_job(store)
    store.check()
    assert store.read(lambda tx: tx.jobs.get(job.id)) == job


def test_a_backup_that_does_not_fit_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    with files_limited_to(10_000), pytest.raises(StorageError):
        store.backup(copies / "copy.db")
    assert list(copies.iterdir()) == []


def test_a_file_system_without_room_is_called_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small file system takes more rights than this user has")
    try:
        with closing(open_store(disk / "ductile.db", FakeClock())) as store:
            with pytest.raises(StorageError, match=r"the disk is full .* — free some space"):
                store.write(lambda tx: tx.events.add(an_event(payload=LARGE)))
            job = stored_job(store)
            assert store.read(lambda tx: tx.jobs.get(job.id)) == job
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_checking_over_and_over_does_not_make_the_files_grow(store: Store, tmp_path: Path) -> None:
    for _ in range(1200):
        store.check()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 5_000_000
