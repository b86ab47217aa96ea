"""Energy by hand, by hand."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.energy import QUARTER_MS, by_hand

Q = QUARTER_MS


def test_a_straight_line_is_rounded_at_the_quarter_hours() -> None:
    readings = [(0, 100), (Q // 2, 103), (3 * Q // 2, 110), (2 * Q, 111)]
    # At Q half of the 7 counts between 103 and 110 have been counted: 3.5 is 4.
    assert by_hand(readings, 1000, Decimal("0.5"), 0, 2 * Q) == {0: Decimal("3.5"), Q: Decimal("2.0")}


def test_a_rollover_is_growth_and_the_ends_need_readings_around_them() -> None:
    readings = [(Q - 1, 990), (Q, 995), (2 * Q, 3), (3 * Q - 1, 9)]
    assert by_hand(readings, 1000, Decimal(2), 0, 4 * Q) == {Q: Decimal(16)}
    assert by_hand([], 1000, Decimal(1), 0, Q) == {}


@given(st.lists(st.tuples(st.integers(0, 10 * Q), st.integers(0, 9)), min_size=2, unique_by=lambda one: one[0]))
def test_sums_telescope(steps: list[tuple[int, int]]) -> None:
    total, readings = 0, [(-1, 0)]
    for t_ms, grown in sorted(steps):
        total += grown
        readings.append((t_ms, total % 50))
    readings.append((10 * Q + 1, total % 50))
    found = by_hand(readings, 50, Decimal(1), 0, 10 * Q)
    assert len(found) == 10
    first = next(value for t_ms, value in readings if t_ms >= 0)
    assert 0 <= total - sum(found.values()) <= first
