"""The plan is a function of the seed, and its first rounds leave out no fault."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.plan import LATEST_S, Kind, plan

SEEDS = st.integers(0, 1 << 31)


@given(SEEDS, st.integers(1, 12))
def test_every_fault_comes_first_in_turn_and_the_same_seed_brings_the_same(seed: int, rounds: int) -> None:
    found = list(plan(rounds, seed))
    assert found == list(plan(rounds, seed))
    assert [one.number for one in found] == list(range(1, rounds + 1))
    first = Counter(fault.kind for one in found[:6] for fault in one.faults)
    assert first == Counter(Kind)


@given(SEEDS, st.sets(st.sampled_from(Kind), min_size=1))
def test_only_what_is_asked_for_and_all_of_it_in_the_end(seed: int, kinds: set[Kind]) -> None:
    faults = [fault for one in plan(200, seed, kinds) for fault in one.faults]
    assert {fault.kind for fault in faults} == kinds
    assert all(0 <= fault.after_s <= LATEST_S and 0 <= fault.chance < 1 for fault in faults)
    assert not any(fault.held for fault in faults if not fault.kind.kill)


def test_later_rounds_kill_twice_now_and_then() -> None:
    kills = Counter(sum(fault.kind.kill for fault in one.faults) for one in list(plan(200, 1))[6:])
    assert set(kills) == {1, 2}
