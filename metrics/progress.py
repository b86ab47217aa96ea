"""Progress against a target, by kind of target (domain rules A3). Pure; decimals of 34 digits, nothing is rounded.

Two clocks. `elapsed` (k) is in calendar years since the base date and serves counts, stocks, ratios and levels, never
beyond the plan. Growth and decline have their own (m): the number of yearly rates that were chained, in the exponent
and in the expected path alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from math import prod
from typing import Final

PRECISION: Final = Context(prec=34, rounding=ROUND_HALF_EVEN)
"""As in decimal128: more than any statistic has, so that rounding happens once, at display."""
ONE: Final = Decimal(1)
HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an indicator has come; ``None`` where the kind of target, or what is known, does not say."""

    actual: Decimal
    target: Decimal
    reached: bool
    """True when the target is reached now."""
    expected: Decimal | None = None
    """What the path to the target expects of the indicator by now."""
    progress: Decimal | None = None
    """Share of the way that was made; 1 is the target."""
    expected_progress: Decimal | None = None
    """Share of the way that the path expects by now."""
    still_needed: Decimal | None = None
    """What is still needed, in the unit of the value (of a decline: against where things stand now); negative when the
    target is exceeded."""
    still_needed_a_year: Decimal | None = None
    """The same for each remaining year (of growth: the yearly rate that is needed); ``None`` when none remains."""
    stretch: bool | None = None
    """Of a range: whether its upper end is reached."""
    near: bool = False
    """Of a band: inside, and close to its edge."""
    paced: bool = True
    """False for bands, milestones and ranks: there is no path to be ahead of or behind."""

    @property
    def ratio(self) -> Decimal | None:
        """Progress over expected progress; ``None`` when either is unknown, or nothing is expected yet."""
        if self.progress is None or not self.expected_progress:
            return None
        return PRECISION.divide(self.progress, self.expected_progress)


def cumulative(target: Decimal, actual: Decimal, elapsed: Fraction, years: int) -> Progress:
    """Progress of a count that starts from 0 at the base date: X / T against k / n."""
    return stock(Decimal(0), target, actual, elapsed, years)


def stock(base: Decimal | None, target: Decimal, actual: Decimal, elapsed: Fraction, years: int) -> Progress:
    """Progress of a stock that starts from ``base``: (X − B) / (T − B) against k / n; without a base it is withheld."""
    with localcontext(PRECISION):
        reached = actual >= target if base is None or target >= base else actual <= target
        left = max(Fraction(0), years - elapsed)
        needed = target - actual
        a_year = needed / _decimal(left) if left else None
        if base is None or base == target:
            return Progress(actual, target, reached, still_needed=needed, still_needed_a_year=a_year)
        share = _decimal(min(elapsed, Fraction(years)) / years)
        way = target - base
        return Progress(actual, target, reached, base + way * share, (actual - base) / way, share, needed, a_year)


def ratio(base: Decimal | None, target: Decimal, actual: Decimal, full_years: int, years: int) -> Progress:
    """Progress of a ratio or yearly level, as of a stock, but by full years only."""
    return stock(base, target, actual, Fraction(full_years), years)


def growth(target: Decimal, rates: Sequence[Decimal], years: int | None = None) -> Progress:
    """Progress of a yearly growth: the mean of the ``rates`` chained, over the target. Rates and target as fractions.

    A half-year against the same half-year before counts as a (provisional) yearly rate. With ``years`` of the plan,
    what each remaining year must grow by for the plan's mean to be the target.
    """
    with localcontext(PRECISION):
        made = prod((ONE + rate for rate in rates), start=ONE)
        achieved = made ** (ONE / len(rates)) - ONE
        left = (years or 0) - len(rates)
        a_year = ((ONE + target) ** (years or 0) / made) ** (ONE / left) - ONE if left > 0 else None
        return Progress(
            achieved,
            target,
            # Not the root, which is rounded: 20 % in the mean must reach a target of 20 %.
            made >= (ONE + target) ** len(rates),
            expected=target,
            progress=achieved / target,
            expected_progress=ONE,
            still_needed=target - achieved,
            still_needed_a_year=a_year,
        )


def decline(target: Decimal, changes: Sequence[Decimal], years: int) -> Progress:
    """Progress of a decline: ln(1 − D) / ln(1 − T), for declines multiply and do not add.

    ``changes`` are the published yearly changes as fractions, negative when falling; D = 1 − ∏(1 + change).
    """
    with localcontext(PRECISION):
        left, goal, chained = prod((ONE + change for change in changes), start=ONE), ONE - target, len(changes)
        remaining = years - chained
        return Progress(
            ONE - left,
            target,
            left <= goal,
            expected=ONE - goal ** (Decimal(min(chained, years)) / years),
            progress=left.ln() / goal.ln(),
            expected_progress=Decimal(min(chained, years)) / years,
            still_needed=ONE - goal / left,
            still_needed_a_year=ONE - (goal / left) ** (ONE / remaining) if remaining > 0 else None,
        )


def intensity_change(energy_change: Decimal, real_growth: Decimal) -> Decimal:
    """Return the yearly change of energy per value added, negative when it falls: (1 + e) / (1 + v) − 1. Fractions."""
    with localcontext(PRECISION):
        return (ONE + energy_change) / (ONE + real_growth) - ONE


def of_range(
    low: Decimal,
    actual: Decimal,
    elapsed: Fraction,
    years: int,
    *,
    high: Decimal | None = None,
    base: Decimal | None = Decimal(0),
) -> Progress:
    """Progress of a target that is a range: the path leads to its lower end, which is met; the upper end is stretch."""
    found = stock(base, low, actual, elapsed, years)
    return found if high is None else replace(found, stretch=actual >= high)


def band(base: Decimal, actual: Decimal, tolerance: Decimal, warn: Decimal) -> Progress:
    """Say whether a value that is to stay about the same is within ``tolerance`` of its base; no path, no progress."""
    away = abs(actual - base)
    return Progress(actual, base, away <= tolerance, near=warn <= away <= tolerance, paced=False)


def milestone(target: Decimal, actual: Decimal) -> Progress:
    """Say whether something was brought about: yes or no, and no path in between."""
    return Progress(actual, target, actual >= target, paced=False)


def rank(target: Decimal, actual: Decimal) -> Progress:
    """Say whether a rank is reached; 1 is the highest."""
    return Progress(actual, target, actual <= target, paced=False)


def in_percent(found: Progress) -> Progress:
    """Return what was computed in fractions in percent; shares of the way stay as they are."""

    def times_100(value: Decimal | None) -> Decimal | None:
        return None if value is None else PRECISION.multiply(HUNDRED, value)

    return replace(
        found,
        actual=PRECISION.multiply(HUNDRED, found.actual),
        target=PRECISION.multiply(HUNDRED, found.target),
        expected=times_100(found.expected),
        still_needed=times_100(found.still_needed),
        still_needed_a_year=times_100(found.still_needed_a_year),
    )


def _decimal(share: Fraction) -> Decimal:
    return PRECISION.divide(Decimal(share.numerator), Decimal(share.denominator))
