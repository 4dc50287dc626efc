from __future__ import annotations

from datetime import timedelta

import pytest

from ductile.dsl.graph import Step
from ductile.model.policy import WorkspaceMode
from tests.unit.dsl.builders import a_pipeline, compiled, edges, steps_text


def test_steps_follow_each_other() -> None:
    pipeline = a_pipeline("[{uses: fetch}, {uses: summary}, {uses: notify}]")
    assert pipeline.entries == ("fetch",)
    assert edges(pipeline) == {"fetch": ("summary",), "summary": ("notify",), "notify": ()}


def test_a_step_without_options_leaves_them_to_the_plugin() -> None:
    assert a_pipeline("[{uses: fetch}]").steps["fetch"] == Step("fetch", "fetch", "handle")


def test_a_step_may_name_a_command() -> None:
    step = a_pipeline("[{uses: fetch.poll}]").steps["fetch-poll"]
    assert (step.plugin, step.command) == ("fetch", "poll")


def test_a_step_may_say_how_its_plugin_is_run() -> None:
    pipeline = a_pipeline(
        "[{uses: fetch, workspace: copy, timeout: 1h30m,"
        " retry: {max_attempts: 2, backoff_base: 5s}}]"
    )
    step = pipeline.steps["fetch"]
    assert step.workspace is WorkspaceMode.COPY
    assert step.timeout == timedelta(minutes=90)
    assert (step.max_attempts, step.backoff_base) == (2, timedelta(seconds=5))


def test_a_retry_says_only_what_it_says() -> None:
    step = a_pipeline("[{uses: fetch, retry: {max_attempts: 2}}]").steps["fetch"]
    assert (step.max_attempts, step.backoff_base) == (2, None)


def test_a_split_begins_all_its_branches() -> None:
    pipeline = a_pipeline(
        "[{uses: fetch}, {split: [{uses: notify}, {steps: [{uses: summary}, {uses: archive}]}]}]"
    )
    assert edges(pipeline) == {
        "fetch": ("notify", "summary"),
        "notify": (),
        "summary": ("archive",),
        "archive": (),
    }


def test_a_pipeline_may_begin_with_a_split() -> None:
    assert a_pipeline("[{split: [{uses: notify}, {uses: echo}]}]").entries == ("notify", "echo")


def test_nested_steps_are_steps_in_a_row() -> None:
    pipeline = a_pipeline(
        "[{uses: fetch}, {steps: [{uses: echo}, {uses: notify}]}, {uses: archive}]"
    )
    assert edges(pipeline) == {
        "fetch": ("echo",),
        "echo": ("notify",),
        "notify": ("archive",),
        "archive": (),
    }


def test_steps_may_be_nested_deep() -> None:
    pipeline = a_pipeline("[{steps: " * 28 + "[{uses: echo}]" + "}]" * 28)
    assert pipeline.entries == ("echo",)


def test_a_split_of_one_branch_may_be_followed() -> None:
    pipeline = a_pipeline("[{split: [{uses: fetch}]}, {uses: echo}]")
    assert edges(pipeline) == {"fetch": ("echo",), "echo": ()}


def test_steps_without_an_id_are_called_like_what_they_use_and_numbered() -> None:
    pipeline = a_pipeline(
        "[{uses: fetch}, {uses: fetch.poll}, {uses: fetch}, {uses: fetch.handle}]"
    )
    assert list(pipeline.steps) == ["fetch", "fetch-poll", "fetch-2", "fetch-3"]


def test_a_given_id_is_never_taken_by_a_step_without_one() -> None:
    pipeline = a_pipeline("[{uses: fetch}, {uses: echo, id: fetch}, {uses: echo, id: fetch-2}]")
    assert list(pipeline.steps) == ["fetch-3", "fetch", "fetch-2"]


def test_the_id_of_a_group_is_no_step() -> None:
    pipeline = a_pipeline("[{id: both, split: [{id: one, steps: [{uses: echo}]}, {uses: fetch}]}]")
    assert list(pipeline.steps) == ["echo", "fetch"]


def test_a_called_pipeline_becomes_a_part_of_its_caller() -> None:
    catalogue = compiled(
        steps_text("[{uses: fetch}, {call: inner}, {call: inner, id: again}, {uses: notify}]"),
        steps_text("[{uses: echo}, {uses: summary}]", "inner", "other"),
    )
    assert edges(catalogue.pipelines["p"]) == {
        "fetch": ("inner/echo",),
        "inner/echo": ("inner/summary",),
        "inner/summary": ("again/echo",),
        "again/echo": ("again/summary",),
        "again/summary": ("notify",),
        "notify": (),
    }


def test_a_call_in_a_called_pipeline_is_a_part_of_both() -> None:
    catalogue = compiled(
        steps_text("[{call: b}]", "a"),
        steps_text("[{call: c}, {uses: echo}]", "b"),
        steps_text("[{split: [{uses: fetch}]}]", "c"),
    )
    assert edges(catalogue.pipelines["a"]) == {"b/c/fetch": ("b/echo",), "b/echo": ()}


def test_the_options_of_a_called_step_are_kept() -> None:
    catalogue = compiled(
        steps_text("[{call: b}]", "a"), steps_text("[{uses: echo, timeout: 5s}]", "b")
    )
    assert catalogue.pipelines["a"].steps["b/echo"].timeout == timedelta(seconds=5)


def test_a_call_may_end_a_pipeline_in_branches() -> None:
    catalogue = compiled(
        steps_text("[{uses: fetch}, {call: b}]", "a"),
        steps_text("[{split: [{uses: echo}, {uses: notify}]}]", "b"),
    )
    assert edges(catalogue.pipelines["a"])["fetch"] == ("b/echo", "b/notify")


def test_a_pipeline_keeps_its_event_type_and_description() -> None:
    catalogue = compiled(
        "pipelines: [{name: p, description: For people., on: discord.message,"
        " steps: [{uses: echo}]}]"
    )
    pipeline = catalogue.pipelines["p"]
    assert (pipeline.on, pipeline.description) == (("discord.message",), "For people.")


def test_the_catalogue_finds_the_pipelines_of_a_type_by_name() -> None:
    catalogue = compiled(
        steps_text("[{uses: echo}]", "b"),
        steps_text("[{uses: fetch}]", "a"),
        steps_text("[{uses: fetch}]", "c", "other"),
    )
    assert [pipeline.name for pipeline in catalogue.by_type("started")] == ["a", "b"]
    assert catalogue.by_type("unheard-of") == ()
    assert catalogue.get("d") is None


def test_the_catalogue_cannot_be_changed() -> None:
    pipelines = compiled(steps_text("[{uses: echo}]")).pipelines
    with pytest.raises(TypeError):
        pipelines["q"] = pipelines["p"]  # type: ignore[index]  # this is what is refused


def test_the_nodes_of_a_pipeline_cannot_be_changed() -> None:
    steps = a_pipeline("[{uses: echo}]").nodes
    with pytest.raises(TypeError):
        steps["b"] = steps["echo"]  # type: ignore[index]  # this is what is refused


def test_on_is_an_event_type_even_where_yaml_1_1_reads_it_as_a_boolean() -> None:
    assert compiled("pipelines:\n- name: p\n  on: yes\n  steps:\n  - uses: echo\n").by_type("yes")
