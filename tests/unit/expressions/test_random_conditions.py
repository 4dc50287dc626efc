from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ductile.expressions.conditions import Condition
from ductile.expressions.operators import OPERATORS
from ductile.expressions.paths import Path
from tests.unit.expressions.builders import a_condition
from tests.unit.expressions.scopes import JSON, NAMES, SCOPES

_PATHS = st.builds(
    lambda root, keys: str(Path(root, tuple(keys))),
    st.sampled_from(["payload", "context", "config"]),
    st.lists(st.sampled_from(NAMES), max_size=2),
)
_TEXTS = st.sampled_from(["", "a", "1", "payload"])
_PREDICATES = st.one_of(
    st.fixed_dictionaries({"path": _PATHS, "op": st.just("exists")}),
    st.fixed_dictionaries(
        {"path": _PATHS, "op": st.sampled_from(["eq", "neq", "contains"]), "value": JSON}
    ),
    st.fixed_dictionaries(
        {"path": _PATHS, "op": st.just("in"), "value": st.lists(JSON, max_size=3)}
    ),
    st.fixed_dictionaries(
        {
            "path": _PATHS,
            "op": st.sampled_from(["gt", "gte", "lt", "lte"]),
            "value": st.integers(-2, 2) | _TEXTS,
        }
    ),
    st.fixed_dictionaries(
        {
            "path": _PATHS,
            "op": st.sampled_from(["startswith", "endswith", "regex"]),
            "value": _TEXTS,
        }
    ),
)
_LISTS = st.lists(_PREDICATES, min_size=1, max_size=4)
_CONDITIONS = st.one_of(
    _PREDICATES,
    st.fixed_dictionaries({"not": _PREDICATES}),
    st.fixed_dictionaries({"all": _LISTS}),
    st.fixed_dictionaries({"any": _LISTS}),
    st.fixed_dictionaries({"not": st.fixed_dictionaries({"any": _LISTS})}),
)
_NEAR_CONDITIONS = st.recursive(
    JSON | _PREDICATES,
    lambda inner: st.dictionaries(
        st.sampled_from(["path", "op", "value", "all", "any", "not", "x"]),
        inner | st.lists(inner, max_size=3) | st.sampled_from(sorted(OPERATORS)),
        max_size=4,
    ),
    max_leaves=10,
)


@given(_NEAR_CONDITIONS)
def test_any_json_is_a_condition_or_has_errors(raw: Any) -> None:
    condition, errors = Condition.parse(raw)
    assert (condition is None) is bool(errors)


@given(_CONDITIONS, SCOPES)
def test_every_condition_is_decided_on_every_scope(raw: Any, scope: Any) -> None:
    before = deepcopy(scope)
    decision = a_condition(raw).decide(scope)
    assert len(decision.reason.splitlines()) == 1
    assert repr(scope) == repr(before)


@given(_LISTS, SCOPES)
def test_de_morgan_holds(raw: list[Any], scope: Any) -> None:
    negated = [{"not": each} for each in raw]
    for one, other in (("all", "any"), ("any", "all")):
        left = a_condition({"not": {one: raw}}).decide(scope)
        right = a_condition({other: negated}).decide(scope)
        assert left.holds is right.holds


@given(_CONDITIONS, SCOPES)
def test_not_turns_every_decision_round(raw: Any, scope: Any) -> None:
    assert a_condition({"not": raw}).decide(scope).holds is not a_condition(raw).decide(scope).holds


@given(_CONDITIONS, SCOPES)
def test_the_canonical_form_is_the_same_condition(raw: Any, scope: Any) -> None:
    condition = a_condition(raw)
    again = a_condition(condition.canonical())
    assert again == condition
    assert again.canonical() == condition.canonical()
    assert again.decide(scope).holds is condition.decide(scope).holds
