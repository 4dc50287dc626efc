from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.expressions.errors import ExpressionError
from ductile.expressions.patterns import MAX_SUBJECT, matcher


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(a", "the pattern is no regular expression: unclosed group"),
        ("a)|(b", "the pattern is no regular expression: unopened group"),
        ("(?=a)", "look-around, including look-ahead and look-behind, is not supported"),
        (r"(a)\1", "backreferences are not supported"),
        ("(?x)a b # c", "without the flag x"),
        ("a" * 201, "at most 200 characters, found 201"),
        ("(a?){5000}", "its counts multiply to more than its length allows"),
        ("((a?){30}){30}", "its counts multiply to more than its length allows"),
        (r"\w{400}", "it is too large when compiled"),
    ],
)
def test_a_pattern_that_is_wrong_or_costly_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        matcher(pattern)
    assert message in caught.value.message


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "a*a*a*a*a*a*b", "(a?b?c?){90}"])
def test_a_pattern_that_is_catastrophic_elsewhere_is_matched_in_no_time(pattern: str) -> None:
    assert not matcher(pattern)("a" * (MAX_SUBJECT - 1) + "!")


def test_a_text_over_the_limit_never_matches() -> None:
    assert matcher("a*")("a" * MAX_SUBJECT)
    assert not matcher("a*")("a" * (MAX_SUBJECT + 1))


def test_counts_in_escapes_and_flags_after_an_escaped_bracket_are_text() -> None:
    assert matcher(r"\(?x\{9999}")("(x{9999}")


@given(st.text(alphabet="ab|()*+?.[]^$\\{}0123456789x#:- ", max_size=30), st.text("ab"))
def test_any_text_is_a_pattern_or_an_expression_error(pattern: str, subject: str) -> None:
    try:
        matches = matcher(pattern)
    except ExpressionError:
        return
    assert matches(subject) in (True, False)


@given(st.text("ab|()*+?.", max_size=10), st.text("ab", max_size=8))
def test_a_simple_pattern_matches_as_it_does_in_python(pattern: str, subject: str) -> None:
    try:
        matches, python = matcher(pattern), re.compile(pattern)
    except (ExpressionError, re.error):
        return
    # Python 3.11 reads `a*+` as possessive, the other engine as a repetition of a repetition.
    if not re.search(r"[*+?]\+", pattern):
        assert matches(subject) is (python.fullmatch(subject) is not None)
