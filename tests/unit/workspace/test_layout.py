"""The names in the root."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.model.ids import JobId
from ductile.workspace.interfaces import WorkspaceKey
from ductile.workspace.layout import (
    is_ours,
    is_temporary,
    key_of,
    name_of,
    new_temporary_name,
    quoted,
)

AN_ID = JobId("01234567-89ab-7def-8123-456789abcdef")


@given(st.integers(1, 999_999_999))
def test_a_name_leads_back_to_its_key(attempt: int) -> None:
    key = WorkspaceKey(AN_ID, attempt)
    assert key_of(name_of(key)) == key


@given(st.text())
def test_every_name_with_a_key_is_the_name_of_that_key(text: str) -> None:
    for name in (text, AN_ID + text, f"{AN_ID}.{text}"):
        key = key_of(name)
        assert key is None or name_of(key) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "x", AN_ID.upper(), f"{AN_ID}.", f"{AN_ID}.0", f"{AN_ID}.1"]
)
def test_no_second_name_leads_to_a_key(name: str) -> None:
    assert key_of(name) is None


@pytest.mark.parametrize("number", ["02", "-2", "2/..", "2\n", "٢", "1234567890"])
def test_only_plain_numbers_name_attempts(number: str) -> None:
    assert key_of(f"{AN_ID}.{number}") is None


def test_temporary_names_are_ours_and_have_no_key() -> None:
    name = new_temporary_name()
    assert (is_temporary(name), is_ours(name), key_of(name)) == (True, True, None)


@pytest.mark.parametrize("name", [".tmp-", ".tmp-x", f".tmp-{AN_ID}/..", f"tmp-{AN_ID}"])
def test_only_what_we_named_is_temporary(name: str) -> None:
    assert not is_temporary(name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a b", '"a b"'), ("é", '"é"'), ("a\nb", r'"a\nb"'), ("\udcff", r'"\udcff"')],
)
def test_names_in_messages_are_printable(name: str, shown: str) -> None:
    assert quoted(name) == shown
