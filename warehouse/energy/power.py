"""The account of a meter that tells its power only: quarter-hours integrated from samples. Pure, no floats inside.

Between two samples the power is taken to run straight, so that the energy between them is a trapezoid; what is above
zero is drawn, what is below is fed back, divided where the line crosses zero. A sample is taken at a billionth of its
unit, everything after that is exact, and each quarter-hour is rounded once, half up, to :data:`STEP`. Power tells
nothing of a time without samples: where two are farther apart than the gauge's limit the energy is unknown, never
spread and never 0. Each quarter-hour depends on samples within the limit of it only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from math import isfinite
from typing import Final

from warehouse.energy.account import QUARTER_MS, Interval, Multiplier, Quality, Reason

NANO: Final = 9
"""Decimal places at which a sample is taken: below what any meter tells, and above the noise of a float."""
STEP: Final = Decimal("0.000001")
"""Last digit of an integrated energy, in the unit of the account: a milliwatt-hour of a kWh."""
HOUR_MS: Final = 3_600_000
LEAST_LIMIT_MS: Final = 300_000
MOST_LIMIT_MS: Final = 2_700_000


@dataclass(frozen=True, slots=True)
class Sample:
    """Power at a time, in billionths of the gauge's unit; below zero when it flows back."""

    t_ms: int
    nano: int


