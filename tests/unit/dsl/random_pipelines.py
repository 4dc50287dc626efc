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
_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "workspace": st.sampled_from(["copy", "empty"]),
        "timeout": st.sampled_from(_TIMEOUTS),
        "retry": st.fixed_dictionaries(
            {"max_attempts": st.integers(1, 9)},
            optional={"backoff_base": st.sampled_from(_TIMEOUTS)},
        ),
    },
)
_SECOND = {"uses": "echo.health"}
_USES = st.builds(
    lambda plugin, command, options: {"uses": plugin + command, **options},
    st.sampled_from(_PLUGINS),
    st.sampled_from(["", "", ".poll"]),
    _OPTIONS,
)


@st.composite
def pipelines(draw: st.DrawFn) -> list[Raw]:
    """Correct pipelines that call later ones; each begins with two different plugins."""
    found: list[Raw] = []
    single: list[str] = []
    branched: list[str] = []
    for number in reversed(range(draw(st.integers(1, 4)))):
        steps, ends = draw(_sequences(tuple(single), tuple(branched), 3))
        name = f"p{number}"
        event_type = draw(st.sampled_from(["on", "video.posted", "tick"]))
        found.insert(
            0, {"name": name, "on": event_type, "steps": [draw(_USES), dict(_SECOND), *steps]}
        )
        (single if ends == 1 else branched).append(name)
    for pipeline in found:
        _give_ids(pipeline, draw)
    return found


@st.composite
def _sequences(
    draw: st.DrawFn, single: tuple[str, ...], branched: tuple[str, ...], depth: int
) -> tuple[list[Raw], int]:
    """Steps in a row, and in how many branches they end."""
    steps: list[Raw] = [
        draw(_USES | (st.sampled_from(single).map(_call) if single else st.nothing()))
        for _ in range(draw(st.integers(0, 2)))
    ]
    kind = draw(st.sampled_from(["uses", "call", "split", "steps"] if depth else ["uses"]))
    if kind == "call" and single + branched:
        name = draw(st.sampled_from(single + branched))
        return [*steps, _call(name)], 1 if name in single else 2
    if kind == "steps":
        inner, ends = draw(_sequences(single, branched, depth - 1))
        return [*steps, {"steps": inner}], ends
    if kind == "split":
        branches, ends = [], 0
        for _ in range(draw(st.integers(1, 3))):
            inner, inner_ends = draw(_sequences(single, branched, depth - 1))
            branches.append(inner[0] if len(inner) == 1 else {"steps": inner})
            ends += inner_ends
        return [*steps, {"split": branches}], ends
    return [*steps, draw(_USES)], 1


def _call(name: str) -> Raw:
    return {"call": name}


def _give_ids(pipeline: Raw, draw: st.DrawFn) -> None:
    for number, step in enumerate(all_steps(pipeline["steps"])):
        if draw(st.integers(0, 3)) == 0:
            step["id"] = f"s{number}"


def all_steps(steps: list[Raw]) -> Iterator[Raw]:
    """Each step of a pipeline, those within others included."""
    for step in steps:
        yield step
        yield from all_steps([*step.get("split", ()), *step.get("steps", ())])


def as_text(found: list[Raw], random: Random) -> str:
    """A file that holds these pipelines, with keys in any order and comments anywhere."""
    return "\n".join(_lines({"pipelines": found}, random))


def _lines(value: Any, random: Random) -> Iterator[str]:
    if not isinstance(value, dict | list) or random.random() < 0.1:
        yield encode(value).decode().replace(",", ", ")
        return
    items: list[tuple[str, Any]]
    if isinstance(value, dict):
        items = [(f"{key}:", part) for key, part in value.items()]
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


def _other_type(found: list[Raw], random: Random) -> None:
    found[0]["on"] += ".other"


def _other_name(found: list[Raw], random: Random) -> None:
    found[0]["name"] = "renamed"


def _other_workspace(found: list[Raw], random: Random) -> None:
    step = random.choice(_uses(found))
    step["workspace"] = "empty" if step.get("workspace") == "copy" else "copy"


def _other_timeout(found: list[Raw], random: Random) -> None:
    random.choice(_uses(found))["timeout"] = "77s"


def _other_retry(found: list[Raw], random: Random) -> None:
    step = random.choice(_uses(found))
    key, value = random.choice([("max_attempts", 77), ("backoff_base", "77s")])
    step.setdefault("retry", {})[key] = value


def _other_id(found: list[Raw], random: Random) -> None:
    random.choice(_uses(found))["id"] = "renamed"


def _one_more_step(found: list[Raw], random: Random) -> None:
    steps = found[0]["steps"]
    steps.insert(random.randrange(len(steps)), {"uses": "echo"})


def _moved_branch(found: list[Raw], random: Random) -> None:
    """What followed a step is put beside it."""
    steps = found[0]["steps"]
    steps[-2:] = [{"split": steps[-2:]}]


#: Each changes what the first pipeline means.
CHANGES: dict[str, Change] = {
    change.__name__.strip("_"): change
    for change in (
        _other_plugin,
        _other_command,
        _other_order,
        _other_type,
        _other_name,
        _other_workspace,
        _other_timeout,
        _other_retry,
        _other_id,
        _one_more_step,
        _moved_branch,
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
]
_KEYS = ["uses", "call", "split", "steps", "id", "name", "on", "timeout", "retry", "whit"]


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
