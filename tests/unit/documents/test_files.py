"""What is read when a file is asked for, and what is left alone."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ductile.documents.files import MAX_FILE, read_any, read_file


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def too_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def circular(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (os.mkfifo, "not a regular file"),
        (endless, "not a regular file"),
        (a_socket, "No such device"),
        (Path.mkdir, "Is a directory"),
        (circular, "symbolic links"),
        (too_large, f"larger than {MAX_FILE} bytes"),
    ],
)
def test_what_is_no_file_that_somebody_wrote_is_refused_at_once(
    tmp_path: Path, make: Callable[[Path], None], reason: str
) -> None:
    path = tmp_path / "it"
    make(path)
    with pytest.raises(OSError, match=reason) as refusal:
        read_file(path)
    assert refusal.value.strerror


def test_a_file_of_the_largest_size_is_read_whole_and_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(b"#" * MAX_FILE)
    (tmp_path / "link").symlink_to("it")
    assert len(read_file(tmp_path / "link")) == MAX_FILE


def test_what_a_command_line_names_may_be_a_pipe_but_not_one_without_an_end() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"pipelines: []")
    os.close(writing)
    try:
        assert read_any(Path(f"/dev/fd/{reading}")) == b"pipelines: []"
    finally:
        os.close(reading)
    with pytest.raises(OSError, match="larger than"):
        read_any(Path("/dev/zero"))
