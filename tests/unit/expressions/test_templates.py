from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ductile.expressions.errors import MissingPath
from ductile.expressions.paths import Path
from ductile.expressions.templates import Template
from ductile.expressions.texts import escape
from ductile.model.json import canonical
from tests.unit.expressions.scopes import JSON, SCOPES

SCOPE: dict[str, Any] = {
    "payload": {
        "url": "https://v/1",
        "n": 5,
        "half": 0.5,
        "yes": True,
        "nothing": None,
        "tags": ["b", "a"],
        "video": {"id": 1, "a": None},
        "a}b": "odd",
        "text": "{payload.n}",
    }
}


def a_template(raw: Any) -> Template:
    template, errors = Template.parse(raw)
    assert not errors
    assert template is not None
    return template


def rendered(raw: Any) -> Any:
    return a_template(raw).render(SCOPE)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{payload.url}", "https://v/1"),
        ("{payload.n}", 5),
        ("{payload.yes}", True),
        ("{payload.nothing}", None),
        ("{payload.tags}", ["b", "a"]),
        ("{payload.tags.1}", "a"),
        ("{payload.video}", {"id": 1, "a": None}),
        ("{ payload.n }", 5),
        ('{payload."a}b"}', "odd"),
        ("{payload.text}", "{payload.n}"),
    ],
)
def test_a_placeholder_alone_keeps_the_type(text: str, value: Any) -> None:
    assert rendered(text) == value
    assert type(rendered(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("see {payload.url}!", "see https://v/1!"),
        ("{payload.n}{payload.half}", "50.5"),
        (" {payload.n}", " 5"),
        ("{payload.n}\n", "5\n"),
        ("{payload.yes}/{payload.nothing}", "true/null"),
        ("{payload.tags} {payload.video}", '["b","a"] {"a":null,"id":1}'),
        ("a{payload.x?}b", "ab"),
        ("a {payload.x|none} b", "a none b"),
        ("a {payload.x|[1, {}]} b", "a [1,{}] b"),
        ("{{payload.n}}", "{payload.n}"),
        ("{{{payload.n}}}", "{5}"),
        ("{{", "{"),
        ("", ""),
    ],
)
def test_a_mixed_text_becomes_text(text: str, value: str) -> None:
    assert rendered(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{payload.x|5}", 5),
        ("{payload.x|null}", None),
        ("{payload.x|true}", True),
        ("{payload.x|}", ""),
        ("{payload.x|plain text}", "plain text"),
        ("{payload.x| plain }", "plain"),
        ('{payload.x|" kept "}', " kept "),
        ('{payload.x|"5"}', "5"),
        ('{payload.x|"}{"}', "}{"),
        ('{payload.x|{"a": {"b": "}"}} }', {"a": {"b": "}"}}),
        ('{payload.x | ["a", 1]}', ["a", 1]),
        ("{payload.n|7}", 5),
        ("{payload.nothing|7}", None),
        ("{payload.nothing.id|7}", 7),
        ("{context.x|7}", 7),
    ],
)
def test_a_default_stands_in_for_what_is_missing(text: str, value: Any) -> None:
    assert rendered(text) == value


def test_what_is_optional_and_missing_is_left_out_of_an_object() -> None:
    assert rendered({"a": "{payload.x?}", "b": "{payload.n?}"}) == {"b": 5}


def test_what_is_optional_and_missing_is_null_in_a_list() -> None:
    assert rendered(["{payload.x?}", "{payload.n?}"]) == [None, 5]


def test_what_is_optional_and_missing_is_null_by_itself() -> None:
    assert rendered("{payload.x?}") is None


def test_what_is_null_is_not_left_out() -> None:
    assert rendered({"a": "{payload.nothing?}"}) == {"a": None}


def test_keys_are_taken_as_they_are() -> None:
    assert rendered({"{payload.n}": {"a": ["{payload.n}"]}}) == {"{payload.n}": {"a": [5]}}


@pytest.mark.parametrize("text", ["{payload.video.url}", "see {payload.video.url}"])
def test_a_missing_path_is_named_with_what_is_there_instead(text: str) -> None:
    with pytest.raises(MissingPath) as caught:
        rendered({"a": [text]})
    assert str(caught.value) == (
        'payload.video.url: expected an object with the key "url" at "payload.video", '
        'found the keys "id", "a"'
    )


def test_the_paths_are_listed_once_in_the_order_of_writing() -> None:
    template = a_template({"b": "{payload.n} {context.x?}", "a": ["{payload.n}", 1]})
    assert template.paths() == (Path("payload", ("n",)), Path("context", ("x",)))


# --- the canonical form ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ("{ payload.n }", "{payload.n}"),
        ("{payload.x|plain}", '{payload.x | "plain"}'),
        ('{payload.x|{"a":1,"b":2}}', '{payload.x|{"b": 2, "a": 1}}'),
        ('{payload."n"?}', "{payload.n?}"),
    ],
)
def test_templates_that_mean_the_same_are_equal(one: Any, other: Any) -> None:
    assert a_template(one) == a_template(other)
    assert canonical(a_template(one).canonical()) == canonical(a_template(other).canonical())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        ("1", 1),
        ("{payload.n}", "{{payload.n}}"),
        ("{payload.n}", "{payload.n?}"),
        ("{payload.n|1}", '{payload.n|"1"}'),
        ("{payload.n}", " {payload.n}"),
        ([1, 2], [2, 1]),
    ],
)
def test_templates_that_mean_something_else_differ(one: Any, other: Any) -> None:
    assert a_template(one) != a_template(other)


