"""Conditions: predicates over paths, joined by all, any and not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from ductile.expressions.errors import ExpressionError, MissingPath
from ductile.expressions.operators import OPERATORS, Operator, Test, predicate, written
from ductile.expressions.paths import ROOTS, Path
from ductile.expressions.values import check_json, whole_numbers
from ductile.expressions.words import did_you_mean, kind, quoted, shown
from ductile.model.json import Json, canonical, decode

MAX_DEPTH: Final = 3
"""How many of all, any and not may be inside each other."""
MAX_PREDICATES: Final = 20
_MAX_REASON: Final = 300
_MAX_REASONS: Final = 3

_GROUPS: Final = ("all", "any", "not")
_KEYS: Final = ("path", "op", "value")
_FORM: Final = "write {path: payload.url, op: exists}, or all, any or not"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a condition holds, and what decided it."""

    holds: bool
    reason: str
    """For people, one line, short. Values from `config` are never in it: some are secrets."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A question about a scope that is answered with yes or no.

    Equal conditions are those written alike, the order of keys and the spelling of paths and
    numbers aside: 1 is 1.0. The order of lists counts.
    """

    _form: bytes
    _node: _Node = field(compare=False, repr=False)

    @classmethod
    def parse(
        cls, raw: Json, roots: Collection[str] = ROOTS
    ) -> tuple[Condition | None, list[ExpressionError]]:
        """The condition that a value states, or everything that is wrong with it."""
        reader = _Reader(roots)
        node = reader.read(raw, (), 0)
        if node is None or reader.errors:
            return None, reader.errors
        return cls(canonical(_canonical(node)), node), []

    def decide(self, scope: Mapping[str, Json]) -> Decision:
        """Whether it holds for the scope; never an error, whatever the scope is.

        A missing path, or a value of a kind that the operator does not compare, makes every
        operator false but `neq`, which holds exactly where `eq` does not.
        """
        decision = _decide(self._node, scope, wanted=True)
        if len(decision.reason) <= _MAX_REASON:
            return decision
        return Decision(decision.holds, f"{decision.reason[: _MAX_REASON - 1]}…")

    def canonical(self) -> Json:
        """What `parse` makes an equal condition of; the same for all equal conditions."""
        return decode(self._form)

    def paths(self) -> tuple[Path, ...]:
        """Every path that it looks at, once each, in the order of writing."""
        return tuple(dict.fromkeys(_paths(self._node)))


@dataclass(frozen=True, slots=True)
class _Predicate:
    path: Path
    operator: Operator
    value: Json
    test: Test


@dataclass(frozen=True, slots=True)
class _Group:
    every: bool
    """Whether all must hold, or only one."""
    nodes: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Not:
    node: _Node


_Node: TypeAlias = _Predicate | _Group | _Not


def _canonical(node: _Node) -> Json:
    match node:
        case _Predicate(path, operator, value):
            form = {"path": str(path), "op": operator.name}
            return form | {"value": whole_numbers(value)} if operator.takes_value else form
        case _Group(every, nodes):
            return {"all" if every else "any": [_canonical(each) for each in nodes]}
        case _Not(inner):
            return {"not": _canonical(inner)}


def _paths(node: _Node) -> list[Path]:
    match node:
        case _Predicate(path):
            return [path]
        case _Group(nodes=nodes):
            return [path for each in nodes for path in _paths(each)]
        case _Not(inner):
            return _paths(inner)


# --- deciding --------------------------------------------------------------------------------


def _decide(node: _Node, scope: Mapping[str, Json], *, wanted: bool) -> Decision:
    """Decide a node; `wanted` is what it should come to for the whole condition to hold."""
    match node:
        case _Predicate():
            return _decide_predicate(node, scope, wanted=wanted)
        case _Group(every, nodes):
            return _decide_group(every, nodes, scope, wanted=wanted)
        case _Not(inner):
            decision = _decide(inner, scope, wanted=not wanted)
            return Decision(not decision.holds, decision.reason)


def _decide_predicate(node: _Predicate, scope: Mapping[str, Json], *, wanted: bool) -> Decision:
    try:
        found = node.path.resolve(scope)
    except MissingPath:
        holds, what = node.operator.if_missing, "missing"
    else:
        holds = node.test(found)
        what = kind(found) if node.path.root == "config" else shown(found)
    if holds is wanted:
        expected = f"as expected ({predicate(node.operator, node.value, wanted=wanted)})"
    else:
        expected = f"expected {written(node.operator, node.value, wanted=wanted)}"
    return Decision(holds, f"{node.path} is {what}, {expected}")


def _decide_group(
    every: bool, nodes: tuple[_Node, ...], scope: Mapping[str, Json], *, wanted: bool
) -> Decision:
    reasons: list[str] = []
    for node in nodes:
        decision = _decide(node, scope, wanted=wanted)
        if decision.holds is not every:
            return decision
        reasons.append(decision.reason)
    if len(nodes) == 1:
        return Decision(every, reasons[0])
    rest = len(reasons) - _MAX_REASONS
    told = [*reasons[:_MAX_REASONS], *([f"and {rest} more"] if rest > 0 else [])]
    how_many = "all" if every else "none"
    return Decision(every, f"{how_many} of {len(nodes)} conditions hold: {'; '.join(told)}")


