"""Random pipelines, ways to write them down, and ways to change or to spoil them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any, TypeAlias

from hypothesis import strategies as st

from ductile.model.json import encode
from tests.unit.dsl.builders import COMMANDS

#: A pipeline, or a step, as a file holds it.
Raw: TypeAlias = dict[str, Any]

_PLUGINS = sorted(COMMANDS)
_TIMEOUTS = ["250ms", "5s", "1h30m", "2d"]
_TYPES = ["on", "video.posted", "tick", "other"]
_PREDICATES = st.sampled_from(
    [
        {"path": "payload.url", "op": "exists"},
        {"path": "context.count", "op": "gt", "value": 3},
        {"path": 'payload."a.b"', "op": "in", "value": [1, "x"]},
    ]
)
_CONDITIONS = _PREDICATES | st.one_of(
    st.builds(
        lambda key, each: {key: each},
        st.sampled_from(["all", "any"]),
        st.lists(_PREDICATES, min_size=1, max_size=3),
    ),
    st.builds(lambda each: {"not": each}, _PREDICATES),
)
_TEMPLATES = st.dictionaries(
    st.sampled_from(["url", "text", "a.b"]),
    st.sampled_from(["{payload.url}", "on {run.id?}: {context.a|none}", 5, None, ["{config.x}"]]),
)
_BAGGAGE = st.dictionaries(
    st.sampled_from(["url", "report.url", "report.text"]),
    st.sampled_from(["payload.url", "payload", "context.a.0"]),
)
_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "workspace": st.sampled_from(["copy", "empty"]),
        "timeout": st.sampled_from(_TIMEOUTS),
        "retry": st.fixed_dictionaries(
            {"max_attempts": st.integers(1, 9)},
            optional={
                "backoff_base": st.sampled_from(_TIMEOUTS),
                "backoff_cap": st.sampled_from(_TIMEOUTS),
            },
        ),
        "if": _CONDITIONS,
        "with": _TEMPLATES,
        "baggage": _BAGGAGE,
    },
)
_SECOND = {"uses": "echo.health"}
_USES = st.builds(
    lambda plugin, command, options: {"uses": plugin + command, **options},
    st.sampled_from(_PLUGINS),
    st.sampled_from(["", "", ".poll"]),
    st.just({}) | _OPTIONS,
)


@st.composite
def pipelines(draw: st.DrawFn) -> list[Raw]:
    """Correct pipelines that call later ones; each begins with two different plugins."""
    found: list[Raw] = []
    names: list[str] = []
    for number in reversed(range(draw(st.integers(1, 4)))):
        steps = draw(_sequences(tuple(names), 2))
        pipeline: Raw = {
            "name": f"p{number}",
            "on": draw(
                st.sampled_from(_TYPES) | st.lists(st.sampled_from(_TYPES), min_size=1, unique=True)
            ),
            "steps": [draw(_USES), dict(_SECOND), *steps],
            **draw(_AROUND),
        }
        for phase in ("on_failure", "finally"):
            if draw(st.integers(0, 3)) == 0:
                pipeline[phase] = draw(_sequences(tuple(names), 1))
        found.insert(0, pipeline)
        names.append(pipeline["name"])
        _give_ids(pipeline, draw)
        for phase in (pipeline["steps"][2:], *map(pipeline.get, ("on_failure", "finally"))):
            _link(phase or [], [], draw)
    return found


_AROUND = st.fixed_dictionaries(
    {},
    optional={
        "from": st.sampled_from(["cli", "receiver"]),
        "if": _CONDITIONS,
        "timeout": st.sampled_from(_TIMEOUTS),
    },
)


@st.composite
def _sequences(draw: st.DrawFn, names: tuple[str, ...], depth: int) -> list[Raw]:
    """Steps in a row."""
    return [draw(_steps(names, depth)) for _ in range(draw(st.integers(1, 2)))]


@st.composite
def _steps(draw: st.DrawFn, names: tuple[str, ...], depth: int) -> Raw:
    kinds = ["uses", "uses", *(["call"] if names else []), *(["split", "steps"] if depth else [])]
    kind = draw(st.sampled_from(kinds))
    if kind == "uses":
        return draw(_USES)
    condition = {"if": draw(_CONDITIONS)} if draw(st.integers(0, 3)) == 0 else {}
    if kind == "call":
        return {"call": draw(st.sampled_from(names)), **condition}
    if kind == "steps":
        return {"steps": draw(_sequences(names, depth - 1)), **condition}
    branches = [draw(_steps(names, depth - 1)) for _ in range(draw(st.integers(1, 3)))]
    return {"split": branches, **condition}


def _give_ids(pipeline: Raw, draw: st.DrawFn) -> None:
    for number, step in enumerate(_everything(pipeline)):
        if draw(st.integers(0, 2)) == 0:
            step["id"] = f"s{number}"


def _link(steps: list[Raw], around: list[Raw], draw: st.DrawFn) -> None:
    """Let some steps gather, and route some events over the heads of steps."""
    for index, step in enumerate(steps):
        ahead = steps[index + 1 :] + around
        if index and draw(st.integers(0, 4)) == 0:
            step["join"] = "all"
        _link(step.get("steps", []), ahead, draw)
        for branch in step.get("split", []):
            _link([branch], ahead, draw)
        targets = [each["id"] for each in ahead if "id" in each]
        # Without the nearest, that one might never be reached.
        if "uses" in step and ahead and "id" in ahead[0] and draw(st.booleans()):
            others = st.lists(st.sampled_from(targets), unique=True)
            step["on_events"] = {"*": targets[:1], "high": draw(others), "low": draw(others)}


def _everything(pipeline: Raw) -> Iterator[Raw]:
    for phase in ("steps", "on_failure", "finally"):
        yield from all_steps(pipeline.get(phase, []))


def all_steps(steps: list[Raw]) -> Iterator[Raw]:
    """Each step of a pipeline, those within others included."""
    for step in steps:
        yield step
        yield from all_steps([*step.get("split", ()), *step.get("steps", ())])


def as_text(found: list[Raw], random: Random) -> str:
    """A file that holds these pipelines, with keys in any order and comments anywhere."""
    return "\n".join(_lines({"pipelines": found}, random))


def _lines(value: Any, random: Random) -> Iterator[str]:
    if not value or not isinstance(value, dict | list) or random.random() < 0.1:
        yield encode(value).decode().replace(",", ", ")
        return
    items: list[tuple[str, Any]]
    if isinstance(value, dict):
        items = [
            (f"{encode(key).decode() if key == '*' else key}:", part) for key, part in value.items()
        ]
        random.shuffle(items)
    else:
        items = [("-", part) for part in value]
    for head, part in items:
        if random.random() < 0.3:
            yield "# a comment: [with {things"
        first, *rest = _lines(part, random)
        if isinstance(part, dict | list) and (rest or head != "-"):
            yield head
            yield from (f"  {line}" for line in (first, *rest))
        else:
            yield f"{head} {first}  # {head}"


Change: TypeAlias = Callable[[list[Raw], Random], None]


def _uses(found: list[Raw]) -> list[Raw]:
    """The steps of the first pipeline that use a plugin."""
    return [step for step in all_steps(found[0]["steps"]) if "uses" in step]


def _other_plugin(found: list[Raw], random: Random) -> None:
    step = random.choice(_uses(found))
    plugin, dot, command = step["uses"].partition(".")
    step["uses"] = random.choice([other for other in _PLUGINS if other != plugin]) + dot + command


def _other_command(found: list[Raw], random: Random) -> None:
    step = random.choice(_uses(found))
    plugin, _, command = step["uses"].partition(".")
    step["uses"] = f"{plugin}.poll" if command == "health" else f"{plugin}.health"


def _other_order(found: list[Raw], random: Random) -> None:
    steps = found[0]["steps"]
    steps[0], steps[1] = steps[1], steps[0]


def _one_more_type(found: list[Raw], random: Random) -> None:
    types = found[0]["on"]
    found[0]["on"] = [*([types] if isinstance(types, str) else types), "more"]


def _other_name(found: list[Raw], random: Random) -> None:
    found[0]["name"] = "renamed"


def _other_workspace(found: list[Raw], random: Random) -> None:
    step = random.choice(_uses(found))
    step["workspace"] = "empty" if step.get("workspace") == "copy" else "copy"


def _other_timeout(found: list[Raw], random: Random) -> None:
    random.choice(_uses(found))["timeout"] = "77s"


def _other_retry(found: list[Raw], random: Random) -> None:
    step = random.choice(_uses(found))
    key, value = random.choice(
        [("max_attempts", 77), ("backoff_base", "77s"), ("backoff_cap", "77s")]
    )
    step.setdefault("retry", {})[key] = value


def _other_id(found: list[Raw], random: Random) -> None:
    step = random.choice(_uses(found))
    before, step["id"] = step.get("id"), "renamed"
    for each in _everything(found[0]):
        for targets in each.get("on_events", {}).values():
            targets[:] = ["renamed" if target == before else target for target in targets]


def _one_more_step(found: list[Raw], random: Random) -> None:
    found[0]["steps"].insert(random.randrange(2), {"uses": "echo"})


def _moved_branch(found: list[Raw], random: Random) -> None:
    """What followed a step is put beside it."""
    steps = found[0]["steps"]
    steps[:2] = [{"split": steps[:2]}]


def _one_more_join(found: list[Raw], random: Random) -> None:
    found[0]["steps"][1]["join"] = "all"


def _other_routes(found: list[Raw], random: Random) -> None:
    first, second, *_ = found[0]["steps"]
    first["on_events"] = {"*": [second.get("id", "echo-health")], "changed": []}


def _other_condition(found: list[Raw], random: Random) -> None:
    holder = random.choice([found[0], *all_steps(found[0]["steps"])])
    holder["if"] = {"path": "payload.changed", "op": "exists"}


def _other_payload(found: list[Raw], random: Random) -> None:
    random.choice(_uses(found))["with"] = {"changed": "{payload.changed}"}


def _other_baggage(found: list[Raw], random: Random) -> None:
    random.choice(_uses(found))["baggage"] = {"changed": "payload.changed"}


def _other_run(found: list[Raw], random: Random) -> None:
    key, value = random.choice([("from", "changed"), ("timeout", "77s")])
    found[0][key] = value


def _other_end(found: list[Raw], random: Random) -> None:
    phase = random.choice(["on_failure", "finally"])
    found[0][phase] = [{"uses": "echo", "id": "changed"}]


#: Each changes what the first pipeline means.
CHANGES: dict[str, Change] = {
    change.__name__.strip("_"): change
    for change in (
        _other_plugin,
        _other_command,
        _other_order,
        _one_more_type,
        _other_name,
        _other_workspace,
        _other_timeout,
        _other_retry,
        _other_id,
        _one_more_step,
        _moved_branch,
        _one_more_join,
        _other_routes,
        _other_condition,
        _other_payload,
        _other_baggage,
        _other_run,
        _other_end,
    )
}

_JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    "",
    "p0",
    "p1",
    "fetsh",
    "a b",
    "ductile.x",
    [],
    {},
    [[]],
    [{}],
    "5 minuts",
    {"uses": "echo"},
    {"call": "p0"},
    [{"call": "p0"}],
    {"split": [{"call": "p1"}]},
    "\x00é\u2028",
    {"path": "payload.x", "op": "gtt", "value": None},
    {"not": {"all": []}},
    {"high": ["s1", "p0"], "*": []},
    {"a": "{payload.x", "a.b": "payload.x"},
    "{failure.step}",
    ["on", "on"],
    "all",
]
_KEYS = ["uses", "call", "split", "steps", "id", "name", "on", "timeout", "retry", "whit", "if"]
_KEYS += ["with", "baggage", "on_events", "join", "from", "on_failure", "finally"]


def spoilt(found: list[Raw], random: Random) -> Any:
    """The pipelines as a file holds them, with a few parts replaced, added or taken away."""
    value: Any = {"pipelines": deepcopy(found)}
    for _ in range(random.randrange(1, 4)):
        holders = list(_holders(value))
        if not holders:
            break
        holder = random.choice(holders)
        junk = deepcopy(random.choice(_JUNK))
        if isinstance(holder, list):
            index = random.randrange(len(holder))
            holder[index] = random.choice([junk, holder[0]])
        elif random.random() < 0.3:
            holder[random.choice(_KEYS)] = junk
        elif random.random() < 0.5:
            holder[random.choice(sorted(holder))] = junk
        else:
            holder.pop(random.choice(sorted(holder)))
    return value


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        if value:
            yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from _holders(part)