@dataclass(frozen=True, slots=True)
class Gauge:
    """How far apart samples may be, and how large (in billionths, either sign; ``None``: unknown)."""

    limit_ms: int
    max_nano: int | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples by time, one per time, and those that no meter of this size can have meant."""

    kept: tuple[Sample, ...]
    set_aside: tuple[Sample, ...]


def limit_ms(interval_ms: int) -> int:
    """Return how far apart samples may be: three times the interval at which they are expected, 5 to 45 minutes."""
    return max(LEAST_LIMIT_MS, min(3 * interval_ms, MOST_LIMIT_MS))


def nano(power: float | Decimal) -> int:
    """Return billionths of a power, half up; of a float its shortest decimal notation counts."""
    exact = power if isinstance(power, Decimal) else Decimal(repr(power))
    return int(exact.scaleb(NANO).to_integral_value(ROUND_HALF_UP))


def in_order(readings: Iterable[tuple[int, float | Decimal, int]], gauge: Gauge) -> Samples:
    """Sort (time, power, quality code): per time the better quality, then the later given, counts.

    Set aside is what exceeds the gauge's maximum. A float that is no number is left out.
    """
    best: dict[int, tuple[int, int]] = {}
    for t_ms, power, quality in readings:
        if isfinite(power) and (t_ms not in best or quality <= best[t_ms][1]):
            best[t_ms] = (nano(power), quality)
    kept: list[Sample] = []
    set_aside: list[Sample] = []
    for t_ms in sorted(best):
        sample = Sample(t_ms, best[t_ms][0])
        beyond = gauge.max_nano is not None and abs(sample.nano) > gauge.max_nano
        (set_aside if beyond else kept).append(sample)
    return Samples(tuple(kept), tuple(set_aside))


def integrate(
    samples: Sequence[Sample],
    gauge: Gauge,
    multipliers: Sequence[Multiplier],
    *,
    feed_in: bool,
    start_ms: int,
    end_ms: int,
) -> tuple[Interval, ...]:
    """Return every quarter-hour within [start, end): what was drawn, or with ``feed_in`` what was fed back.

    ``samples`` by time, from the limit before ``start_ms`` to the limit after ``end_ms``; a multiplier's ``per_count``
    is the energy of one billionth of the gauge's unit over an hour. What is known is ``estimated`` with reason
    ``integrated_power``. Unknown is a quarter-hour that samples do not cover (``power_gap``), that they do not touch
    (``no_reading``), or for which there are no ratios (``no_multiplier``).
    """
    if start_ms % QUARTER_MS or end_ms % QUARTER_MS:
        raise ValueError(f"{start_ms} and {end_ms} must be quarter-hours")
    ratios = sorted(multipliers, key=lambda multiplier: multiplier.start_ms)
    return tuple(_intervals(samples, gauge, ratios, feed_in, start_ms, end_ms))


def _intervals(
    samples: Sequence[Sample], gauge: Gauge, ratios: Sequence[Multiplier], feed_in: bool, start_ms: int, end_ms: int
) -> Iterator[Interval]:
    first = 0
    for quarter_ms in range(start_ms, end_ms, QUARTER_MS):
        until_ms = quarter_ms + QUARTER_MS
        while first + 1 < len(samples) and samples[first + 1].t_ms <= quarter_ms:
            first += 1
        last = first
        while last < len(samples) and samples[last].t_ms < until_ms:
            last += 1
        yield _interval(quarter_ms, samples[first : last + 1], gauge, ratios, feed_in)


def _interval(
    quarter_ms: int, samples: Sequence[Sample], gauge: Gauge, ratios: Sequence[Multiplier], feed_in: bool
) -> Interval:
    """Account for one quarter-hour; ``samples`` from the last one at or before it to the first at or after its end."""
    until_ms = quarter_ms + QUARTER_MS
    doubled: list[int | Fraction] = [0] * len(ratios)
    covered_ms = 0
    told = any(quarter_ms <= sample.t_ms < until_ms for sample in samples)
    unpriced = False
    for before, after in pairwise(samples):
        from_ms, to_ms = max(quarter_ms, before.t_ms), min(until_ms, after.t_ms)
        if from_ms >= to_ms or after.t_ms - before.t_ms > gauge.limit_ms:
            continue
        covered_ms += to_ms - from_ms
        priced_ms = 0
        for place, ratio in enumerate(ratios):
            a_ms = max(from_ms, ratio.start_ms)
            b_ms = to_ms if ratio.end_ms is None else min(to_ms, ratio.end_ms)
            if a_ms < b_ms:
                doubled[place] += _doubled_area(before, after, a_ms, b_ms, feed_in)
                priced_ms += b_ms - a_ms
        unpriced = unpriced or priced_ms < to_ms - from_ms
    if covered_ms < QUARTER_MS:
        reason = Reason.POWER_GAP if covered_ms or told else Reason.NO_READING
        return Interval(quarter_ms, None, None, Quality.UNKNOWN, reason)
    if unpriced:
        return Interval(quarter_ms, None, None, Quality.UNKNOWN, Reason.NO_MULTIPLIER)
    energy = sum((Fraction(r.per_count) * twice for r, twice in zip(ratios, doubled, strict=True)), Fraction(0))
    steps = _half_up(energy / (2 * HOUR_MS) / Fraction(STEP))
    return Interval(quarter_ms, None, steps * STEP, Quality.ESTIMATED, Reason.INTEGRATED_POWER)


def _doubled_area(before: Sample, after: Sample, from_ms: int, to_ms: int, feed_in: bool) -> int | Fraction:
    """Return twice the area between the straight line through two samples and zero, on one side of zero only."""
    sign = -1 if feed_in else 1
    first, second = sign * before.nano, sign * after.nano
    if first < 0 and second < 0:
        return 0
    length_ms = after.t_ms - before.t_ms
    if first >= 0 and second >= 0 and to_ms - from_ms == length_ms:
        return (first + second) * length_ms
    from_, to = Fraction(from_ms), Fraction(to_ms)
    if (first < 0) != (second < 0):
        crossing_ms = before.t_ms + Fraction(first * length_ms, first - second)
        if first < 0:
            from_ = max(from_, crossing_ms)
        else:
            to = min(to, crossing_ms)
    if from_ >= to:
        return 0
    # The line at both ends together, times the time between them.
    ends = (first * (2 * after.t_ms - from_ - to) + second * (from_ + to - 2 * before.t_ms)) / length_ms
    return ends * (to - from_)


def _half_up(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
