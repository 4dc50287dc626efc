"""`ductile demo`, as a newcomer meets it."""

from __future__ import annotations

import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.process import Ended, clean_environment, process, run

PLUGINS: Final = ("discord-receiver", "captions", "summary", "keywords", "discord-notifier")
CRITERIA: Final = ("Trigger", "Ledger", "Context", "Workspace", "Artifacts")
COLUMNS: Final = 100
TALK: Final = """\
WEBVTT

00:00.000 --> 00:04.000
A pipeline is a chain of small programs.

00:04.000 --> 00:08.000
Every program reads files and writes files.

00:08.000 --> 00:12.000
The chain survives when the gateway dies.
"""
#: Captions of a video in which nobody says a word of three letters.
MUMBLE: Final = "WEBVTT\n\n00:00.000 --> 00:02.000\nIt is so.\n"


@dataclass(frozen=True)
class Shown:
    """A demo, and where it kept its files meanwhile."""

    ended: Ended
    folder: Path


@dataclass(frozen=True)
class Kept:
    """A demo with captions of its own, which left its files there."""

    ended: Ended
    folder: Path

    def command(self, pattern: str) -> str:
        """One of the commands that it printed, after what was kept, to go on with."""
        _, _, after = self.ended.output.partition("Kept in")
        [command] = [line for line in after.splitlines() if re.search(pattern, line)]
        return command


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("shown")
    return Shown(run("demo", environment={"TMPDIR": str(folder)}), folder)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("kept")
    captions = folder / "talk.vtt"
    captions.write_text(TALK)
    files = folder / "files"
    return Kept(run("demo", "--keep", str(files), "--captions", str(captions)), files)


# --- all is well -----------------------------------------------------------------------------


def test_it_succeeds_and_has_nothing_to_complain_about(shown: Shown) -> None:
    assert (shown.ended.code, shown.ended.errors) == (0, "\n")


def test_it_shows_each_job_of_the_chain_in_a_line(shown: Shown) -> None:
    found = re.findall(r"^  (\S+) +succeeded +\d+ ms$", shown.ended.output, re.MULTILINE)
    assert tuple(found) == PLUGINS


def test_it_shows_each_criterion_with_its_evidence(shown: Shown) -> None:
    found = re.findall(r"^  ok    \d\. (\w+): .+\n {11}\S", shown.ended.output, re.MULTILINE)
    assert tuple(found) == CRITERIA


def test_its_last_line_is_the_verdict(shown: Shown) -> None:
    assert shown.ended.output.splitlines()[-1] == "5 of 5 criteria hold"


def test_it_fits_into_a_hundred_columns(shown: Shown) -> None:
    # The folder is as long as this test has made it.
    lines = [line for line in shown.ended.output.splitlines() if str(shown.folder) not in line]
    assert [line for line in lines if len(line) > COLUMNS] == []


def test_it_leaves_nothing_behind(shown: Shown) -> None:
    assert list(shown.folder.iterdir()) == []


# --- with files that stay, and captions of one's own -----------------------------------------


def test_other_captions_are_summarised(kept: Kept) -> None:
    assert "  | > A pipeline is a chain of small programs." in kept.ended.output.splitlines()
    assert kept.ended.code == 0


def test_the_printed_command_shows_the_chain(kept: Kept) -> None:
    asked = subprocess.run(
        kept.command("job inspect"),
        shell=True,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 0, asked.stderr
    assert all(plugin in asked.stdout for plugin in PLUGINS)


def test_the_printed_folder_holds_the_files_of_the_chain(kept: Kept) -> None:
    asked = subprocess.run(kept.command("ls"), shell=True, capture_output=True, text=True)
    assert {"summary.txt", "keywords.txt"} <= set(asked.stdout.split())


def test_the_kept_configuration_is_in_order(kept: Kept) -> None:
    directory = str(kept.folder / "config")
    checked = run("--config", directory, "config", "check", environment={"DISCORD_TOKEN": "any"})
    assert (checked.code, checked.errors) == (0, "\n")


# --- something is wrong ----------------------------------------------------------------------


def test_a_job_that_fails_fails_the_demo_and_is_named_at_the_end(tmp_path: Path) -> None:
    captions = tmp_path / "mumble.vtt"
    captions.write_text(MUMBLE)
    ended = run("demo", "--captions", str(captions))
    assert ended.code == 1
    assert "FAIL  2. Ledger" in ended.output
    assert ended.output.splitlines()[-1].startswith("the chain ended at keywords: expected words")


def test_a_job_that_would_be_tried_again_much_later_is_not_waited_for(tmp_path: Path) -> None:
    # Without Python on PATH the first plugin cannot start, and is put off for half a minute.
    ended = run("demo", environment={"PATH": str(tmp_path)})
    assert ended.code == 1
    assert "next try at" in ended.output
    assert "the chain ended at discord-receiver" in ended.output


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"1\n00:00:00,000 --> 00:00:02,000\nSubRip\n", 'begin with "WEBVTT"'),
        (b"\xff\xfeW\0E\0B\0", "expected captions in UTF-8"),
        (None, "No such file or directory"),
    ],
)
def test_captions_that_are_none_are_asked_wrongly(
    tmp_path: Path, content: bytes | None, found: str
) -> None:
    captions = tmp_path / "captions"
    if content is not None:
        captions.write_bytes(content)
    ended = run("demo", "--captions", str(captions))
    assert ended.code == 2
    assert found in ended.errors
    assert f'"{captions}"; give a .vtt file' in ended.errors.replace(
        ": No such file or directory", ""
    )


def test_a_folder_that_holds_something_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("do not lose")
    ended = run("demo", "--keep", str(tmp_path))
    assert ended.code == 2
    assert "expected an empty directory for --keep" in ended.errors
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_interrupt_ends_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with process(("-m", "ductile", "demo"), environment={"TMPDIR": str(tmp_path)}) as demo:
        demo.wait_for("discord-receiver +succeeded")
        ended = demo.stop(signal.SIGINT)
    assert ended.code == 1
    assert "Traceback" not in ended.errors
    assert list(tmp_path.iterdir()) == []
