"""What is written as TOML comes back equal."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.toml_text import dumps

TEXTS = st.text(st.characters(codec="utf-8"), max_size=10)
SCALARS = st.one_of(
    TEXTS, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
TABLES = st.recursive(
    st.dictionaries(TEXTS, st.one_of(SCALARS, st.lists(SCALARS, max_size=3)), max_size=3),
    lambda inner: st.dictionaries(TEXTS, st.one_of(inner, st.lists(inner, min_size=1, max_size=3)), max_size=3),
    max_leaves=10,
)


@given(TABLES)
def test_what_is_written_comes_back(table: dict[str, object]) -> None:
    assert tomllib.loads(dumps(table)) == table


def test_none_is_left_out_and_other_things_are_refused() -> None:
    assert dumps({"a": None, "b": 1}) == "b = 1\n"
    with pytest.raises(TypeError):
        dumps({"a": object()})
