from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.expressions.errors import ExpressionError, MissingPath
from ductile.expressions.paths import Path
from tests.unit.expressions.scopes import JSON

SCOPE: dict[str, Any] = {
    "payload": {
        "video": {"id": "v1", "title": "A speech", "a.b": 1, "": 2, "0": "zero"},
        "items": [{"id": "first"}, {"id": "second"}],
        "nothing": None,
        "text": "abc",
        "empty": {},
        "none": [],
    }
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("payload", SCOPE["payload"]),
        ("payload.video.id", "v1"),
        ("payload.items.1.id", "second"),
        ('payload.video."a.b"', 1),
        ('payload.video.""', 2),
        ("payload.video.0", "zero"),
        ('payload."video"."\\u0069d"', "v1"),
        ("payload.nothing", None),
    ],
)
def test_a_path_leads_to_a_value(text: str, value: Any) -> None:
    assert Path.parse(text).resolve(SCOPE) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("payload.text.id", 'payload.text.id: expected an object at "payload.text", found text'),
        ("payload.text.id.x.y", 'expected an object at "payload.text", found text'),
        ("payload.nothing.id", 'expected an object at "payload.nothing", found null'),
        ("payload.text.0", 'expected an object at "payload.text", found text'),
        (
            "payload.video.url",
            'expected an object with the key "url" at "payload.video", '
            'found the keys "id", "title", "a.b" and 2 more',
        ),
        (
            "payload.empty.url",
            'expected an object with the key "url" at "payload.empty", found an empty object',
        ),
        (
            "payload.items.2",
            'expected a list with an element 2 at "payload.items", found a list of 2',
        ),
        ("payload.items.id", 'expected an object at "payload.items", found a list of 2'),
        ("payload.none.0", 'an element 0 at "payload.none", found an empty list'),
        ("payload.items.01", 'expected an object at "payload.items", found a list of 2'),
        ("payload.items.-1", 'expected an object at "payload.items", found a list of 2'),
        ("context.a", 'context.a: expected a value at "context", found only "payload"'),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_stopped_and_what_is_there(
    text: str, message: str
) -> None:
    with pytest.raises(MissingPath) as caught:
        Path.parse(text).resolve(SCOPE)
    assert str(caught.value).endswith(message)


def test_null_exists() -> None:
    assert Path.parse("payload.nothing").exists(SCOPE)


def test_what_leads_nowhere_does_not_exist() -> None:
    assert not Path.parse("payload.nothing.id").exists(SCOPE)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ('payload."a"."b.c"', 'payload.a."b.c"'),
        ('payload."\\u0061"', "payload.a"),
        ('payload."a\\"b"', 'payload."a\\"b"'),
        ("payload.größe.a-b", "payload.größe.a-b"),
    ],
)
def test_a_path_is_written_with_quotes_only_where_they_are_needed(
    text: str, canonical: str
) -> None:
    assert str(Path.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("paylod.url", 'found "paylod"', 'did you mean "payload"?'),
        ("failure.step", 'begins with "context" or "payload"', "payload.url"),
        ("", "expected a path, found nothing", "payload.url"),
        ("{payload.url}", "expected a path", "without braces"),
        ("payload.", "expected a key after the dot", "double quotes"),
        ("payload..url", "expected a key after the dot", "double quotes"),
        ('payload."a', "expected a key after the dot", "double quotes"),
        ('payload."\\q"', "as JSON writes it", "two backslashes"),
        ('payload."\\ud800"', "as JSON writes it", "two backslashes"),
        ("payload.items[0]", 'behind "payload.items", found "[0]"', "payload.items.0"),
        ("payload.a b", 'found " b"', "double quotes"),
        ("payload.a?", 'found "?"', "double quotes"),
    ],
)
def test_a_wrong_path_is_refused_with_a_remedy(text: str, message: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Path.parse(text, roots=("payload", "context"))
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


@given(st.lists(st.text()))
def test_any_keys_survive_writing_and_reading(keys: list[str]) -> None:
    path = Path("payload", tuple(keys))
    assert Path.parse(str(path)) == path


@given(st.text() | st.text(alphabet='payloadcontext."\\[]{}?| 0'))
def test_any_text_is_a_path_or_an_expression_error(text: str) -> None:
    try:
        path = Path.parse(text)
    except ExpressionError:
        return
    assert Path.parse(str(path)) == path


@given(JSON, st.lists(st.sampled_from(["a", "b", "0", "1", ""]), max_size=3))
def test_a_path_resolves_exactly_where_it_exists(value: Any, keys: list[str]) -> None:
    path = Path("payload", tuple(keys))
    try:
        path.resolve({"payload": value})
    except MissingPath:
        assert not path.exists({"payload": value})
    else:
        assert path.exists({"payload": value})
