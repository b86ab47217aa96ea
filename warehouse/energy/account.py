"""The account of one register: energy of each quarter-hour, exact. Pure, no floats.

The register's count is known at the readings and, rounded to its last digit, at every time between them. A
quarter-hour is worth the difference of the counts at its ends, so that sums telescope: over any run of known
quarter-hours they equal the difference of the register exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, localcontext
from enum import StrEnum
from typing import Final

from warehouse.energy.walk import Change, Reading, Register, Span, Walk, walk

QUARTER_MS: Final = 900_000
GAP_MS: Final = 1_200_000
"""Readings farther apart than this (a quarter-hour and five minutes) leave a gap, and what lies in it is estimated."""
_EXACT: Final = Context(prec=60, traps=[Inexact])


class Quality(StrEnum):
    """How an energy was come by."""

    MEASURED = "measured"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why an energy is not measured, beside :class:`.walk.Unknown`; of several the first that applies."""

    NO_READING = "no_reading"
    """No good reading before it, or none after it yet."""
    UNSETTLED = "unsettled"
    """The readings after it disagree with those before it, and too few have come to decide."""
    NO_MULTIPLIER = "no_multiplier"
    """The registry has no transformer ratios for it."""
    MULTIPLIER_CHANGE = "multiplier_change"
    """The ratios changed between two readings, so that the growth had to be split by time."""
    GAP = "gap"
    """Spread evenly between two readings that are far apart."""
    DOUBTFUL_READING = "doubtful_reading"
    """A reading that it rests on was not good."""
    INTEGRATED_POWER = "integrated_power"
    """The meter tells its power only, and that was integrated."""
    POWER_GAP = "power_gap"
    """Samples of power are too far apart to cover it."""
    VIRTUAL_TERM_UNKNOWN = "virtual_term_unknown"
    """A meter that this one is computed from is unknown."""


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Energy of one count, in the unit of the account, from ``start_ms`` until ``end_ms`` (``None``: for good)."""

    start_ms: int
    end_ms: int | None
    per_count: Decimal


@dataclass(frozen=True, slots=True)
class Interval:
    """One quarter-hour from ``start_ms``; ``None`` when unknown, which is not 0."""

    start_ms: int
    counts: int | None
    energy: Decimal | None
    quality: Quality
    reason: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """Quarter-hours of a register, and the walk that they rest on."""

    intervals: tuple[Interval, ...]
    walk: Walk


def account(
    readings: Sequence[Reading],
    register: Register,
    multipliers: Sequence[Multiplier],
    changes: Sequence[Change],
    *,
    start_ms: int,
    end_ms: int,
    marks: Sequence[int] = (),
) -> Account:
    """Return every quarter-hour within [start, end), both multiples of 15 minutes.

    ``readings`` by time, one per time (:func:`.walk.in_order`); those before ``start_ms`` and after ``end_ms`` are
    used to know the count at the ends.
    """
    if start_ms % QUARTER_MS or end_ms % QUARTER_MS:
        raise ValueError(f"{start_ms} and {end_ms} must be quarter-hours")
    walked = walk(readings, register, changes, marks)
    ratios = sorted(multipliers, key=lambda multiplier: multiplier.start_ms)
    with localcontext(_EXACT):
        return Account(tuple(_intervals(walked, ratios, start_ms, end_ms)), walked)


def _intervals(walked: Walk, ratios: Sequence[Multiplier], start_ms: int, end_ms: int) -> Iterator[Interval]:
    spans = walked.spans
    after = Reason.UNSETTLED if walked.unsettled else Reason.NO_READING
    first = 0
    for quarter_ms in range(start_ms, end_ms, QUARTER_MS):
        until_ms = quarter_ms + QUARTER_MS
        while first < len(spans) and spans[first].end_ms <= quarter_ms:
            first += 1
        last = first
        while last < len(spans) and spans[last].start_ms < until_ms:
            last += 1
        touching = spans[first:last]
        if first == len(spans) or (touching and touching[0].start_ms <= quarter_ms and touching[-1].end_ms < until_ms):
            yield _unknown(quarter_ms, after)
        elif not touching or touching[0].start_ms > quarter_ms:
            yield _unknown(quarter_ms, Reason.NO_READING)
        else:
            yield _interval(quarter_ms, touching, ratios)


def merge(into: dict[int, Interval], later: Iterable[Interval]) -> None:
    """Let a later track's quarter-hours hold, unless it knows nothing of one that an earlier track knows of."""
    for interval in later:
        before = into.get(interval.start_ms)
        nothing = interval.quality is Quality.UNKNOWN and interval.reason == Reason.NO_READING
        if before is None or not nothing:
            into[interval.start_ms] = interval


def _unknown(quarter_ms: int, reason: str) -> Interval:
    return Interval(quarter_ms, None, None, Quality.UNKNOWN, reason)


def _interval(quarter_ms: int, spans: Sequence[Span], ratios: Sequence[Multiplier]) -> Interval:
    until_ms = quarter_ms + QUARTER_MS
    counts = 0
    energy = Decimal(0)
    split = gap = doubt = False
    for span in spans:
        if span.counts is None:
            return _unknown(quarter_ms, span.reason or Reason.NO_READING)
        from_ms, to_ms = max(quarter_ms, span.start_ms), min(until_ms, span.end_ms)
        reached_ms = from_ms
        for ratio in ratios:
            if ratio.start_ms > reached_ms or (ratio.end_ms is not None and ratio.end_ms <= reached_ms):
                continue
            upto_ms = to_ms if ratio.end_ms is None else min(to_ms, ratio.end_ms)
            grown = _count_at(span, span.counts, upto_ms) - _count_at(span, span.counts, reached_ms)
            counts += grown
            energy += grown * ratio.per_count
            reached_ms = upto_ms
            split = split or any(
                t_ms is not None and span.start_ms < t_ms < span.end_ms for t_ms in (ratio.start_ms, ratio.end_ms)
            )
            if reached_ms == to_ms:
                break
        if reached_ms < to_ms:
            return _unknown(quarter_ms, Reason.NO_MULTIPLIER)
        gap = gap or span.end_ms - span.start_ms > GAP_MS
        doubt = doubt or span.doubt
    for applies, reason in (
        (split, Reason.MULTIPLIER_CHANGE),
        (gap, Reason.GAP),
        (doubt, Reason.DOUBTFUL_READING),
    ):
        if applies:
            return Interval(quarter_ms, counts, energy, Quality.ESTIMATED, reason)
    return Interval(quarter_ms, counts, energy, Quality.MEASURED, None)


def _count_at(span: Span, counts: int, t_ms: int) -> int:
    """Return the growth since the span's start, of ``counts`` in all, rounded half up to the last digit."""
    length_ms = span.end_ms - span.start_ms
    return (2 * counts * (t_ms - span.start_ms) + length_ms) // (2 * length_ms)
