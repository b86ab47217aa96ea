"""Progress against a target, by kind of target (domain rules A3). Pure; decimals of 34 digits, nothing is rounded.

Two clocks. `elapsed` is in calendar years since the base date and serves counts and stocks, which grow with time.
Growth and decline have their own: the number of yearly rates that were chained, in the exponent and in the expected
path alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from math import prod
from typing import Final

PRECISION: Final = Context(prec=34, rounding=ROUND_HALF_EVEN)
"""As in decimal128: more than any statistic has, so that rounding happens once, at display."""
ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an indicator has come; ``None`` where the kind of target, or what is known, does not say."""

    actual: Decimal
    target: Decimal
    expected: Decimal | None
    """What the path to the target expects of the indicator by now."""
    progress: Decimal | None
    """Share of the way that was made; 1 is the target."""
    expected_progress: Decimal | None
    """Share of the way that the path expects by now."""

    @property
    def reached(self) -> bool:
        """True when the target is reached now."""
        return self.actual >= self.target

    @property
    def ratio(self) -> Decimal | None:
        """Progress over expected progress; ``None`` when either is unknown, or nothing is expected yet."""
        if self.progress is None or not self.expected_progress:
            return None
        return PRECISION.divide(self.progress, self.expected_progress)


@dataclass(frozen=True, slots=True)
class Decline(Progress):
    """Progress of a decline, and what is left of it."""

    still_needed: Decimal
    """Decline that is still needed, against where things stand now; negative when the target is exceeded."""
    still_needed_a_year: Decimal | None
    """The same for each remaining year; ``None`` when none remains."""


def cumulative(target: Decimal, actual: Decimal, elapsed: Fraction, years: int) -> Progress:
    """Progress of a count that starts from 0 at the base date: X / T against k / n."""
    with localcontext(PRECISION):
        share = _share(elapsed, years)
        return Progress(actual, target, target * share, actual / target, share)


def stock(base: Decimal | None, target: Decimal, actual: Decimal, elapsed: Fraction, years: int) -> Progress:
    """Progress of a stock that starts from ``base``: (X − B) / (T − B) against k / n; without a base it is withheld."""
    if base is None or base == target:
        return Progress(actual, target, None, None, None)
    with localcontext(PRECISION):
        share = _share(elapsed, years)
        return Progress(actual, target, base + (target - base) * share, (actual - base) / (target - base), share)


def ratio(base: Decimal | None, target: Decimal, actual: Decimal, full_years: int, years: int) -> Progress:
    """Progress of a ratio or yearly level, as of a stock, but by full years only."""
    return stock(base, target, actual, Fraction(full_years), years)


def growth(target: Decimal, rates: Sequence[Decimal]) -> Progress:
    """Progress of a yearly growth: the mean of the ``rates`` chained, over the target. Rates and target as fractions.

    A half-year against the same half-year before counts as a (provisional) yearly rate.
    """
    with localcontext(PRECISION):
        achieved = prod((ONE + rate for rate in rates), start=ONE) ** (ONE / len(rates)) - ONE
        return Progress(achieved, target, target, achieved / target, ONE)


def decline(target: Decimal, changes: Sequence[Decimal], years: int) -> Decline:
    """Progress of a decline: ln(1 − D) / ln(1 − T), for declines multiply and do not add.

    ``changes`` are the published yearly changes as fractions, negative when falling; D = 1 − ∏(1 + change).
    """
    with localcontext(PRECISION):
        left, goal, chained = prod((ONE + change for change in changes), start=ONE), ONE - target, len(changes)
        remaining = years - chained
        return Decline(
            actual=ONE - left,
            target=target,
            expected=ONE - goal ** (Decimal(chained) / years),
            progress=left.ln() / goal.ln(),
            expected_progress=Decimal(chained) / years,
            still_needed=ONE - goal / left,
            still_needed_a_year=ONE - (goal / left) ** (ONE / remaining) if remaining > 0 else None,
        )


def of_range(low: Decimal, actual: Decimal, elapsed: Fraction, years: int) -> Progress:
    """Progress of a target that is a range: the path leads to its lower end, which is the target."""
    return cumulative(low, actual, elapsed, years)


def within_band(base: Decimal, actual: Decimal, tolerance: Decimal) -> bool:
    """True when a value that is to stay about the same lies within ``tolerance`` of its base."""
    return abs(actual - base) <= tolerance


def _share(elapsed: Fraction, years: int) -> Decimal:
    capped = min(elapsed, Fraction(years)) / years
    return Decimal(capped.numerator) / Decimal(capped.denominator)
