"""What step, settings and manifest say together."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ductile.dispatch.policies import Policies
from ductile.dsl.graph import Step
from ductile.errors import NotFound, PluginError
from ductile.model.policy import RetryPolicy
from tests.support.builders import a_job
from tests.unit.dispatch.building import a_set, policies


def a_step(**fields: object) -> Step:
    return Step("s", "fetch", "handle", **fields)  # type: ignore[arg-type]  # fields of a step, by name


@pytest.mark.parametrize(
    ("command", "seconds"), [("poll", 60), ("handle", 120), ("health", 10), ("other", 60)]
)
def test_every_command_has_a_time_limit(command: str, seconds: int) -> None:
    assert policies("fetch").timeout("fetch", command, None) == timedelta(seconds=seconds)


def test_the_settings_win_over_the_default_and_the_step_over_the_settings() -> None:
    own = policies(fetch={"timeouts": {"handle": "30s"}})
    assert own.timeout("fetch", "handle", a_step()) == timedelta(seconds=30)
    step = a_step(timeout=timedelta(seconds=5))
    assert own.timeout("fetch", "handle", step) == timedelta(seconds=5)


def test_a_plugin_is_tried_4_times_with_30_seconds_to_begin_with() -> None:
    assert policies("fetch").retry("fetch", None) == RetryPolicy(4, timedelta(seconds=30))


def test_a_step_may_decide_on_a_part_of_the_retries() -> None:
    own = policies(fetch={"retry": {"max_attempts": 7, "backoff_base": "2s"}})
    assert own.retry("fetch", a_step()) == RetryPolicy(7, timedelta(seconds=2))
    assert own.retry("fetch", a_step(max_attempts=2)) == RetryPolicy(2, timedelta(seconds=2))
    slower = a_step(backoff_base=timedelta(seconds=9))
    assert own.retry("fetch", slower) == RetryPolicy(7, timedelta(seconds=9))
    minute = timedelta(minutes=1)
    capped = a_step(backoff_cap=minute)
    assert own.retry("fetch", capped) == RetryPolicy(7, timedelta(seconds=2), minute)


def test_the_longest_wait_is_the_steps_or_else_the_plugins() -> None:
    own = policies(fetch={"retry": {"backoff_cap": "1h"}})
    assert own.retry("fetch", a_step()).backoff_cap == timedelta(hours=1)
    assert own.retry("fetch", a_step(backoff_cap=timedelta(minutes=1))).backoff_cap == timedelta(
        minutes=1
    )


def test_only_listed_variables_are_handed_on_and_the_job_is_named() -> None:
    gateways = {"PATH": "/bin", "HOME": "/h", "LANG": "C", "TZ": "UTC", "TMPDIR": "/t"}
    others = {"TOKEN": "x", "EDITOR": "ed", "DUCTILE_JOB_ID": "another"}
    own = policies(environment={**gateways, **others}, fetch={"env": ("TOKEN", "ABSENT")})
    job = a_job(plugin="fetch")
    assert own.environment(job) == {**gateways, "TOKEN": "x", "DUCTILE_JOB_ID": job.id}


@pytest.mark.parametrize(
    ("safe", "parallelism", "limit"),
    [(True, None, None), (True, 3, 3), (False, None, 1), (False, 3, 1)],
)
def test_a_plugin_that_is_not_safe_runs_once_whatever_the_settings_say(
    safe: bool, parallelism: int | None, limit: int | None
) -> None:
    own = policies(manifest={"concurrency_safe": safe}, fetch={"parallelism": parallelism})
    assert own.parallelism().get("fetch") == limit


def test_a_job_of_a_plugin_that_is_gone_has_no_entrypoint() -> None:
    with pytest.raises(
        PluginError,
        match='no plugin named "gone" is loaded; put it back into a plugin root and reload',
    ):
        policies("fetch").entrypoint("gone")


def test_a_disabled_plugin_has_no_entrypoint_and_cannot_be_asked_for() -> None:
    own = policies(fetch={"enabled": False})
    with pytest.raises(PluginError, match=r"plugins\.fetch\.enabled"):
        own.entrypoint("fetch")
    with pytest.raises(NotFound, match=r"plugins\.fetch\.enabled"):
        own.require("fetch", "handle")


@pytest.mark.parametrize(("command", "private"), [("handle", False), ("poll", True)])
def test_the_manifest_says_which_commands_keep_their_state(command: str, private: bool) -> None:
    assert policies("fetch").keeps_private(a_job(plugin="fetch", command=command)) is private


def test_answers_are_those_of_the_set_that_is_in_force() -> None:
    sets = iter([a_set(fetch={"config": {"v": number}}) for number in (1, 2)])
    own = Policies(lambda: next(sets))
    assert [own.config("fetch"), own.config("fetch")] == [{"v": 1}, {"v": 2}]


def test_pinned_answers_are_all_of_one_set() -> None:
    sets = iter([a_set(fetch={"config": {"v": number}}) for number in (1, 2)])
    own = Policies(lambda: next(sets)).pinned()
    assert [own.config("fetch"), own.config("fetch")] == [{"v": 1}, {"v": 1}]
