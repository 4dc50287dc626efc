"""Scopes, and random JSON, for the tests of expressions."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

#: Few names, so that random paths meet random values.
NAMES: Final = ("a", "b", "a.b", "0", "1", "payload", "")
#: What orjson reads: numbers of 64 bits, text without half surrogates.
SCALARS: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1, 1.0, "", "a", "1", "true"]),
    st.text(max_size=8),
)
JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
SCOPES: Final = st.fixed_dictionaries(
    {}, optional={"payload": JSON, "context": JSON, "config": JSON}
)
