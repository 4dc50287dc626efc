"""Reading a plugin's answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.errors import PluginError
from ductile.model.json import encode
from ductile.model.outcome import EmittedEvent, LogLine
from ductile.plugin.answer import (
    MAX_LOG_LINES,
    MAX_LOG_MESSAGE,
    MAX_NESTING,
    MAX_TEXT,
    Answer,
    read_answer,
)


def refusal(stdout: bytes) -> str:
    with pytest.raises(PluginError) as caught:
        read_answer(stdout)
    return str(caught.value)


def ok(**keys: Any) -> bytes:
    return encode({"status": "ok", **keys})


def nested(levels: int) -> bytes:
    """An answer of so many levels, its own included."""
    inside = b"[" * (levels - 2) + b"]" * (levels - 2)
    return b'{"status":"ok","state_updates":{"deep":' + inside + b"}}"


def test_a_full_answer_is_read() -> None:
    answer = read_answer(
        ok(
            result="two found",
            events=[{"type": "a.b", "payload": {"n": 1}, "dedupe_key": "k"}, {"type": "c"}],
            state_updates={"cursor": 7},
            logs=[{"level": "WARNING", "message": "slow"}],
        )
    )

    assert answer.error is None
    assert answer.response.result == "two found"
    assert answer.response.events == (
        EmittedEvent("a.b", {"n": 1}, "k"),
        EmittedEvent("c", {}, None),
    )
    assert answer.response.state_updates == {"cursor": 7}
    assert answer.logs == (LogLine("warn", "slow"),)


def test_white_space_around_the_answer_is_allowed() -> None:
    assert read_answer(b'\r\n {"status":"ok"}\n\n') == Answer()


def test_a_byte_order_mark_before_the_answer_is_passed_over() -> None:
    assert read_answer(b'\xef\xbb\xbf{"status":"ok"}') == Answer()


def test_unknown_keys_are_ignored() -> None:
    assert read_answer(ok(colour="blue")) == Answer()


def test_null_stands_for_a_key_that_is_left_out() -> None:
    keys = ("result", "error", "retry", "events", "state_updates", "logs")

    assert read_answer(ok(**dict.fromkeys(keys))) == Answer()


def test_of_a_key_that_stands_twice_the_last_value_counts() -> None:
    assert read_answer(b'{"status":"error","status":"ok"}') == Answer()


def test_a_large_integer_becomes_a_float() -> None:
    answer = read_answer(b'{"status":"ok","state_updates":{"n":' + b"9" * 30 + b"}}")

    assert answer.response.state_updates == {"n": 1e30}


def test_an_error_keeps_its_text_and_whether_to_try_again() -> None:
    answer = read_answer(b'{"status":"error","error":"gone","retry":false}')

    assert (answer.error, answer.retry) == ("gone", False)


def test_an_error_may_be_tried_again_unless_the_plugin_says_otherwise() -> None:
    assert read_answer(b'{"status":"error","error":"gone"}').retry


def test_events_and_state_updates_of_an_error_do_not_count() -> None:
    answer = read_answer(
        b'{"status":"error","error":"gone","events":[{"type":"x"}],"state_updates":{"a":1}}'
    )

    assert (answer.response.events, answer.response.state_updates) == ((), {})


ONE = "expected one JSON object on stdout"


@pytest.mark.parametrize(
    ("stdout", "message"),
    [
        (b"", f"{ONE}, found nothing; print the answer before the end"),
        (b" \n", f"{ONE}, found nothing; print the answer before the end"),
        (b"[1]", f'{ONE}, found a list: "[1]"'),
        (
            b'loading\n{"status":"ok"}',
            f'{ONE}, found something else at line 1, column 1: "loading {{"status":"ok"}}"; '
            "write progress and log text to stderr",
        ),
        (
            b'{"status":"ok"}\n{"status":"ok"}',
            f'{ONE}, found more behind it at line 2, column 1: "{{"status":"ok"}}"; '
            "print one answer and write everything else to stderr",
        ),
        (
            b'{"status":"ok","n":"\xff"}',
            f"{ONE}, found byte 0xff, which is not UTF-8, at line 1, column 21; "
            "encode the answer as UTF-8",
        ),
    ],
)
def test_what_is_not_one_object_is_explained(stdout: bytes, message: str) -> None:
    assert refusal(stdout) == message


@pytest.mark.parametrize(
    ("stdout", "position"),
    [
        (b'{"status":"ok",\n "n": NaN}', "line 2, column 7"),
        (b'{"status":"ok","n":1e999}', "line 1, column 20"),
        (b'{"status":"ok","n":"\\ud800"}', "line 1, column"),
        (b'{"status":"ok"', "line 1, column"),
    ],
    ids=["NaN", "infinity", "lone surrogate", "cut off"],
)
def test_an_error_in_the_json_is_shown_with_its_position(stdout: bytes, position: str) -> None:
    message = refusal(stdout)

    assert message.startswith(f"{ONE}, found an error at {position}")
    assert '"status":"ok' in message


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"status": None}, 'expected "status" to be "ok" or "error", found nothing'),
        ({"status": "done"}, 'expected "status" to be "ok" or "error", found "done"'),
        ({"status": 1}, 'expected "status" to be a string, found a number'),
        (
            {"status": "error"},
            'status is "error" but "error" says nothing; put the reason there',
        ),
        (
            {"status": "error", "error": " "},
            'status is "error" but "error" says nothing; put the reason there',
        ),
        ({"result": {}}, 'expected "result" to be a string, found an object'),
        ({"retry": "no"}, 'expected "retry" to be true or false, found a string'),
        ({"events": {}}, 'expected "events" to be a list, found an object'),
        ({"events": ["a"]}, 'expected "events[0]" to be an object, found a string'),
        ({"events": [{}]}, '"events[0].type" is missing; every event has a type'),
        ({"events": [{"type": " "}]}, '"events[0].type" is missing; every event has a type'),
        (
            {"events": [{"type": "a"}, {"type": "ductile.step.succeeded"}]},
            '"events[1].type" is "ductile.step.succeeded", but types that begin with "ductile." '
            "are the core's; choose another one",
        ),
        (
            {"events": [{"type": "a", "payload": [1]}]},
            'expected "events[0].payload" to be an object, found a list',
        ),
        (
            {"events": [{"type": "a", "dedupe_key": 5}]},
            'expected "events[0].dedupe_key" to be a string, found a number',
        ),
        ({"state_updates": [1]}, 'expected "state_updates" to be an object, found a list'),
        ({"logs": "text"}, 'expected "logs" to be a list, found a string'),
        ({"logs": ["text"]}, 'expected "logs[0]" to be an object, found a string'),
        (
            {"logs": [{"message": 5}]},
            'expected "logs[0].message" to be a string, found a number',
        ),
    ],
)
def test_a_value_of_the_wrong_form_is_named(keys: Mapping[str, Any], message: str) -> None:
    assert refusal(encode({"status": "ok", **keys})) == message


def test_nesting_is_allowed_up_to_the_limit() -> None:
    assert read_answer(nested(MAX_NESTING)).response.state_updates


@pytest.mark.parametrize("levels", [MAX_NESTING + 1, 1_000, 100_000])
def test_deeper_nesting_is_refused(levels: int) -> None:
    assert refusal(nested(levels)).startswith(ONE)


def test_brackets_in_text_are_no_nesting() -> None:
    assert read_answer(ok(result='["{' * MAX_NESTING)).error is None


def test_many_brackets_that_are_not_nested_are_allowed() -> None:
    assert read_answer(ok(state_updates={"list": [[]] * 1000})).error is None


def test_long_texts_are_cut_with_a_mark() -> None:
    answer = read_answer(
        encode({"status": "error", "error": "e" * (MAX_TEXT + 5), "result": "r" * MAX_TEXT})
    )

    assert answer.error == "e" * MAX_TEXT + "… (5 more characters)"
    assert answer.response.result == "r" * MAX_TEXT


def test_long_log_messages_are_cut_with_a_mark() -> None:
    answer = read_answer(ok(logs=[{"level": "info", "message": "m" * (MAX_LOG_MESSAGE + 1)}]))

    assert answer.logs[0].message == "m" * MAX_LOG_MESSAGE + "… (1 more characters)"


def test_log_lines_past_the_limit_are_counted() -> None:
    answer = read_answer(ok(logs=[{"message": "m"}] * (MAX_LOG_LINES + 3)))

    assert len(answer.logs) == MAX_LOG_LINES + 1
    assert answer.logs[-1] == LogLine("warn", "3 more lines were left out")


@pytest.mark.parametrize("level", [None, "", "loud"])
def test_a_level_that_is_not_known_counts_as_info(level: str | None) -> None:
    assert read_answer(ok(logs=[{"level": level, "message": "m"}])).logs[0].level == "info"


def either_read_or_explained(stdout: bytes) -> None:
    try:
        answer = read_answer(stdout)
    except PluginError as error:
        text = str(error)
    else:
        # What is kept can be written down again.
        encode([answer.response.state_updates, [e.payload for e in answer.response.events]])
        text = "read"
    assert text
    assert "\n" not in text


@given(st.binary())
def test_any_bytes_are_read_or_explained(stdout: bytes) -> None:
    either_read_or_explained(stdout)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
keys = st.sampled_from(
    ["status", "result", "error", "retry", "events", "state_updates", "logs", "type", "payload"]
)
objects = st.dictionaries(keys, values | st.just("ok") | st.just("error"))
events = st.dictionaries(keys, values | st.lists(objects) | objects)


@given(events | values, st.booleans())
def test_any_json_is_read_or_explained(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)

    either_read_or_explained(text.encode(errors="surrogatepass"))


@given(st.integers(0, 60), st.integers(0, 255))
def test_an_answer_with_one_byte_changed_is_read_or_explained(index: int, byte: int) -> None:
    stdout = bytearray(ok(result="é", events=[{"type": "a", "payload": {"b": [1, 2.5]}}]))
    stdout[index % len(stdout)] = byte

    either_read_or_explained(bytes(stdout))
