"""Codes of enterprises: vectors of GB 32100-2015, in Python and in the database alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.registry.unhurried import UNHURRIED
from warehouse.postgres import Connection
from warehouse.registry import uscc

VALID = (
    "91350100M000100Y43",
    "91310117MA1J00014T",
    "91310117MA1J00022M",
    "91310117MA1J00030G",
    "91310117MA1J00049D",
    "91310117MA1J000578",
)
INVALID = ("91310115MA1H8R7C6D", "91350100M000100Y4Z")
FIRST17 = st.text(st.sampled_from(uscc.ALPHABET), min_size=17, max_size=17)


@pytest.mark.parametrize("code", VALID)
def test_a_valid_code_has_no_problem(code: str) -> None:
    assert uscc.problem(code) is None
    assert uscc.inner_warning(code) is None


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("91310115MA1H8R7C6D", "check character is 'D', must be '7'"),
        ("91350100M000100Y4Z", "'Z' cannot occur"),
        ("9131O117MA1J00014T", "'O' cannot occur"),
        ("91310117MA1J00014", "17 characters"),
    ],
)
def test_a_wrong_code_says_what_is_wrong(code: str, part: str) -> None:
    assert part in str(uscc.problem(code))


def test_full_width_and_lower_case_are_narrowed_but_o_is_never_taken_for_zero() -> None:
    assert uscc.normalise(" ９１310117ｍa1j00014T ") == "91310117MA1J00014T"
    assert uscc.normalise("9131o117MA1J00014T") == "9131O117MA1J00014T"


def test_a_wrong_inner_code_is_a_warning_only() -> None:
    first17 = "91310117MA1J00019"
    code = first17 + uscc.check_character(first17)
    assert uscc.problem(code) is None
    assert uscc.inner_warning(code) == "organisation code ends in '9', its check says '4'"


@UNHURRIED
@given(FIRST17, st.integers(0, 17), st.sampled_from(uscc.ALPHABET))
def test_every_single_wrong_character_is_noticed(first17: str, place: int, other: str) -> None:
    code = first17 + uscc.check_character(first17)
    assert uscc.problem(code) is None
    changed = code[:place] + other + code[place + 1 :]
    assert (uscc.problem(changed) is None) == (changed == code)


def test_the_database_checks_codes_as_python_does(ready: Connection) -> None:
    codes = [*VALID, *INVALID, "", "9131O117MA1J00014T", "91310117ma1j00014t", "91310117MA1J00014"]
    for first17 in ("0" * 17, "Y" * 17, "91310117MA1J00019", "12310117425041234"):
        codes += [first17 + last for last in uscc.ALPHABET]
    rows = ready.execute("SELECT code, registry.is_uscc(code) FROM unnest(%s::text[]) AS code", [codes]).fetchall()
    assert len(rows) == len(codes)
    assert dict(rows) == {code: uscc.problem(code) is None for code in codes}
