from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.documents.problems import Place, Problem, in_order, quoted, refuses
from ductile.documents.render import render, to_json

PLACE = Place("pipelines.yaml", 6, 15, 17, "        uses: youtube_transcrpt")
PROBLEM = Problem(
    'no plugin named "youtube_transcrpt"', PLACE, 'did you mean "youtube_transcript"?'
)


def a_problem(text: str, column: int, length: int = 1) -> Problem:
    return Problem("wrong", Place("a.yaml", 1, column, length, text))


def excerpt(problem: Problem) -> tuple[str, str]:
    """The line of the source and the line of the carets, without their gutters."""
    lines = render([problem]).splitlines()
    return lines[1].split("| ", 1)[1], lines[2].split("| ", 1)[1]


def test_a_problem_is_shown_with_its_line_carets_and_remedy() -> None:
    unknown = Problem(
        'unknown key "whit" in a step',
        Place("pipelines.yaml", 9, 9, 4, "        whit:"),
        'did you mean "with"?',
    )
    assert render([PROBLEM, unknown]) == (
        'pipelines.yaml:6:15: no plugin named "youtube_transcrpt"\n'
        "    6 |         uses: youtube_transcrpt\n"
        "      |               ^^^^^^^^^^^^^^^^^\n"
        '      = did you mean "youtube_transcript"?\n'
        "\n"
        'pipelines.yaml:9:9: unknown key "whit" in a step\n'
        "    9 |         whit:\n"
        "      |         ^^^^\n"
        '      = did you mean "with"?\n'
        "\n"
        "2 problems in 1 file. Nothing was loaded.\n"
    )


def test_a_problem_without_a_place_is_only_a_sentence() -> None:
    text = render([Problem("too many files", hint="remove some")])
    assert text == "too many files\n      = remove some\n\n1 problem. Nothing was loaded.\n"


def test_without_problems_there_is_nothing_to_show() -> None:
    assert render([]) == ""


def test_the_caller_says_how_many_files_there_are_and_what_follows() -> None:
    text = render([PROBLEM], files=3, consequence="The gateway keeps what it had.")
    assert text.endswith("1 problem in 3 files. The gateway keeps what it had.\n")


def test_warnings_are_called_so_and_counted_apart() -> None:
    warning = Problem("unknown key", PLACE, warning=True)
    text = render([PROBLEM, warning])
    assert "pipelines.yaml:6:15: warning: unknown key\n" in text
    assert text.endswith("1 problem and 1 warning in 1 file. Nothing was loaded.\n")


def test_warnings_alone_have_no_consequence() -> None:
    assert render([Problem("x", PLACE, warning=True)]).endswith("\n1 warning in 1 file.\n")


def test_tabs_keep_the_carets_under_their_text() -> None:
    line, carets = excerpt(a_problem("\ta:\tbad", 5, 3))
    assert line.index("bad") == carets.index("^^^")


def test_wide_characters_keep_the_carets_under_their_text() -> None:
    line, carets = excerpt(a_problem("日本: bad", 5, 3))
    assert carets == " " * (len(line) - 3 + 2) + "^^^"


def test_combining_characters_take_no_column() -> None:
    _, carets = excerpt(a_problem("e\u0301: bad", 5, 3))
    assert carets == "   ^^^"


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    line, carets = excerpt(a_problem("x" * 5000 + "bad" + "y" * 5000, 5001, 3))
    assert len(line) <= 102
    assert line[carets.index("^") :].startswith("bad")
    assert (line[0], line[-1]) == ("…", "…")


def test_a_place_behind_the_end_of_a_line_has_one_caret() -> None:
    assert excerpt(a_problem("abc", 4)) == ("abc", "   ^")


def test_line_numbers_of_six_digits_stay_in_line() -> None:
    text = render([Problem("x", Place("a", 123456, 1, 1, "abc"))]).splitlines()
    assert text[1].index("|") == text[2].index("|")


@pytest.mark.parametrize("character", ["\x1b", "\x00", "\u202e", "\u200b", "\u2028", "\ud800"])
def test_nothing_that_moves_the_cursor_or_hides_text_is_shown(character: str) -> None:
    text = f"a{character}b"
    problem = Problem(text, Place(text, 1, 1, 1, text), text)
    assert character not in render([problem])


@given(st.text(), st.integers(1, 300), st.integers(1, 300))
def test_whatever_the_line_is_the_picture_is_printable(text: str, column: int, length: int) -> None:
    picture = render([Problem("wrong", Place("a.yaml", 1, column, length, text))])
    assert len(picture.splitlines()) == (5 if text else 3)
    assert not any(unicodedata.category(c) in ("Cc", "Cf") for c in picture.replace("\n", ""))


def test_programs_get_one_object_per_problem() -> None:
    assert to_json([PROBLEM, Problem("x", warning=True)]) == [
        {
            "file": "pipelines.yaml",
            "line": 6,
            "column": 15,
            "message": 'no plugin named "youtube_transcrpt"',
            "hint": 'did you mean "youtube_transcript"?',
            "severity": "error",
        },
        {
            "file": None,
            "line": None,
            "column": None,
            "message": "x",
            "hint": None,
            "severity": "warning",
        },
    ]


def test_problems_are_ordered_by_file_line_and_column() -> None:
    places = [("b", 1, 1), ("a", 2, 1), ("a", 1, 9), ("a", 1, 2)]
    problems = [Problem("x", Place(*place)) for place in places]
    assert in_order([*problems, Problem("x")]) == [Problem("x"), *reversed(problems)]


def test_only_warnings_refuse_nothing() -> None:
    assert not refuses([Problem("x", warning=True)])
    assert refuses([Problem("x", warning=True), Problem("y")])


def test_long_values_are_cut_in_messages() -> None:
    assert len(quoted("x" * 1000)) == 62
