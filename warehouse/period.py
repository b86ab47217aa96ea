"""Periods of the statistics: as text, as type, as half-open ranges of days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from edge_agent.contract.errors import BadRecord


class PeriodType(StrEnum):
    """Lengths of period the statistics know."""

    DAY = "day"
    MONTH = "month"
    JAN_FEB = "jan_feb"
    """January and February together (1–2月), as published for industry above scale."""
    QUARTER = "quarter"
    YTD = "ytd"
    """From January to the named month."""
    YEAR = "year"


FORMS: Final = "2025-03-14, 2025-03, 2025-01..02 (1–2月), 2025-Q1, 2025-01..09 (since January), 2025"
_FORM: Final = re.compile(
    r"(?P<year>\d{4})(?:-(?:Q(?P<quarter>[1-4])|01\.\.(?P<through>\d{2})|(?P<month>\d{2})(?:-(?P<day>\d{2}))?))?"
)


@dataclass(frozen=True, slots=True)
class Period:
    """Days ``start`` (included) to ``end`` (excluded) of Asia/Shanghai, and how they are written."""

    text: str
    type: PeriodType
    start: date
    end: date

    @property
    def last_day(self) -> date:
        """The last day within the period."""
        return date.fromordinal(self.end.toordinal() - 1)


def parse_period(text: str) -> Period:
    """Parse one of the :data:`FORMS`; ``BadRecord("period")`` when it is none."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise BadRecord("period", f"{text!r} is none of {FORMS}")
    try:
        return _period(text, int(match["year"]), match)
    except ValueError as error:
        raise BadRecord("period", f"{text!r}: {error}") from error


def _period(text: str, year: int, match: re.Match[str]) -> Period:
    if match["quarter"]:
        first = 3 * int(match["quarter"]) - 2
        return Period(text, PeriodType.QUARTER, date(year, first, 1), _month_after(year, first + 2))
    if match["through"]:
        through = int(match["through"])
        if through < 2:
            raise ValueError("a range of months ends in 02 or later")
        kind = PeriodType.JAN_FEB if through == 2 else PeriodType.YTD
        return Period(text, kind, date(year, 1, 1), _month_after(year, through))
    if match["day"]:
        day = date(year, int(match["month"]), int(match["day"]))
        return Period(text, PeriodType.DAY, day, date.fromordinal(day.toordinal() + 1))
    if match["month"]:
        month = int(match["month"])
        return Period(text, PeriodType.MONTH, date(year, month, 1), _month_after(year, month))
    return Period(text, PeriodType.YEAR, date(year, 1, 1), date(year + 1, 1, 1))


def _month_after(year: int, month: int) -> date:
    if month > 12:
        raise ValueError("month must be in 1..12")
    return date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)
