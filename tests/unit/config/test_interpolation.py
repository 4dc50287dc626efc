"""Values from the environment, and keeping them to oneself."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml as plain_yaml
from hypothesis import given
from hypothesis import strategies as st

from ductile.config.interpolation import interpolate
from ductile.documents.yaml import Document, parse
from ductile.model.json import Json

from .loading import PUBLIC_KEY, SIGNED, accepted, endpoint, load


def a_document(text: str) -> Document:
    document, problems = parse(text, "config.yaml")
    assert problems == []
    assert document is not None
    return document


def value(text: str, **environment: str) -> Json:
    document, _, problems = interpolate(a_document(text), environment)
    assert problems == []
    return document.value


def refusals(text: str, **environment: str) -> list[str]:
    return [p.message for p in interpolate(a_document(text), environment)[2]]


def test_variables_are_replaced_in_all_values() -> None:
    text = 'a: "${A}"\nb: [x, {c: "<${A}${B}>"}]\nd: 5\n'

    assert value(text, A="1", B="") == {"a": "1", "b": ["x", {"c": "<1>"}], "d": 5}


def test_keys_are_left_alone() -> None:
    assert value('"${A}": 1\n', A="x") == {"${A}": 1}


def test_a_doubled_dollar_stands_for_itself_before_a_brace() -> None:
    assert value("a: $${A} $$ $5 {A}\n", A="x") == {"a": "${A} $$ $5 {A}"}


def test_a_value_cannot_add_yaml() -> None:
    assert value('a: "${A}"\n', A="1\nb: 2 # '\"") == {"a": "1\nb: 2 # '\""}


def test_what_a_variable_holds_is_not_looked_at_again() -> None:
    assert value("a: ${A}\n", A="${B}", B="x") == {"a": "${B}"}


def test_a_value_that_looks_like_a_number_stays_text() -> None:
    assert value("a: ${A}\n", A="5") == {"a": "5"}


def test_an_aliased_value_is_replaced_wherever_it_stands() -> None:
    assert value("a: &x ['$${', '${A}']\nb: *x\n", A="1") == {"a": ["${", "1"], "b": ["${", "1"]}


def test_places_stay_as_they_are_written() -> None:
    document, uses, _ = interpolate(a_document('a:\n  - "${A}"\n'), {"A": "long value"})

    place = document.place(("a", 0))
    assert (place.line, place.column, place.length) == (2, 5, 6)
    assert [(use.path, use.name, use.value) for use in uses] == [(("a", 0), "A", "long value")]


def test_the_original_document_is_not_changed() -> None:
    document = a_document("a: {b: '${A}'}\n")

    interpolate(document, {"A": "x"})

    assert document.value == {"a": {"b": "${A}"}}


def test_every_missing_variable_is_named_at_its_place() -> None:
    _, _, problems = interpolate(a_document("a: ${A}\nb: ${TOKN}\n"), {"TOKEN": "x"})

    assert [(p.message, p.place and p.place.line, p.hint) for p in problems] == [
        (
            'environment variable "A" is not set',
            1,
            "set it for the process that runs the gateway",
        ),
        (
            'environment variable "TOKN" is not set',
            2,
            'did you mean "TOKEN"? Otherwise set it for the process that runs the gateway',
        ),
    ]


@pytest.mark.parametrize("text", ["${", "${A", "${}", "${A B}", "${1}", "${A:-x}"])
def test_what_does_not_name_a_variable_is_a_problem(text: str) -> None:
    (message,) = refusals(f"a: '{text}'\n", A="x")

    assert message.endswith("does not name a variable")


def test_a_variable_that_is_not_utf_8_is_a_problem() -> None:
    assert refusals("a: ${A}\n", A="\udcff") == ['environment variable "A" is not UTF-8']


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_value_arrives_as_it_is(text: str) -> None:
    assert value("a: <${A}>\n", A=text) == {"a": f"<{text}>"}


@given(st.text(st.sampled_from("${}A_ b")))
def test_any_text_is_replaced_or_explained(text: str) -> None:
    document = a_document(plain_yaml.safe_dump({"a": text}, default_style='"'))

    result, uses, problems = interpolate(document, {"A": "x"})

    if "${" not in text:
        assert (result.value, uses, problems) == ({"a": text}, [], [])
    assert problems or "${" not in result.value["a"] or "$${" in text


# Secrets


def test_secrets_are_found_by_the_names_that_tell(tmp_path: Path) -> None:
    settings = accepted(
        tmp_path,
        "plugins:\n"
        "  a:\n"
        "    config:\n"
        "      apiKey: literal-key\n"
        "      sort_key: channel_id\n"
        "      base_url: https://example.org/\n"
        "      from: '${SLACK_WEBHOOK_URL}'\n"
        "      auth: {user: 'ada-lovelace', list: ['Bearer ${HEADER}']}\n"
        "      keyword: monkeys-and-keys\n"
        "      place: '${PLACE}'\n"
        "      translator: '${DEEPL_KEY}'\n" + endpoint(f"name: e, event: e, {SIGNED}"),
        {
            "HOME": "/home/ada",
            "SLACK_WEBHOOK_URL": "https://hooks/xyz",
            "HEADER": "header-value",
            "PLACE": "Greenwich",
            "DEEPL_KEY": "deepl-value",
        },
    )

    assert settings.secrets == {
        "literal-key",
        "https://hooks/xyz",
        "ada-lovelace",
        "Bearer header-value",
        "header-value",
        "deepl-value",
        "correct horse battery",
    }


def test_short_values_are_no_secrets(tmp_path: Path) -> None:
    settings = accepted(tmp_path, "plugins: {a: {config: {token: short}}}\n")

    assert settings.secrets == frozenset()


def test_settings_never_show_a_secret(tmp_path: Path) -> None:
    text = "plugins: {a: {config: {token: '${TOKEN}'}}}\n" + endpoint(
        f"name: e, event: e, {SIGNED}"
    )

    settings = accepted(tmp_path, text, {"HOME": "/", "TOKEN": "tok-123456"})

    shown = f"{settings} {settings!r} {settings.plugin('a')} {settings.webhooks}"
    assert "tok-123456" not in shown
    assert "correct horse" not in shown
    assert settings.plugin("a").config == {"token": "tok-123456"}


@pytest.mark.parametrize("value", ["s3cret", "s3cret" * 20], ids=["short", "long"])
def test_a_problem_names_the_variable_and_not_what_it_holds(tmp_path: Path, value: str) -> None:
    text = "service: {log_level: '${LEVEL}', max_workers: '${LEVEL}'}\n"

    _, _, problems = load(tmp_path, text, {"HOME": "/", "LEVEL": value})

    assert len(problems) == 2
    for problem in problems:
        assert "${LEVEL}" in problem.message
        assert "s3cret" not in f"{problem.message} {problem.hint}"


def test_a_missing_variable_is_the_only_problem_of_its_value(tmp_path: Path) -> None:
    text = endpoint("name: e, event: e, signature: {scheme: discord, public_key: '${KEY}'}")

    assert [p.message for p in load(tmp_path, text)[2]] == ['environment variable "KEY" is not set']
    assert load(tmp_path, text, {"HOME": "/", "KEY": PUBLIC_KEY})[2] == []
