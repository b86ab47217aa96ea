"""Virtual meters: the account of a meter that nobody reads, as a dated sum of others' quarter-hours. Pure and exact.

A quarter-hour is the sum of factor × energy over the terms in force when it begins. It is as good as its worst term:
one that is unknown, or not told at all, makes it unknown, for what is missing in a sum is not 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, localcontext
from itertools import groupby
from typing import Final, NamedTuple, TypeVar

from warehouse.energy.account import Interval, Quality, Reason

Meter = TypeVar("Meter", int, str)
"""A meter by its number, or by its serial number."""
_EXACT: Final = Context(prec=120, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class Term:
    """What one register of another meter adds, or with a factor below 0 takes off, from when until when."""

    meter_id: int
    feed_in: bool
    factor: Decimal
    from_ms: int
    to_ms: int


class Part(NamedTuple):
    """A quarter-hour of the term at ``place`` of the terms."""

    start_ms: int
    place: int
    energy: Decimal | None
    quality: Quality
    reason: str | None


def sums(terms: Sequence[Term], parts: Iterable[Part]) -> Iterator[Interval]:
    """Give every quarter-hour of which some term in force tells anything; ``parts`` by time, then by place."""
    with localcontext(_EXACT):
        for start_ms, told in groupby(parts, key=lambda part: part.start_ms):
            in_force = [place for place, term in enumerate(terms) if term.from_ms <= start_ms < term.to_ms]
            of_place = {part.place: part for part in told}
            if any(place in of_place for place in in_force):
                yield _sum(start_ms, terms, in_force, of_place)


def _sum(start_ms: int, terms: Sequence[Term], in_force: Sequence[int], told: Mapping[int, Part]) -> Interval:
    energy = Decimal(0)
    estimated: str | None = None
    for place in in_force:
        part = told.get(place)
        if part is None or part.energy is None:
            return Interval(start_ms, None, None, Quality.UNKNOWN, Reason.VIRTUAL_TERM_UNKNOWN)
        energy += terms[place].factor * part.energy
        estimated = estimated or part.reason
    return Interval(start_ms, None, energy, Quality.ESTIMATED if estimated else Quality.MEASURED, estimated)


def in_order(terms: Mapping[Meter, Set[Meter]]) -> tuple[list[Meter], list[Meter]]:
    """Return virtual meters, each after those of its terms that are virtual too; and those that have no sum.

    ``terms`` are the meters of each virtual meter's terms. A meter whose terms come back to it has no sum, nor has one
    that rests on such a meter.
    """
    ordered: list[Meter] = []
    waiting = dict(sorted(terms.items()))
    while ready := [meter for meter, of_meter in waiting.items() if not of_meter & waiting.keys()]:
        ordered += ready
        for meter in ready:
            del waiting[meter]
    return ordered, list(waiting)
