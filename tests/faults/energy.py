"""Energy of quarter-hours by hand: from what the meters showed, without a line of the warehouse's accounts.

A register is known at its readings and, between two of them, on the straight line, rounded half up to its last digit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from typing import Final

QUARTER_MS: Final = 900_000


def by_hand(
    readings: Iterable[tuple[int, int]], span: int, worth: Decimal, start_ms: int, end_ms: int
) -> dict[int, Decimal]:
    """Return energy by the beginning of each quarter-hour of [start, end) whose both ends lie between readings.

    ``readings`` are (UTC ms, display) of a register with ``span`` distinct displays; a display that falls has rolled
    over. One count is worth ``worth``.
    """
    times: list[int] = []
    counts: list[int] = []
    for t_ms, display in sorted(readings):
        before = counts[-1] if counts else display
        times.append(t_ms)
        counts.append(before + (display - before) % span)
    ends = [
        (at_ms, _count_at(times, counts, at_ms))
        for at_ms in range(-(-start_ms // QUARTER_MS) * QUARTER_MS, end_ms + 1, QUARTER_MS)
        if times and times[0] <= at_ms <= times[-1]
    ]
    return {
        first_ms: (after - before) * worth
        for (first_ms, before), (then_ms, after) in pairwise(ends)
        if then_ms - first_ms == QUARTER_MS
    }


def _count_at(times: list[int], counts: list[int], at_ms: int) -> int:
    place = bisect_right(times, at_ms) - 1
    if times[place] == at_ms:
        return counts[place]
    length_ms = times[place + 1] - times[place]
    grown = counts[place + 1] - counts[place]
    return counts[place] + (2 * grown * (at_ms - times[place]) + length_ms) // (2 * length_ms)
