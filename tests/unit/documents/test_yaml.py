from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.documents.problems import Place
from ductile.documents.yaml import Document, parse
from ductile.model.json import Json, encode


def value_of(text: str | bytes) -> Json:
    document, problems = parse(text, "a.yaml")
    assert problems == []
    assert document is not None
    return document.value


def a_document(text: str) -> Document:
    document, problems = parse(text, "a.yaml")
    assert problems == []
    assert document is not None
    return document


def the_problem(text: str | bytes) -> tuple[str, int, int]:
    """Message, line and column of the one problem of a text."""
    _, problems = parse(text, "a.yaml")
    (problem,) = problems
    assert problem.place is not None
    return problem.message, problem.place.line, problem.place.column


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("off", "off"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("12", 12),
        ("-7", -7),
        ("007", 7),
        ("0o17", 15),
        ("0xfF", 255),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("12:30:45", "12:30:45"),
        ("2001-12-14", "2001-12-14"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.", 1.0),
        ("-", [None]),
        ("'12'", "12"),
        ('"true"', "true"),
        ("18446744073709551615", 2**64 - 1),
        ("=", "="),
        ("5m", "5m"),
    ],
)
def test_plain_scalars_are_those_of_the_core_schema_of_yaml_1_2(text: str, value: Json) -> None:
    found = value_of(text)
    assert (found, type(found)) == (value, type(value))


def test_on_is_a_key_like_any_other() -> None:
    assert value_of("on: yes") == {"on": "yes"}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "\n\n", b""])
def test_an_empty_file_is_a_document_without_a_value(text: str | bytes) -> None:
    document, problems = parse(text, "a.yaml")
    assert document is not None
    assert (document.value, problems) == (None, [])


def test_block_and_flow_styles_nest() -> None:
    text = "a:\n  - b: [1, 2]\n    c: |\n      x\n      y\n  - d"
    assert value_of(text) == {"a": [{"b": [1, 2], "c": "x\ny\n"}, "d"]}


def test_an_alias_repeats_its_anchor() -> None:
    assert value_of("a: &x {b: 1}\nc: *x\nd: [*x]") == {
        "a": {"b": 1},
        "c": {"b": 1},
        "d": [{"b": 1}],
    }


def test_the_place_of_a_value_is_its_span() -> None:
    place = a_document("a:\n  - b: some text  # why\n").place(("a", 0, "b"))
    assert place == Place("a.yaml", 2, 8, 9, "  - b: some text  # why")


def test_the_place_of_a_value_of_many_lines_ends_with_its_first_line() -> None:
    place = a_document("a:\n  b: 1  \n  c: 2\n").place(("a",))
    assert (place.line, place.column, place.length) == (2, 3, 4)


def test_the_place_of_what_is_not_there_is_that_of_its_nearest_ancestor() -> None:
    document = a_document("a:\n  b: 1\n")
    assert document.place(("a", "x", "y")) == document.place(("a",))


def test_the_place_of_a_key_is_the_key() -> None:
    place = a_document("a:\n  some: 1\n").key_place(("a", "some"))
    assert (place.line, place.column, place.length) == (2, 3, 4)


@pytest.mark.parametrize("path", [(), (1,), ("x",)])
def test_the_place_of_a_key_that_is_not_there_is_that_of_the_value(
    path: tuple[str | int, ...],
) -> None:
    document = a_document("- a\n- b\n")
    assert document.key_place(path) == document.place(path)


def test_places_inside_of_an_alias_lead_to_its_anchor() -> None:
    document = a_document("a: &x {b: 1}\nc: *x\n")
    assert document.place(("c",)).line == 2
    assert document.place(("c", "b")).line == 1


def test_columns_count_characters_and_not_bytes() -> None:
    assert a_document("ü: {é: x}").place(("ü", "é")).column == 8


