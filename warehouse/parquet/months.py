"""Months of Asia/Shanghai, and the rows that belong to them, as SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from psycopg.sql import SQL, Composable, Identifier, Literal

from warehouse.parquet.catalogue import Column
from warehouse.times import midnight

FIRST: Final = date(1, 1, 2)
END: Final = date(9999, 12, 30)
"""Times from the one to before the other have a month; the others, and none at all, stand together in one file."""
_WITH_MONTH: Final = SQL("({at} >= {first} AND {at} < {end})")


@dataclass(frozen=True, slots=True)
class Span:
    """Days ``first`` (included) to ``end`` (excluded); ``None`` is open."""

    first: date | None = None
    end: date | None = None

    @property
    def open(self) -> bool:
        """Whether it is all of time."""
        return self.first is None and self.end is None

    def within(self, month: str) -> Span:
        """Return the part of ``month`` that belongs to it; all of the month is an open span."""
        whole = of_month(month)
        assert whole.first is not None  # noqa: S101  # a month has both ends
        assert whole.end is not None  # noqa: S101
        first = max(self.first or whole.first, whole.first)
        end = min(self.end or whole.end, whole.end)
        return Span() if (first, end) == (whole.first, whole.end) else Span(first, end)

    def holds(self, month: str) -> bool:
        """Return whether any day of ``month`` belongs to it."""
        whole = of_month(month)
        assert whole.first is not None  # noqa: S101
        assert whole.end is not None  # noqa: S101
        return (self.end is None or whole.first < self.end) and (self.first is None or self.first < whole.end)


def of_month(month: str) -> Span:
    """Return the days of ``2025-05``."""
    year, number = (int(part) for part in month.split("-"))
    end = END if (year, number) >= (9999, 12) else date(year + number // 12, number % 12 + 1, 1)
    return Span(max(date(year, number, 1), FIRST), end)


def month_of(column: Column | None) -> Composable:
    """Return the expression of a row's month; null for rows without one."""
    if column is None:
        return SQL("NULL::text")
    at = Identifier("r", column.name)
    day = SQL("{} AT TIME ZONE interval '8 hours'").format(at) if column.base == "timestamptz" else at
    return SQL("CASE WHEN {} THEN to_char({}, 'YYYY-MM') END").format(_with_month(column), day)


def of_span(column: Column | None, span: Span) -> Composable:
    """Return the condition that a row belongs to ``span``; every row of a table without time does."""
    if column is None or span.open:
        return SQL("true")
    at = Identifier("r", column.name)
    parts: list[Composable] = []
    if span.first is not None:
        parts.append(SQL("{} >= {}").format(at, _literal(column, span.first)))
    if span.end is not None:
        parts.append(SQL("{} < {}").format(at, _literal(column, span.end)))
    return SQL(" AND ").join([*parts, _with_month(column)])


def of_file(column: Column | None, month: str | None, span: Span) -> Composable:
    """Return the condition that a row stands in the file of ``month`` and ``span``."""
    if column is None:
        return SQL("true")
    if month is None:
        return SQL("{} IS NOT TRUE").format(_with_month(column))
    return of_span(column, of_month(month) if span.open else span)


def _with_month(column: Column) -> Composable:
    return _WITH_MONTH.format(at=Identifier("r", column.name), first=_literal(column, FIRST), end=_literal(column, END))


def _literal(column: Column, day: date) -> Composable:
    return Literal(day if column.base == "date" else midnight(day))