# --- mistakes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{payload.url", '"{" is never closed in "{payload.url"', "{{"),
        ("{payload.x|[1}", '"{" is never closed', "{{"),
        ("a } b", '"}" without "{" in "a } b"', "}}"),
        ("{}", 'expected a path, found "}"', "{{"),
        ('{"a": 1}', "expected a path, found", "{{"),
        ("{paylod.url}", 'found "paylod"', 'did you mean "payload"?'),
        ("{payload.a b}", 'expected "}", "?" or "|" behind "{payload.a ", found "b}"', "operators"),
        ("{payload.a?|5}", 'expected "}" behind', "operators"),
        ('{payload.x|{"a": tru}}', "is not JSON", "double quotes"),
        ("{payload.x|[draft]}", 'default "[draft]" is not JSON', "double quotes"),
        ("{payload.x|a{b}", '"{" in the default "a{b"', "double quotes"),
        (f"{{payload.x|{'[' * 40}{']' * 40}}}", "at most 32 deep", ""),
    ],
)
def test_a_wrong_text_is_refused_with_a_remedy(text: str, message: str, hint: str) -> None:
    template, errors = Template.parse({"a": ["ok", text]})
    assert template is None
    assert [error.at for error in errors] == [("a", 1)]
    assert message in errors[0].message
    assert hint in (errors[0].hint or "")


def test_all_mistakes_are_found_at_once() -> None:
    _, errors = Template.parse({"a": "{x.y} {payload..z}", "b": ["{payload.url", {"c": "}"}]})
    assert [error.at for error in errors] == [("a",), ("a",), ("b", 0), ("b", 1, "c")]


def test_nothing_is_said_about_what_follows_a_placeholder_without_end() -> None:
    _, errors = Template.parse("{payload.x|[1} {x.y}")
    assert [error.message for error in errors] == ['"{" is never closed in "{payload.x|[1} {x.y}"']


def test_a_placeholder_that_lost_its_quotes_is_recognised() -> None:
    _, errors = Template.parse({"url": {"payload.url": None}})
    assert [(error.at, error.hint) for error in errors] == [
        (("url",), 'write "{payload.url}" in quotes')
    ]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (float("inf"), "the number is too large for JSON"),
        (2**64, "the number is too large for JSON"),
        ("\ud800", "the text is not valid Unicode"),
        ({1: 2}, "expected text for a key, found 1"),
        (b"x", "expected a JSON value, found bytes"),
    ],
)
def test_what_json_cannot_hold_is_refused(raw: Any, message: str) -> None:
    _, errors = Template.parse([raw])
    assert [(error.message, error.at) for error in errors] == [(message, (0,))]


def test_lists_and_objects_may_be_32_deep_and_no_deeper() -> None:
    raw: Any = 1
    for _ in range(32):
        raw = [raw]
    assert rendered(raw) == raw
    template, errors = Template.parse([raw])
    assert template is None
    assert len(errors) == 1


# --- properties ------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    ["{", "}", "{{", "}}", "payload", "context", ".a", ".0", '."a.b"', "?", "|", '"', "[", "1", " "]
)
_TEXTS = st.lists(_PIECES, max_size=12).map("".join)
_PLACEHOLDERS = st.sampled_from(
    ["{payload.a}", "{context?}", "{payload.b?}", "{payload.0|1}", '{payload."a.b"|{"b":1,"a":[]}}']
)
_GOOD_TEXTS = st.lists(_PLACEHOLDERS | st.text(max_size=5).map(escape), max_size=4).map("".join)
_TEMPLATES = st.recursive(
    _GOOD_TEXTS | st.integers(0, 3) | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)


def has_braces(value: Any) -> bool:
    if isinstance(value, str):
        return "{" in value or "}" in value
    if isinstance(value, dict):
        return any(map(has_braces, value.values()))
    return isinstance(value, list) and any(map(has_braces, value))


@given(JSON | _TEXTS | st.dictionaries(st.text(), _TEXTS))
def test_any_json_is_a_template_or_has_errors(raw: Any) -> None:
    template, errors = Template.parse(raw)
    assert (template is None) is bool(errors)


@given(JSON, SCOPES)
def test_a_template_without_braces_renders_to_itself(raw: Any, scope: Any) -> None:
    assume(not has_braces(raw))
    assert canonical(a_template(raw).render(scope)) == canonical(raw)


@given(st.text(), SCOPES)
def test_escaped_text_renders_to_itself(text: str, scope: Any) -> None:
    assert a_template(escape(text)).render(scope) == text


@given(_TEMPLATES, SCOPES)
def test_rendering_gives_json_or_misses_a_path_of_the_template(raw: Any, scope: Any) -> None:
    template = a_template(raw)
    if all(path.exists(scope) for path in template.paths()):
        canonical(template.render(scope))
    else:
        with suppress(MissingPath):
            template.render(scope)


@given(_TEMPLATES, SCOPES)
def test_rendering_does_not_change_the_scope(raw: Any, scope: Any) -> None:
    before = deepcopy(scope)
    with suppress(MissingPath):
        a_template(raw).render(scope)
    assert repr(scope) == repr(before)


@given(_TEMPLATES, SCOPES)
def test_the_canonical_form_is_the_same_template(raw: Any, scope: Any) -> None:
    template = a_template(raw)
    again = a_template(template.canonical())
    assert again == template
    try:
        expected = template.render(scope)
    except MissingPath:
        with pytest.raises(MissingPath):
            again.render(scope)
    else:
        assert canonical(again.render(scope)) == canonical(expected)


@given(JSON)
def test_a_reference_gives_the_very_value(value: Any) -> None:
    assert a_template("{payload.x}").render({"payload": {"x": value}}) is value
