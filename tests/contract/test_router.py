"""What every router must do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import pytest

from ductile.dsl.catalogue import Catalogue
from ductile.dsl.graph import ANY_EVENT, Join, Pipeline
from ductile.errors import ConfigurationError
from ductile.model.event import CORE_PREFIX, JOINED, RUN_ENDING, RUN_FAILED, STEP_SUCCEEDED
from ductile.model.run import Phase, Progress
from ductile.router.graph_router import GraphRouter
from ductile.router.interfaces import Arrival, Next, Position, Router, Routing, Skip
from tests.support.builders import a_context, an_event
from tests.support.graphs import (
    CHAINED,
    FORKED,
    GATED,
    GUARDED,
    IF_LONG,
    OTHER,
    PHASES,
    WISDOM,
    a_graph,
    a_pipeline,
    a_step,
)
from tests.unit.expressions.builders import a_condition

MakeRouter: TypeAlias = Callable[[Iterable[Pipeline]], Router]


LENGTHS = pytest.mark.parametrize("length", [1, 31])


def graph_router(pipelines: Iterable[Pipeline]) -> Router:
    """Every plugin is configured to be loud."""
    return GraphRouter(
        Catalogue({pipeline.name: pipeline for pipeline in pipelines}), lambda _: {"loud": True}
    )


@pytest.fixture(params=[graph_router])
def make(request: pytest.FixtureRequest) -> MakeRouter:
    found: MakeRouter = request.param
    return found


def after(router: Router, pipeline: Pipeline, step: str, **event: Any) -> Routing:
    """What follows a step in its run."""
    happened = an_event(**{"type": STEP_SUCCEEDED, **event})
    return router.next(happened, a_context(), Position(pipeline, step)).here


def ids(routing: Routing) -> list[str]:
    return [step.id for step in routing.steps]


def progress(**sets: Iterable[str]) -> Progress:
    return Progress(**{name: frozenset(each) for name, each in sets.items()})


# Starting


def test_an_event_from_outside_starts_the_pipelines_of_its_type(make: MakeRouter) -> None:
    router = make([OTHER, WISDOM])
    assert router.next(an_event(type="video.posted"), a_context()) == Next(starts=(WISDOM,))


def test_all_pipelines_of_one_type_start_in_the_order_of_their_names(make: MakeRouter) -> None:
    router = make([WISDOM, a_pipeline("b", echo=()), a_pipeline("a", echo=())])
    starts = router.next(an_event(type="video.posted"), a_context()).starts
    assert [pipeline.name for pipeline in starts] == ["a", "b", "wisdom"]


@pytest.mark.parametrize("kind", ["one", "two"])
def test_a_pipeline_of_several_types_starts_with_each(make: MakeRouter, kind: str) -> None:
    several = a_pipeline("several", "one", "two", echo=())
    assert make([several]).next(an_event(type=kind), a_context()).starts == (several,)


def test_an_event_of_a_type_that_nobody_waits_for_leads_nowhere(make: MakeRouter) -> None:
    assert make([WISDOM]).next(an_event(type="unheard.of"), a_context()) == Next()


def test_the_type_of_an_event_is_compared_as_a_whole(make: MakeRouter) -> None:
    assert make([WISDOM]).next(an_event(type="video.posted.again"), a_context()) == Next()


@pytest.mark.parametrize(("source", "started"), [("camera", True), ("api", False)])
def test_a_pipeline_with_a_source_starts_for_its_events_only(
    make: MakeRouter, source: str, started: bool
) -> None:
    picky = a_graph("picky", a_step("echo"), source="camera")
    starts = make([picky]).next(an_event(source=source), a_context()).starts
    assert starts == ((picky,) if started else ())


@LENGTHS
def test_a_pipeline_starts_where_its_condition_holds(make: MakeRouter, length: int) -> None:
    picky = a_graph("picky", a_step("echo"), condition=IF_LONG)
    starts = make([picky]).next(an_event(payload={"length": length}), a_context()).starts
    assert starts == ((picky,) if length > 30 else ())


@LENGTHS
def test_a_pipeline_admits_an_event_for_which_its_condition_holds(
    make: MakeRouter, length: int
) -> None:
    picky = a_graph("picky", a_step("echo"), condition=IF_LONG)
    event = an_event(payload={"length": length})
    assert make([]).admits(picky, event, a_context()) is (length > 30)


def test_a_pipeline_without_a_condition_admits_all(make: MakeRouter) -> None:
    other = an_event(type="another", source="somebody")
    assert make([]).admits(a_graph("p", a_step("echo"), source="camera"), other, a_context())


@pytest.mark.parametrize(
    "kind", [STEP_SUCCEEDED, JOINED, RUN_FAILED, RUN_ENDING, f"{CORE_PREFIX}made.up"]
)
def test_the_cores_own_events_start_nothing(make: MakeRouter, kind: str) -> None:
    greedy = a_pipeline("greedy", kind, echo=())
    assert make([greedy]).next(an_event(type=kind), a_context()) == Next()


# From step to step


def test_a_silent_success_leads_to_the_steps_that_follow_in_their_order(make: MakeRouter) -> None:
    found = make([WISDOM]).next(
        an_event(type=STEP_SUCCEEDED), a_context(), Position(WISDOM, "fetch")
    )
    assert found == Next(Routing((WISDOM.steps["summary"], WISDOM.steps["archive"])))


def test_after_the_last_step_nothing_follows(make: MakeRouter) -> None:
    at = Position(WISDOM, "notify")
    assert make([WISDOM]).next(an_event(type=STEP_SUCCEEDED), a_context(), at) == Next()


def test_an_emitted_event_leads_on_and_starts_pipelines_as_well(make: MakeRouter) -> None:
    found = make([WISDOM, OTHER]).next(
        an_event(type="summary.written"), a_context(), Position(WISDOM, "summary")
    )
    assert found == Next(Routing((WISDOM.steps["notify"],)), (OTHER,))


def test_a_step_may_start_its_own_pipeline_again(make: MakeRouter) -> None:
    at = Position(WISDOM, "notify")
    found = make([WISDOM]).next(an_event(type="video.posted"), a_context(), at)
    assert found == Next(starts=(WISDOM,))


def test_a_run_goes_on_in_its_own_version(make: MakeRouter) -> None:
    newer = a_pipeline("wisdom", fetch=("echo",), echo=())
    assert after(make([newer]), WISDOM, "summary") == Routing((WISDOM.steps["notify"],))


@pytest.mark.parametrize("missing", ["gone", "send:join", "edit:if"])
def test_what_is_no_step_of_the_version_is_an_error(make: MakeRouter, missing: str) -> None:
    with pytest.raises(ConfigurationError, match=f'"{missing}"'):
        after(make([GATED]), GATED, missing)


@pytest.mark.parametrize(
    ("routes", "kind", "expected"),
    [
        ({"found": ("a",), ANY_EVENT: ("b",)}, "found", ["a"]),
        ({"found": ("a",), ANY_EVENT: ("b",)}, "lost", ["b"]),
        ({"found": ("a",), ANY_EVENT: ("b",)}, STEP_SUCCEEDED, ["b"]),
        ({"found": ("a", "b")}, "found", ["a", "b"]),
        ({"found": ("a", "b")}, "lost", []),
    ],
)
def test_a_step_with_routes_leads_where_the_type_of_the_event_says(
    make: MakeRouter, routes: dict[str, tuple[str, ...]], kind: str, expected: list[str]
) -> None:
    routed = a_graph("routed", a_step("look", on_events=routes), a_step("a"), a_step("b"))
    assert ids(after(make([]), routed, "look", type=kind)) == expected


# Conditions


def test_a_step_whose_condition_holds_runs(make: MakeRouter) -> None:
    found = after(make([]), GUARDED, "fetch", payload={"length": 31})
    assert found == Routing((GUARDED.steps["cut"],))


def test_a_step_whose_condition_does_not_hold_is_skipped_for_what_follows_it(
    make: MakeRouter,
) -> None:
    found = after(make([]), GUARDED, "fetch", payload={"length": 1})
    assert (ids(found), [skip.step for skip in found.skips]) == (["send"], ["cut"])


def test_a_skip_says_what_was_found(make: MakeRouter) -> None:
    [skip] = after(make([]), GUARDED, "fetch", payload={"length": 1}).skips
    scope = {"payload": {"length": 1}}
    assert skip == Skip("cut", IF_LONG.decide(scope).reason)


def test_a_skipped_step_with_routes_leads_to_what_is_next_in_the_file(make: MakeRouter) -> None:
    look = a_step("look", "b", condition=IF_LONG, on_events={ANY_EVENT: ("a",)})
    routed = a_graph("routed", look, a_step("a"), a_step("b"))
    assert ids(make([]).enter(routed, an_event(), a_context())) == ["b"]


def test_one_skip_may_lead_to_the_next(make: MakeRouter) -> None:
    steps = [a_step(each, after_it, condition=IF_LONG) for each, after_it in ("ab", "bc")]
    found = make([]).enter(a_graph("p", *steps, a_step("c")), an_event(), a_context())
    assert (ids(found), [skip.step for skip in found.skips]) == (["c"], ["a", "b"])


def test_a_skipped_step_at_the_end_leads_nowhere(make: MakeRouter) -> None:
    last = a_graph("p", a_step("last", condition=IF_LONG))
    found = make([]).enter(last, an_event(), a_context())
    assert (found.steps, len(found.skips), found.arrivals) == ((), 1, ())


SEEN: list[tuple[str, Any]] = [
    ("payload.url", "of the event"),
    ("payload.channel_id", "C1"),
    ("context.channel_id", "C1"),
    ("config.loud", True),
    ("run.pipeline", "p"),
    ("run.step", "only"),
    ("failure.step", "fetch"),
]


@pytest.mark.parametrize(("path", "value"), SEEN)
def test_a_condition_sees_payload_context_configuration_run_and_failure(
    make: MakeRouter, path: str, value: Any
) -> None:
    condition = a_condition({"path": path, "op": "eq", "value": value})
    guarded = a_graph("p", a_step("only", condition=condition))
    event = an_event(payload={"url": "of the event", "failure": {"step": "fetch"}})
    assert ids(make([]).enter(guarded, event, a_context())) == ["only"]


def test_the_payload_wins_over_the_context(make: MakeRouter) -> None:
    event, context = an_event(payload={"length": 31}), a_context(baggage={"length": 1})
    guarded = a_graph("p", a_step("only", condition=IF_LONG))
    assert ids(make([]).enter(guarded, event, context)) == ["only"]


# Gates


def test_a_gate_leads_into_what_it_guards(make: MakeRouter) -> None:
    found = after(make([]), GATED, "fetch", payload={"length": 31})
    assert (ids(found), found.skips) == (["edit/cut", "edit/mix"], ())


def test_a_gate_leads_past_what_it_guards_with_one_skip(make: MakeRouter) -> None:
    found = after(make([]), GATED, "fetch", payload={"length": 1})
    reason = IF_LONG.decide({"payload": {"length": 1}}).reason
    assert (ids(found), found.skips) == (["send"], (Skip("edit", reason),))


# Joins


def test_what_leads_to_a_join_arrives_there_from_its_step(make: MakeRouter) -> None:
    found = after(make([]), FORKED, "left")
    assert found == Routing(arrivals=(Arrival("end:join", "left"),))


def test_a_skipped_branch_arrives_as_well(make: MakeRouter) -> None:
    found = make([]).enter(FORKED, an_event(), a_context())
    assert (ids(found), found.arrivals) == (["left"], (Arrival("end:join", "right"),))


def test_beyond_a_join_come_the_steps_behind_it_that_run(make: MakeRouter) -> None:
    joined = an_event(type=JOINED, payload={"results": []})
    found = make([]).beyond("end:join", FORKED, joined, a_context())
    assert (ids(found), [skip.step for skip in found.skips]) == (["end"], ["log"])


def test_a_join_that_is_not_in_the_version_is_an_error(make: MakeRouter) -> None:
    with pytest.raises(ConfigurationError, match='has no step "gone:join"'):
        make([]).beyond("gone:join", FORKED, an_event(), a_context())


@pytest.mark.parametrize(
    ("how_far", "expected"),
    [
        (progress(), ()),
        (progress(arrived=["near:join"]), ("near:join",)),
        (progress(arrived=["near:join"], open=["b"]), ()),
        (progress(arrived=["near:join"], failed=["b"]), ()),
        (progress(arrived=["near:join"], open=["c", "d"], failed=["e"]), ("near:join",)),
        (progress(arrived=["near:join"], passed=["near:join"]), ()),
        (progress(arrived=["near:join", "far:join"]), ("near:join",)),
        (progress(arrived=["near:join", "far:join"], passed=["near:join"]), ("far:join",)),
        (progress(arrived=["far:join"], open=["a"]), ()),
        (progress(arrived=["far:join"], passed=["near:join"], open=["near"]), ()),
        (progress(arrived=["own:join", "near:join"]), ("near:join", "own:join")),
        (progress(arrived=["near:join"], open=["near", "far"]), ("near:join",)),
    ],
)
def test_a_join_is_ready_when_all_before_it_is_done_and_has_ended_well(
    make: MakeRouter, how_far: Progress, expected: tuple[str, ...]
) -> None:
    assert make([]).ready(CHAINED, how_far) == expected


def test_a_branch_that_only_a_route_leads_to_holds_a_join_up(make: MakeRouter) -> None:
    routed = a_graph(
        "routed",
        a_step("look", on_events={"found": ("a",), "lost": ("end:join",)}),
        a_step("a", "end:join"),
        Join("end:join", ("end",), ("look", "a")),
        a_step("end"),
    )
    how_far = progress(arrived=["end:join"], open=["a"])
    assert make([]).ready(routed, how_far) == ()


# Phases


@pytest.mark.parametrize(
    ("phase", "expected"),
    [(Phase.MAIN, ["work"]), (Phase.ON_FAILURE, ["alarm"]), (Phase.FINALLY, ["clean", "report"])],
)
def test_each_phase_begins_with_its_own_steps(
    make: MakeRouter, phase: Phase, expected: list[str]
) -> None:
    event = an_event(payload={"failure": {"step": "work"}})
    assert ids(make([]).enter(PHASES, event, a_context(), phase)) == expected


@pytest.mark.parametrize("phase", [Phase.ON_FAILURE, Phase.FINALLY])
def test_a_phase_that_a_pipeline_does_not_have_leads_nowhere(
    make: MakeRouter, phase: Phase
) -> None:
    assert make([WISDOM]).enter(WISDOM, an_event(), a_context(), phase) == Routing()


# Purity


def answers(router: Router, event: Any, context: Any) -> list[Any]:
    return [
        router.next(event, context),
        router.next(event, context, Position(GATED, "fetch")),
        router.admits(GATED, event, context),
        *(router.enter(PHASES, event, context, phase) for phase in Phase),
        router.enter(FORKED, event, context),
        router.beyond("end:join", FORKED, event, context),
        router.ready(CHAINED, progress(arrived=["near:join", "own:join"])),
    ]


@LENGTHS
def test_equal_questions_get_equal_answers(make: MakeRouter, length: int) -> None:
    router = make([WISDOM, GATED])
    event, context = an_event(payload={"length": length}), a_context()
    assert answers(router, event, context) == answers(router, event, context)


@LENGTHS
def test_two_routers_of_the_same_pipelines_agree(make: MakeRouter, length: int) -> None:
    event, context = an_event(payload={"length": length}), a_context()
    one, other = make([WISDOM, GATED]), make([GATED, WISDOM])
    assert answers(one, event, context) == answers(other, event, context)
