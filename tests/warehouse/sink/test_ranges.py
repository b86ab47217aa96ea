"""Sets of numbers as ranges, and what a confirmation may say of them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.contract.command import MAX_MISSING, SeqRange, Stored, parse_stored
from warehouse.sink.confirm import Lately, confirmation
from warehouse.sink.ranges import holes, joined, multirange, ranges_of

numbers = st.sets(st.integers(1, 60))


def members(ranges: list[SeqRange]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


@given(numbers)
def test_ranges_hold_what_was_put_in_and_are_apart(found: set[int]) -> None:
    ranges = ranges_of(found)
    assert members(ranges) == found
    assert all(after.first > before.last + 1 for before, after in pairwise(ranges))


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 9)).map(lambda r: SeqRange(r[0], r[0] + r[1]))))
def test_joined_ranges_cover_the_same(found: list[SeqRange]) -> None:
    assert joined(found) == ranges_of(members(found))


@given(numbers, st.integers(0, 70))
def test_holes_are_the_rest(found: set[int], through: int) -> None:
    assert members(holes(ranges_of(found), through)) == set(range(1, through + 1)) - found


def test_the_text_is_postgresqls() -> None:
    assert multirange([SeqRange(1, 1), SeqRange(5, 9)]) == "{[1,2),[5,10)}"
    assert multirange([]) == "{}"


@given(numbers)
def test_a_confirmation_settles_exactly_what_is_settled(settled: set[int]) -> None:
    found = parse_stored(confirmation(7, ranges_of(settled)).encode())
    assert {number for number in range(1, 80) if found.settles(number)} == settled
    assert found.through == max(settled, default=0)


def every_other(last: int) -> list[SeqRange]:
    return [SeqRange(number, number) for number in range(2, last + 1, 2)]


def test_a_confirmation_with_too_many_holes_ends_before_them() -> None:
    found = confirmation(7, every_other(2 * MAX_MISSING))
    assert found == Stored(
        epoch=7, through=2 * MAX_MISSING, missing=tuple(SeqRange(n, n) for n in range(1, 2 * MAX_MISSING, 2))
    )
    assert confirmation(7, every_other(2 * MAX_MISSING + 2)) == found
    assert confirmation(7, every_other(20 * MAX_MISSING)) == found


def test_holes_that_the_agent_no_longer_holds_do_not_stand_in_its_way() -> None:
    found = confirmation(7, every_other(20 * MAX_MISSING), held_first=20 * MAX_MISSING - 3)
    assert found.through == 20 * MAX_MISSING
    assert found.missing == tuple(SeqRange(n, n) for n in (20 * MAX_MISSING - 3, 20 * MAX_MISSING - 1))
    few = confirmation(7, every_other(6), held_first=5)
    assert few.missing == (SeqRange(1, 1), SeqRange(3, 3), SeqRange(5, 5))


def test_what_happened_long_ago_is_forgotten() -> None:
    lately: Lately[str] = Lately(10.0)
    lately.add("a", 0.0)
    assert lately.has("a", 9.9)
    assert not lately.has("a", 10.0)
    lately.add("b", 5.0)
    lately.add("a", 12.0)
    lately.add("c", 16.0)
    assert [lately.has(key, 16.0) for key in "abc"] == [True, False, True]
    assert len(lately) == 2
