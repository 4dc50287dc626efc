"""A small model of the language: which step runs how often, whatever the order of the work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ductile.model.json import Json, JsonObject

#: A key of the payload, and the value that lets a step run.
Condition: TypeAlias = tuple[str, int]
#: The types of events that made-up steps emit.
ON, OVER = "on", "over"


@dataclass
class Use:
    """A step with a plugin."""

    condition: Condition | None = None
    join: bool = False
    fails: bool = False
    emits: Sequence[tuple[str, int]] = ()
    """Type, and the number in the payload."""
    routed: bool = False
    """Whether `on_events` lets `ON` go to the next step, and `OVER` to the one behind that."""
    name: str = ""


@dataclass
class Group:
    """`steps`."""

    steps: list[Element]
    condition: Condition | None = None
    join: bool = False
    name: str = ""


@dataclass
class Split:
    """`split`."""

    branches: list[Element]
    condition: Condition | None = None
    join: bool = False
    name: str = ""


Element: TypeAlias = Use | Group | Split


@dataclass(frozen=True, eq=False)
class Token:
    """What leads to a step: an event, in a context, from some jobs."""

    payload: JsonObject
    jobs: frozenset[tuple[str, object]] = frozenset()
    """Step and identity of each."""
    event: object = field(default_factory=object)
    keys: frozenset[str] = frozenset()
    """The steps that wrote to its baggage."""


@dataclass
class Expected:
    """What a run comes to."""

    ran: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    passed: set[str] = field(default_factory=set)
    failed: bool = False
    read: Counter[tuple[str, frozenset[str]]] = field(default_factory=Counter)
    """Step, and which steps wrote what it read."""
    results: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """For each join, the steps whose results it hands on."""


class Walk:
    """Leads tokens through steps, in the order of the file."""

    def __init__(self, flags: JsonObject) -> None:
        self._flags = flags
        self.expected = Expected()

    def sequence(
        self, steps: Sequence[Element], tokens: list[Token], *, failed: bool, gathered: bool = False
    ) -> tuple[list[Token], bool]:
        """What comes out of a list of steps, and whether anything in it or before it failed."""
        waiting: list[list[Token]] = [tokens, *([] for _ in steps)]
        branched = False
        for place, step in enumerate(steps):
            before = gathered and place == 0
            joins = not before and (branched or step.join)
            come = waiting[place]
            if joins:
                come = self._join(step, come, failed=failed)
            onward, over, failed = self._element(step, come, failed, before or joins)
            waiting[place + 1] += onward
            if place + 2 < len(steps):
                waiting[place + 2] += over
            branched = _branched(step)
        return waiting[-1], failed

    def _join(self, step: Element, tokens: list[Token], *, failed: bool) -> list[Token]:
        if failed or not tokens:
            return []
        self.expected.passed.add(f"{step.name}:join")
        jobs = frozenset(job for token in tokens for job in token.jobs)
        keys = frozenset(key for token in tokens for key in token.keys)
        if not jobs:
            return [tokens[0]]
        arrived = {(job, token.event) for token in tokens for job in token.jobs}
        self.expected.results[tuple(sorted(name for (name, _), _ in arrived))] += 1
        return [Token({}, jobs, keys=keys)]

    def _element(
        self, step: Element, tokens: list[Token], failed: bool, gathered: bool
    ) -> tuple[list[Token], list[Token], bool]:
        inside = [token for token in tokens if self._holds(step, token)]
        past = [token for token in tokens if not self._holds(step, token)]
        if past:
            self.expected.skipped[step.name] += len(past)
        match step:
            case Use():
                onward, over = self._run(step, inside)
                return past + onward, over, failed or (step.fails and bool(inside))
            case Group():
                out, failed = self.sequence(step.steps, inside, failed=failed, gathered=gathered)
                return past + out, [], failed
        ends = [
            self.sequence([branch], list(inside), failed=failed, gathered=gathered)
            for branch in step.branches
        ]
        return past + [token for out, _ in ends for token in out], [], any(bad for _, bad in ends)

    def _run(self, step: Use, tokens: list[Token]) -> tuple[list[Token], list[Token]]:
        onward: list[Token] = []
        over: list[Token] = []
        for token in tokens:
            self.expected.ran[step.name] += 1
            self.expected.read[step.name, token.keys] += 1
            if step.fails:
                self.expected.failed = True
                continue
            job, keys = frozenset({(step.name, object())}), token.keys | {step.name}
            emitted = [(kind, Token({"n": n}, job, keys=keys)) for kind, n in step.emits]
            for kind, each in emitted or [("", Token({}, job, keys=keys))]:
                if not step.routed or kind == ON:
                    onward.append(each)
                elif kind == OVER:
                    over.append(each)
        return onward, over

    def _holds(self, step: Element, token: Token) -> bool:
        if step.condition is None:
            return True
        key, value = step.condition
        return {**self._flags, **token.payload}.get(key) == value


def expectation(
    main: Sequence[Element],
    on_failure: Sequence[Element],
    finally_: Sequence[Element],
    flags: JsonObject,
) -> tuple[Expected, Expected]:
    """What the main part comes to, and what the parts behind it do."""
    first, later = Walk(flags), Walk(flags)
    first.sequence(main, [Token({})], failed=False)
    if first.expected.failed and on_failure:
        later.sequence(on_failure, [Token({})], failed=False)
    if finally_:
        later.sequence(finally_, [Token({})], failed=False)
    return first.expected, later.expected


def written(steps: Sequence[Element], behind: str | None = None) -> list[Json]:
    """The steps as a pipeline file has them; `behind` is what follows around them."""
    names = [step.name for step in steps]
    return [_written(step, names[place + 1 :], behind) for place, step in enumerate(steps)]


def prepared(steps: list[Element], prefix: str) -> list[Element]:
    """Give the steps names, and take away what the language refuses."""
    _number(steps, prefix)
    _wait_for_something(steps[:1])
    _lead_somewhere(steps, last=True)
    return steps


def _number(steps: Sequence[Element], prefix: str) -> None:
    for place, step in enumerate(steps, start=1):
        step.name = f"{prefix}{place}"
        _number(_inside(step), f"{step.name}-")


def _wait_for_something(first: Sequence[Element]) -> None:
    for step in first:
        step.join = False
        _wait_for_something(step.branches if isinstance(step, Split) else _inside(step)[:1])


def _lead_somewhere(steps: Sequence[Element], *, last: bool) -> None:
    for place, step in enumerate(steps):
        nothing_behind = last and (place == len(steps) - 1)
        match step:
            case Use():
                step.routed = step.routed and not nothing_behind
            case Group():
                _lead_somewhere(step.steps, last=nothing_behind)
            case Split():
                for branch in step.branches:
                    _lead_somewhere([branch], last=nothing_behind)


def _inside(step: Element) -> Sequence[Element]:
    match step:
        case Use():
            return ()
        case Group():
            return step.steps
    return step.branches


def _written(step: Element, rest: Sequence[str], around: str | None) -> Json:
    document: dict[str, Json] = {"id": step.name}
    behind = rest[0] if rest else around
    targets = rest[:2] or ([] if around is None else [around])
    match step:
        case Use():
            document["uses"] = "work"
            if step.routed:
                document["on_events"] = {
                    kind: [name] for kind, name in zip((ON, OVER), targets, strict=False)
                }
        case Group():
            document["steps"] = written(step.steps, behind)
        case Split():
            document["split"] = [_written(branch, (), behind) for branch in step.branches]
    if step.condition is not None:
        key, value = step.condition
        document["if"] = {"path": f"payload.{key}", "op": "eq", "value": value}
    if step.join:
        document["join"] = "all"
    return document


def _branched(step: Element) -> bool:
    match step:
        case Use():
            return False
        case Group():
            return _branched(step.steps[-1])
    return len(step.branches) > 1 or _branched(step.branches[0])
