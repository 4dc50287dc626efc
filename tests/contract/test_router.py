"""What every router must do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import pytest

from ductile.dsl.catalogue import Catalogue
from ductile.dsl.definition import pipeline_of
from ductile.dsl.graph import Pipeline, Step
from ductile.errors import ConfigurationError
from ductile.model.event import STEP_SUCCEEDED
from ductile.router.graph_router import GraphRouter
from ductile.router.interfaces import Next, Position, Router
from tests.support.builders import a_context, an_event

MakeRouter: TypeAlias = Callable[[Iterable[Pipeline]], Router]


def a_pipeline(name: str, on: str = "video.posted", **edges: tuple[str, ...]) -> Pipeline:
    """A pipeline with these steps; the first is its entry."""
    steps = {
        step_id: Step(step_id, "echo", "handle", following) for step_id, following in edges.items()
    }
    return pipeline_of(name=name, on=on, entries=tuple(edges)[:1], steps=steps)


WISDOM = a_pipeline(
    "wisdom", fetch=("summary", "archive"), summary=("notify",), archive=(), notify=()
)
OTHER = a_pipeline("another", "summary.written", echo=())


def graph_router(pipelines: Iterable[Pipeline]) -> Router:
    return GraphRouter(Catalogue({pipeline.name: pipeline for pipeline in pipelines}))


@pytest.fixture(params=[graph_router])
def make(request: pytest.FixtureRequest) -> MakeRouter:
    found: MakeRouter = request.param
    return found


def test_an_event_from_outside_starts_the_pipelines_of_its_type(make: MakeRouter) -> None:
    router = make([OTHER, WISDOM])
    assert router.next(an_event(type="video.posted"), a_context()) == Next(starts=(WISDOM,))


def test_all_pipelines_of_one_type_start_in_the_order_of_their_names(make: MakeRouter) -> None:
    router = make([WISDOM, a_pipeline("b", echo=()), a_pipeline("a", echo=())])
    starts = router.next(an_event(type="video.posted"), a_context()).starts
    assert [pipeline.name for pipeline in starts] == ["a", "b", "wisdom"]


def test_an_event_of_a_type_that_nobody_waits_for_leads_nowhere(make: MakeRouter) -> None:
    assert make([WISDOM]).next(an_event(type="unheard.of"), a_context()) == Next()


def test_the_type_of_an_event_is_compared_as_a_whole(make: MakeRouter) -> None:
    assert make([WISDOM]).next(an_event(type="video.posted.again"), a_context()) == Next()


def test_a_silent_success_leads_to_the_steps_that_follow_in_their_order(make: MakeRouter) -> None:
    found = make([WISDOM]).next(
        an_event(type=STEP_SUCCEEDED), a_context(), Position(WISDOM, "fetch")
    )
    assert found == Next(steps=(WISDOM.steps["summary"], WISDOM.steps["archive"]))


def test_after_the_last_step_nothing_follows(make: MakeRouter) -> None:
    at = Position(WISDOM, "notify")
    assert make([WISDOM]).next(an_event(type=STEP_SUCCEEDED), a_context(), at) == Next()


def test_an_emitted_event_leads_on_and_starts_pipelines_as_well(make: MakeRouter) -> None:
    found = make([WISDOM, OTHER]).next(
        an_event(type="summary.written"), a_context(), Position(WISDOM, "summary")
    )
    assert found == Next(steps=(WISDOM.steps["notify"],), starts=(OTHER,))


def test_a_step_may_start_its_own_pipeline_again(make: MakeRouter) -> None:
    at = Position(WISDOM, "notify")
    found = make([WISDOM]).next(an_event(type="video.posted"), a_context(), at)
    assert found == Next(starts=(WISDOM,))


def test_a_silent_success_starts_no_pipeline(make: MakeRouter) -> None:
    router = make([a_pipeline("greedy", STEP_SUCCEEDED, echo=())])
    assert router.next(an_event(type=STEP_SUCCEEDED), a_context()) == Next()


def test_a_run_goes_on_in_its_own_version(make: MakeRouter) -> None:
    newer = a_pipeline("wisdom", fetch=("echo",), echo=())
    found = make([newer]).next(
        an_event(type=STEP_SUCCEEDED), a_context(), Position(WISDOM, "summary")
    )
    assert found == Next(steps=(WISDOM.steps["notify"],))


def test_a_step_that_is_not_in_the_version_is_an_error(make: MakeRouter) -> None:
    router = make([WISDOM])
    with pytest.raises(ConfigurationError, match='pipeline "wisdom" has no step "gone"'):
        router.next(an_event(type=STEP_SUCCEEDED), a_context(), Position(WISDOM, "gone"))


def test_equal_questions_get_equal_answers(make: MakeRouter) -> None:
    router = make([WISDOM, OTHER])
    event, context, at = an_event(type="summary.written"), a_context(), Position(WISDOM, "fetch")
    assert router.next(event, context, at) == router.next(event, context, at)


def test_two_routers_of_the_same_pipelines_agree(make: MakeRouter) -> None:
    event, context = an_event(type="video.posted"), a_context()
    one = make([WISDOM, OTHER]).next(event, context)
    assert make([OTHER, WISDOM]).next(event, context) == one