def test_values_are_found_by_their_path() -> None:
    document = a_document("a: [{b: 1}]")
    assert document.get(("a", 0, "b")) == 1
    assert document.get(("a", 1, "b")) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3", ('key "a" stands twice in one mapping', 3, 1)),
        ("a: {5: x}", ("expected a text as key, found the number 5", 1, 5)),
        ("true: x", ("expected a text as key, found true", 1, 1)),
        ("? [1]\n: x", ("expected a text as key, found a list", 1, 3)),
        ("<<: {a: 1}", ('merge keys ("<<") are not supported', 1, 1)),
        ("a: !!str 5", ('tag "!!str" is not supported', 1, 4)),
        ("a: !python/name:os.system x", ('tag "!python/name:os.system" is not supported', 1, 4)),
        ("a: ! x", ('tag "!" is not supported', 1, 4)),
        ("--- 1\n--- 2", ("a second document starts here", 2, 1)),
        ("a: *x", ('no anchor "&x" stands before this alias', 1, 4)),
        ("a: &x [*x]", ('alias "*x" stands inside of what it repeats', 1, 8)),
        ("a: .inf", ('".inf" is not a finite number', 1, 4)),
        ("a: 1e999", ('"1e999" is not a finite number', 1, 4)),
        ("a: .nan", ('".nan" is not a finite number', 1, 4)),
        ("a: 18446744073709551616", ('"18446744073709551616" does not fit into 64 bits', 1, 4)),
        ("a:\n\tb: 1", ("a tab cannot indent", 2, 1)),
        ("a: @b", ('a value cannot start with "@"', 1, 4)),
        ("a: b\x00", ("control character U+0000 is not allowed in YAML", 1, 5)),
        ("a: \x1b[31m", ("control character U+001B is not allowed in YAML", 1, 4)),
        ("a: \ud800", ("control character U+D800 is not allowed in YAML", 1, 4)),
        (b"a: 1\nb: \xff", ("byte 0xff is not UTF-8", 2, 4)),
        (b"\xef\xbb\xbfa: 1", ("a byte order mark is not allowed", 1, 1)),
        (b"\xff\xfea\x00", ("byte 0xff is not UTF-8", 1, 1)),
        ("a: b: c", ("this is not YAML: mapping values are not allowed in this context", 1, 5)),
        (
            "a: [1\nb: 2",
            (
                "this is not YAML: did not find expected ',' or ']', "
                "while parsing a flow sequence that starts in line 1",
                2,
                2,
            ),
        ),
    ],
)
def test_what_is_not_plain_data_is_a_problem_at_its_place(
    text: str | bytes, problem: tuple[str, int, int]
) -> None:
    assert the_problem(text) == problem


def test_the_first_of_two_equal_keys_counts() -> None:
    document, _ = parse("a: 1\na: 2", "a.yaml")
    assert document is not None
    assert document.value == {"a": 1}


def test_every_problem_of_a_readable_file_is_reported_at_once() -> None:
    _, problems = parse("a: !x 1\nb: .inf\nb: 2\n3: 4", "a.yaml")
    assert len(problems) == 4


def test_a_number_of_many_thousand_digits_is_a_problem() -> None:
    message, _, _ = the_problem(f"a: {'9' * 10_000}")
    assert message.endswith("does not fit into 64 bits")


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000])
def test_deep_nesting_is_a_problem(text: str) -> None:
    message, line, _ = the_problem(text)
    assert (message, line) == ("more than 64 levels are nested here", 1)


def test_aliases_that_multiply_are_a_problem() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    message, _, _ = the_problem("\n".join(lines))
    assert message == "aliases repeat more than 10000 values"


YAML_PIECES = st.sampled_from(
    [
        "a",
        ": ",
        "- ",
        "\n",
        "  ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "&x ",
        "*x",
        "!t ",
        "'",
        '"',
        "#",
        "|",
        ">",
        "?",
        "\t",
        "---\n",
        "...\n",
        "<<",
        "%YAML 1.2\n",
        "\r\n",
        "\u2028",
        "1",
        ".nan",
    ]
)


@given(st.lists(YAML_PIECES, max_size=40).map("".join))
def test_whatever_looks_like_yaml_comes_to_json_or_to_a_problem_with_a_place(text: str) -> None:
    document, problems = parse(text, "a.yaml")
    assert all(problem.place is not None and problem.place.line >= 1 for problem in problems)
    if document is None:
        assert problems
    else:
        encode(document.value)


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_crash_the_parser(data: bytes) -> None:
    document, problems = parse(data, "a.yaml")
    assert document is not None or problems


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.text()
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_json_is_yaml(value: Json) -> None:
    # YAML and JSON differ in how an astral character is escaped; and DEL must be.
    text = encode(value).decode()
    escaped = "".join(c if " " <= c < "\x7f" else f"\\U{ord(c):08x}" for c in text)
    assert value_of(escaped) == value
