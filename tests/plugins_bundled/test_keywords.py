"""keywords: a plugin in POSIX shell."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.plugins_bundled.process import ENVIRONMENT, Bench, executable


def test_the_words_used_most_come_first_and_ties_by_alphabet(bench: Bench) -> None:
    bench.write("transcript.txt", "Peace, war; peace. The War the the PEACE\nbattle! an orphan's")
    response = bench.run("keywords", {})
    assert bench.read("keywords.txt").splitlines() == ["peace", "war", "battle", "orphan"]
    assert response.updates == {"keywords": ["peace", "war", "battle", "orphan"]}
    assert bench.files() == {"transcript.txt", "keywords.txt"}


def installed(*commands: str) -> list[str]:
    return [command for command in commands if shutil.which(command.split()[0])]


SHELLS = installed("sh", "dash", "bash --posix", "busybox sh", "ksh", "mksh", "yash")
AWKS = installed("mawk", "gawk", "busybox", "original-awk")


@pytest.mark.parametrize("shell", SHELLS)
def test_any_shell_finds_the_same(bench: Bench, shell: str) -> None:
    command = shell.split()
    bench.write("transcript.txt", "liberty and union, one union\n" * 3)
    response = bench.execute([*command, str(executable("keywords"))], "")
    assert response.updates == {"keywords": ["union", "liberty"]}


@pytest.mark.parametrize("awk", AWKS)
def test_any_awk_finds_the_same(bench: Bench, tmp_path: Path, awk: str) -> None:
    (tmp_path / "awk").symlink_to(shutil.which(awk) or awk)
    bench.write("transcript.txt", "\u201cDon\u2019t forget\u201d\u2014 caf\u00e9, caf\u00e9 \u2026")
    path = {**ENVIRONMENT, "PATH": f"{tmp_path}:{ENVIRONMENT['PATH']}"}
    response = Bench(bench.workspace, path).run("keywords", {})
    assert response.updates == {"keywords": ["caf\u00e9", "forget"]}


def test_quotes_backslashes_and_control_characters_do_not_reach_the_answer(bench: Bench) -> None:
    bench.write("transcript.txt", 'back\\slash "quoted" tab\tbell\x07 {"status": "error"}\r\n')
    words = bench.run("keywords", {}).updates["keywords"]
    assert set(words) == {"slash", "quoted", "tab", "bell", "status", "error"}


def test_the_number_of_words_comes_from_the_environment(bench: Bench) -> None:
    bench.write("transcript.txt", "alpha beta gamma delta " * 2)
    one = Bench(bench.workspace, {**ENVIRONMENT, "KEYWORDS_LIMIT": "1"})
    assert one.run("keywords", {}).updates == {"keywords": ["alpha"]}


@pytest.mark.parametrize("limit", ["0", "-1", "many", 'a"b\\c\nd'])
def test_a_number_that_is_none_is_refused_in_sound_json(bench: Bench, limit: str) -> None:
    bench.write("transcript.txt", "alpha")
    odd = Bench(bench.workspace, {**ENVIRONMENT, "KEYWORDS_LIMIT": limit})
    response = odd.run("keywords", {})
    shown = limit.replace("\n", " ")
    assert response.error == f'expected a number above 0 in KEYWORDS_LIMIT, found "{shown}"'
    assert not response.retry


@pytest.mark.parametrize(
    ("transcript", "words"),
    [
        (None, "expected transcript.txt in the workspace, found none; put a step"),
        ("", "expected words in transcript.txt, found none"),
        ("it is as it was\n", "expected words in transcript.txt, found none"),
    ],
)
def test_without_words_it_fails_for_good(bench: Bench, transcript: str | None, words: str) -> None:
    if transcript is not None:
        bench.write("transcript.txt", transcript)
    response = bench.run("keywords", {})
    assert words in response.error
    assert not response.retry
    assert "keywords.txt" not in bench.files()


def test_the_list_of_common_words_must_be_there(bench: Bench, tmp_path: Path) -> None:
    alone = shutil.copy2(executable("keywords"), tmp_path)
    bench.write("transcript.txt", "alpha")
    assert "expected stopwords.txt beside the script" in bench.execute([str(alone)], "").error


def test_the_list_of_common_words_is_in_order_and_without_repeats() -> None:
    lines = executable("keywords").with_name("stopwords.txt").read_text(encoding="utf-8")
    repeated = [word for word, count in Counter(lines.split()).items() if count > 1]
    assert repeated == []
