from __future__ import annotations

import pytest

from ductile.dsl.definition import restore
from ductile.errors import ConfigurationError
from tests.unit.dsl.builders import a_pipeline, compiled, steps_text

FORM = '{"entries":["a"],"format":1,"name":"p","on":"x","steps":'


def test_a_hash_names_its_algorithm() -> None:
    algorithm, digest = a_pipeline("[{uses: echo}]").hash.split(":")
    assert (algorithm, len(digest)) == ("blake3", 64)


def test_the_hash_of_a_pipeline_is_the_same_for_ever() -> None:
    # A change of this value makes new versions of everybody's pipelines.
    pipeline = a_pipeline("[{uses: echo, timeout: 90s}, {split: [{uses: fetch}, {uses: notify}]}]")
    assert pipeline.definition == (
        '{"entries":["echo"],"format":1,"name":"p","on":"started","steps":{'
        '"echo":{"command":"handle","next":["fetch","notify"],"plugin":"echo","timeout":"1m30s"},'
        '"fetch":{"command":"handle","plugin":"fetch"},'
        '"notify":{"command":"handle","plugin":"notify"}}}'
    )


def test_a_version_of_the_first_format_is_restored() -> None:
    pipeline = restore(
        '{"entries":["echo"],"format":1,"name":"p","on":"started","steps":{'
        '"echo":{"backoff_base":"5s","command":"handle","max_attempts":2,'
        '"next":["fetch","notify"],"plugin":"echo","timeout":"1m30s","workspace":"copy"},'
        '"fetch":{"command":"handle","plugin":"fetch"},'
        '"notify":{"command":"poll","plugin":"notify"}}}'
    )
    assert pipeline == a_pipeline(
        "[{uses: echo, timeout: 90s, workspace: copy, retry: {max_attempts: 2, backoff_base: 5s}},"
        " {split: [{uses: fetch}, {uses: notify.poll, id: notify}]}]"
    )


def test_the_hash_of_the_whole_language_is_the_same_for_ever() -> None:
    # A change of this value makes new versions of everybody's pipelines.
    catalogue = compiled(
        "pipelines: [{name: p, on: [b, a], from: cli, timeout: 30m,"
        " if: {path: payload.x, op: exists}, steps: [{uses: echo, retry: {backoff_cap: 5m},"
        " with: {a: '{payload.x?}'}, baggage: {b: payload.b}, on_events: {x: [g]}},"
        " {id: g, if: {path: payload.n, op: gt, value: 1.0},"
        " split: [{uses: fetch, if: {path: run.id, op: exists}}, {uses: archive}]},"
        " {uses: notify}], on_failure: [{uses: summary}], finally: [{uses: fetch}]}]"
    )
    assert catalogue.pipelines["p"].definition == (
        '{"entries":["echo"],"finally":["fetch-2"],"format":2,"from":"cli","gates":{"g:if":{'
        '"if":{"op":"gt","path":"payload.n","value":1},"next":["fetch","archive"],'
        '"otherwise":["notify:join"]}},"if":{"op":"exists","path":"payload.x"},'
        '"joins":{"notify:join":{"next":["notify"],"sources":["g:if","fetch","archive"]}},'
        '"name":"p","on":["a","b"],"on_failure":["summary"],"steps":{'
        '"archive":{"command":"handle","next":["notify:join"],"plugin":"archive"},'
        '"echo":{"backoff_cap":"5m","baggage":{"b":"payload.b"},"command":"handle",'
        '"on_events":{"x":["g:if"]},"plugin":"echo","with":{"a":"{payload.x?}"}},'
        '"fetch":{"command":"handle","if":{"op":"exists","path":"run.id"},'
        '"next":["notify:join"],"plugin":"fetch"},'
        '"fetch-2":{"command":"handle","plugin":"fetch"},'
        '"notify":{"command":"handle","plugin":"notify"},'
        '"summary":{"command":"handle","plugin":"summary"}},"timeout":"30m"}'
    )


def test_one_type_in_a_list_is_one_type() -> None:
    one = compiled("pipelines: [{name: p, on: [started], steps: [{uses: echo}]}]")
    assert one.pipelines["p"].hash == a_pipeline("[{uses: echo}]").hash


def test_a_change_of_a_called_pipeline_changes_its_callers() -> None:
    caller = steps_text("[{call: q}]")
    one = compiled(caller, steps_text("[{uses: echo}]", "q")).pipelines
    two = compiled(caller, steps_text("[{uses: echo, timeout: 1s}]", "q")).pipelines
    assert one["p"].hash != two["p"].hash


def test_the_event_type_of_a_called_pipeline_means_nothing_to_its_callers() -> None:
    caller = steps_text("[{call: q}]")
    one = compiled(caller, steps_text("[{uses: echo}]", "q", "x")).pipelines
    two = compiled(caller, steps_text("[{uses: echo}]", "q", "y")).pipelines
    assert one["p"].hash == two["p"].hash


def test_two_ways_to_write_one_duration_are_one_version() -> None:
    one = a_pipeline("[{uses: echo, timeout: 60s}]")
    two = a_pipeline("[{uses: echo, timeout: 1m}]")
    assert one.hash == two.hash


def test_what_a_step_does_by_default_may_be_written_out() -> None:
    one = a_pipeline("[{uses: echo}]")
    two = a_pipeline("[{uses: echo.handle, workspace: clone, retry: {}}]")
    assert one.hash == two.hash


def test_steps_that_are_only_grouped_differently_are_one_version() -> None:
    one = a_pipeline("[{uses: echo}, {uses: fetch}]")
    two = a_pipeline("[{steps: [{uses: echo}, {split: [{uses: fetch}]}]}]")
    assert one.hash == two.hash


def test_a_restored_pipeline_has_its_steps_in_the_order_of_the_file() -> None:
    pipeline = a_pipeline("[{uses: notify}, {split: [{uses: fetch}, {uses: archive}]}]")
    assert list(restore(pipeline.definition).steps) == ["notify", "fetch", "archive"]


@pytest.mark.parametrize(
    "definition",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '{"entries":["a"],"format":3,"name":"p","on":"x","steps":{}}',
        FORM + '{"a":{"plugin":"p"}}}',
        FORM + '{"a":{"plugin":"p","command":"c","timeout":"soon"}}}',
        FORM + '{"a":{"plugin":"p","command":"c","later":1}}}',
        FORM + '{"a":{"plugin":"p","command":"c","if":{"path":"x"}}}}',
        FORM + '{"a":{"plugin":"p","command":"c","with":{"a":"{x"}}}}',
        FORM + '{"a":{"plugin":"p","command":"c","baggage":{"a":"x"}}}}',
    ],
)
def test_a_definition_that_cannot_be_read_is_refused(definition: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        restore(definition)


@pytest.mark.parametrize(
    "steps",
    [
        "{}",
        '{"a":{"plugin":"p","command":"c","next":["b"]}}',
        '{"a":{"plugin":"p","command":"c","next":["a"]}}',
        '{"a":{"plugin":"p","command":"c"},"b":{"plugin":"p","command":"c"}}',
        '{"a":{"plugin":"p","command":"c","next":["j"]}},"joins":{"j":{"next":[],"sources":[]}}',
        '{"a":{"plugin":"p","command":"c","on_events":{"x":["b"]}}}',
    ],
)
def test_a_definition_whose_steps_are_no_graph_is_refused(steps: str) -> None:
    with pytest.raises(ConfigurationError, match="do not form a graph"):
        restore(FORM + steps + "}")