# --- reading ---------------------------------------------------------------------------------


class _Reader:
    """Makes nodes of written values and collects everything that is wrong with them."""

    def __init__(self, roots: Collection[str]) -> None:
        self.errors: list[ExpressionError] = []
        self._roots = roots
        self._predicates = 0

    def read(self, raw: Json, at: tuple[str | int, ...], depth: int) -> _Node | None:
        """The node that `raw`, inside `depth` groups, states; None if it is wrong."""
        if not isinstance(raw, Mapping) or not raw:
            self._wrong(f"expected a condition, found {shown(raw)}", _FORM, at)
            return None
        groups = [key for key in _GROUPS if key in raw]
        if not groups:
            return self._predicate(raw, at)
        self._check_alone(raw, groups, at)
        if depth >= MAX_DEPTH:
            message = f"expected all, any and not at most {MAX_DEPTH} deep in each other"
            self._wrong(f"{message}, found more", "say it with fewer levels", at)
            return None
        nodes = [self._group(key, raw[key], (*at, key), depth + 1) for key in groups]
        return nodes[0]

    def _group(self, key: str, raw: Json, at: tuple[str | int, ...], depth: int) -> _Node | None:
        if key == "not":
            inner = self.read(raw, at, depth)
            return inner and _Not(inner)
        if not isinstance(raw, list) or not raw:
            message = f"expected a list of conditions under {key}, found {shown(raw)}"
            self._wrong(message, 'start each condition with "- "', at)
            return None
        nodes = [self.read(each, (*at, index), depth) for index, each in enumerate(raw)]
        return _Group(key == "all", tuple(each for each in nodes if each is not None))

    def _check_alone(
        self, raw: Mapping[str, Json], groups: list[str], at: tuple[str | int, ...]
    ) -> None:
        for key in raw:
            if key != groups[0]:
                self._wrong(
                    f"expected {quoted(groups[0])} alone, found {quoted(str(key))} beside it",
                    "put both into the list of one all",
                    (*at, key),
                    at_key=True,
                )

    def _predicate(self, raw: Mapping[str, Json], at: tuple[str | int, ...]) -> _Node | None:
        self._predicates += 1
        if self._predicates == MAX_PREDICATES + 1:
            message = f"expected at most {MAX_PREDICATES} predicates in one condition, found more"
            self._wrong(message, "let a plugin decide, and route by its events", at)
        for key in raw:
            if key not in _KEYS:
                message = f"unknown key {quoted(str(key))} in a condition"
                hint = did_you_mean(key, (*_KEYS, *_GROUPS)) or _FORM
                self._wrong(message, hint, (*at, key), at_key=True)
        for key in ("path", "op"):
            if key not in raw:
                self._wrong(f'missing key "{key}" in a condition', f'add "{key}: …"', at)
        path = self._path(raw["path"], (*at, "path")) if "path" in raw else None
        operator = self._operator(raw["op"], (*at, "op")) if "op" in raw else None
        test = None if operator is None else self._test(operator, raw, at)
        if path is None or operator is None or test is None:
            return None
        return _Predicate(path, operator, raw.get("value"), test)

    def _path(self, raw: Json, at: tuple[str | int, ...]) -> Path | None:
        if not isinstance(raw, str):
            self._wrong(f"expected a path, found {shown(raw)}", "write payload.url", at)
            return None
        try:
            return Path.parse(raw, self._roots)
        except ExpressionError as error:
            self.errors.append(error.under(at))
            return None

    def _operator(self, raw: Json, at: tuple[str | int, ...]) -> Operator | None:
        operator = OPERATORS.get(raw) if isinstance(raw, str) else None
        if operator is None:
            hint = did_you_mean(raw, OPERATORS) or f"known are {', '.join(OPERATORS)}"
            self._wrong(f"expected an operator, found {shown(raw)}", hint, at)
        return operator

    def _test(
        self, operator: Operator, raw: Mapping[str, Json], at: tuple[str | int, ...]
    ) -> Test | None:
        inside = (*at, "value")
        if "value" in raw and not operator.takes_value:
            message, hint = f"{operator.name} takes no value", 'remove "value"'
            self._wrong(message, hint, inside, at_key=True)
            return None
        if "value" not in raw and operator.takes_value:
            self._wrong(f'{operator.name} needs a "value"', 'add "value: …"', at)
            return None
        value = raw.get("value")
        if errors := check_json(value):
            self.errors += [error.under(inside) for error in errors]
            return None
        try:
            return operator.test(value)
        except ExpressionError as error:
            self.errors.append(error.under(inside))
            return None

    def _wrong(
        self, message: str, hint: str, at: tuple[str | int, ...], *, at_key: bool = False
    ) -> None:
        self.errors.append(ExpressionError(message, hint, at, at_key=at_key))
