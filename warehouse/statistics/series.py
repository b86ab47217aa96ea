"""Sums of values and chains of yearly changes; what must not be put together is refused. Pure and exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from edge_agent.contract.errors import BadRecord


@dataclass(frozen=True, slots=True)
class Value:
    """One value as it was published or reported."""

    variable: str
    subject: str
    period: str
    period_start: date
    period_end: date
    value: Decimal
    unit: str
    scope: str
    price_basis: str
    vintage: str
    published_at: date
    legal_basis: str
    source: str
    counts: bool = True
    """Whether it is the one that counts among those of its key."""


def total(values: Iterable[Value]) -> Decimal:
    """Return the sum of ``values``, which are of one variable and must not overlap.

    ``BadRecord`` for none, when they differ in variable (当量值 and 等价值 are two), unit, scope or price basis, when
    two of one subject overlap in time, and when one does not count.
    """
    rows = tuple(values)
    if not rows:
        raise BadRecord("no_value", "nothing to sum (没有数据)")
    for name, zh in (("variable", "指标"), ("unit", "单位"), ("scope", "统计范围"), ("price_basis", "价格口径")):
        found = sorted({str(getattr(row, name)) for row in rows})
        if len(found) > 1:
            raise BadRecord(f"mixed_{name}", f"{', '.join(found)} cannot be summed ({zh}不同，不得相加)")
    for row in rows:
        if not row.counts:
            raise BadRecord("superseded", f"{row.subject} {row.period} {row.vintage} no longer counts (已被修订)")
    _apart(rows)
    return sum((row.value for row in rows), Decimal(0))


def _apart(rows: Sequence[Value]) -> None:
    last: dict[str, Value] = {}
    for row in sorted(rows, key=lambda row: row.period_start):
        before = last.get(row.subject)
        if before is not None and row.period_start < before.period_end:
            raise BadRecord("overlap", f"{before.period} and {row.period} of {row.subject} overlap (时期重叠)")
        last[row.subject] = row


def chained(changes: Sequence[Value]) -> Fraction:
    """Return ∏(1 + g) of yearly changes in percent, exact: 0.95 is a fall of 5 % in all.

    ``BadRecord`` for none, when they differ in variable, subject or scope, are not in percent, are not of whole years,
    or a year is missing or stands twice. A new base of constant prices does not end a chain of rates.
    """
    if not changes:
        raise BadRecord("no_value", "no yearly change (没有年度增速)")
    rows = sorted(changes, key=lambda row: row.period_start)
    for name in ("variable", "subject", "scope"):
        found = sorted({str(getattr(row, name)) for row in rows})
        if len(found) > 1:
            raise BadRecord(f"mixed_{name}", f"{', '.join(found)} make no chain (口径不同，不得连乘)")
    product = Fraction(1)
    for place, row in enumerate(rows):
        if row.unit != "percent":
            raise BadRecord("unit", f"{row.period}: {row.unit} is no change in percent (须为百分比)")
        if row.period != f"{row.period_start.year:04}" or row.period_end != date(row.period_start.year + 1, 1, 1):
            raise BadRecord("period", f"{row.period} is no year (须为年度)")
        if place and row.period_start != rows[place - 1].period_end:
            raise BadRecord("gap", f"{rows[place - 1].period} is not followed by {row.period} (年度不连续)")
        product *= 1 + Fraction(row.value) / 100
    return product
