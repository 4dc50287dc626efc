"""What expressions see, root by root."""

from __future__ import annotations

from ductile.expressions.paths import ROOTS
from ductile.model.json import Json
from ductile.router.scope import scope
from tests.support.builders import a_context, an_event
from tests.support.graphs import WISDOM


def seen(payload: dict[str, Json], baggage: dict[str, Json]) -> dict[str, Json]:
    event, context = an_event(payload=payload), a_context(baggage=baggage)
    return scope(event, context, WISDOM, "fetch", {"loud": True})


def test_every_root_that_an_expression_may_name_is_there() -> None:
    assert set(seen({}, {"failure": {}})) == set(ROOTS)


def test_the_payload_is_laid_over_the_baggage_and_the_context_is_the_baggage_alone() -> None:
    found = seen({"a": 1}, {"a": 0, "b": 0})
    assert (found["payload"], found["context"]) == ({"a": 1, "b": 0}, {"a": 0, "b": 0})


def test_the_run_is_told_by_pipeline_and_step_and_the_plugin_by_its_configuration() -> None:
    found = seen({}, {})
    assert found["run"] == {"pipeline": "wisdom", "step": "fetch"}
    assert found["config"] == {"loud": True}


def test_a_failure_in_the_baggage_is_seen_by_steps_whose_event_does_not_carry_it() -> None:
    assert seen({}, {"failure": {"step": "fetch"}})["failure"] == {"step": "fetch"}


def test_without_a_failure_there_is_none() -> None:
    assert "failure" not in seen({}, {})
